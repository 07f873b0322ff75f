//! Forms: `i64` values as polynomials with integer coefficients over values that are opaque. A form
//! equals its value modulo 2⁶⁴; for saturating size arithmetic it is exact, since an overflow of a
//! size is an error of its own.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use we3_ir::hash::IdMap;
use we3_ir::{BinaryOp, Func, Opcode, Type, UnaryOp, Value};

const MAX_DEGREE: usize = 4;
const MAX_TERMS: usize = 16;

/// A product of a few values, sorted; empty: 1.
#[derive(Clone, Copy, Debug)]
pub struct Monomial {
    len: u8,
    /// Those behind `len` count for nothing.
    values: [Value; 2 * MAX_DEGREE],
}

impl Monomial {
    /// The product of these values. None of too many.
    pub fn of(values: &[Value]) -> Option<Monomial> {
        let mut all = [Value::from_u32(0); 2 * MAX_DEGREE];
        all.get_mut(..values.len())?.copy_from_slice(values);
        all[..values.len()].sort_unstable();
        Some(Monomial { len: values.len() as u8, values: all })
    }

    /// A value by itself.
    pub fn single(value: Value) -> Monomial {
        let mut values = [Value::from_u32(0); 2 * MAX_DEGREE];
        values[0] = value;
        Monomial { len: 1, values }
    }

    /// 1.
    fn one() -> Monomial {
        Monomial { len: 0, values: [Value::from_u32(0); 2 * MAX_DEGREE] }
    }

    fn times(&self, other: &Monomial) -> Option<Monomial> {
        Monomial::of(&[&self[..], &other[..]].concat())
    }
}

impl Deref for Monomial {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.values[..usize::from(self.len)]
    }
}

impl PartialEq for Monomial {
    fn eq(&self, other: &Monomial) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Monomial {}

impl Hash for Monomial {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

impl Ord for Monomial {
    fn cmp(&self, other: &Monomial) -> Ordering {
        self[..].cmp(&other[..])
    }
}

impl PartialOrd for Monomial {
    fn partial_cmp(&self, other: &Monomial) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A sum of monomials with coefficients, none of them 0.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash, PartialOrd, Ord)]
pub struct Form {
    /// Monomials in ascending order, each with its coefficient.
    terms: Vec<(Monomial, i128)>,
    /// A coefficient or a degree did not fit: the terms mean nothing.
    overflowed: bool,
}

impl Form {
    /// A constant.
    pub fn constant(number: i128) -> Form {
        let mut form = Form::default();
        form.add_term(Monomial::one(), number);
        form
    }

    /// A value by itself.
    pub fn atom(value: Value) -> Form {
        Form { terms: vec![(Monomial::single(value), 1)], overflowed: false }
    }

    /// Monomials in ascending order, each with its coefficient.
    pub fn terms(&self) -> &[(Monomial, i128)] {
        &self.terms
    }

    /// The monomials in ascending order.
    pub fn monomials(&self) -> impl Iterator<Item = &Monomial> {
        self.terms.iter().map(|(monomial, _)| monomial)
    }

    /// The coefficient of a monomial; 0: it does not occur.
    pub fn coefficient(&self, monomial: &Monomial) -> i128 {
        self.place(monomial).map_or(0, |place| self.terms[place].1)
    }

    /// The number that stands by itself.
    pub fn free_term(&self) -> i128 {
        self.terms.first().map_or(0, |(monomial, number)| if monomial.is_empty() { *number } else { 0 })
    }

    /// The constant that it is, if it is one.
    pub fn as_constant(&self) -> Option<i128> {
        match self.terms[..] {
            _ if self.overflowed => None,
            [] => Some(0),
            [(monomial, number)] if monomial.is_empty() => Some(number),
            _ => None,
        }
    }

    fn place(&self, monomial: &Monomial) -> Result<usize, usize> {
        self.terms.binary_search_by(|(other, _)| other.cmp(monomial))
    }

    fn add_term(&mut self, monomial: Monomial, coefficient: i128) {
        match self.place(&monomial) {
            Err(_) if coefficient == 0 => {}
            Err(place) => self.terms.insert(place, (monomial, coefficient)),
            Ok(place) => match self.terms[place].1.checked_add(coefficient) {
                Some(0) => {
                    self.terms.remove(place);
                }
                Some(sum) => self.terms[place].1 = sum,
                None => self.overflowed = true,
            },
        }
    }

    /// Adds `factor · coefficient` times a monomial.
    fn add_product(&mut self, monomial: Option<Monomial>, factor: i128, coefficient: i128) {
        match monomial.zip(factor.checked_mul(coefficient)) {
            Some((monomial, product)) => self.add_term(monomial, product),
            None => self.overflowed = true,
        }
    }

    /// Without a monomial.
    #[must_use]
    pub fn without(&self, monomial: &Monomial) -> Form {
        let mut form = self.clone();
        form.terms.retain(|(other, _)| other != monomial);
        form
    }

    /// `self + factor · other`.
    #[must_use]
    pub fn plus(&self, factor: i128, other: &Form) -> Form {
        let mut terms = Vec::with_capacity(self.terms.len() + other.terms.len());
        terms.extend_from_slice(&self.terms);
        let mut sum = Form { terms, overflowed: self.overflowed || other.overflowed };
        for (monomial, coefficient) in &other.terms {
            sum.add_product(Some(*monomial), factor, *coefficient);
        }
        sum
    }

    /// `self · factor`.
    #[must_use]
    pub fn scaled(&self, factor: i128) -> Form {
        Form::default().plus(factor, self)
    }

    /// `self · other`.
    #[must_use]
    pub fn times(&self, other: &Form) -> Form {
        let mut product = Form { overflowed: self.overflowed || other.overflowed, ..Form::default() };
        for (left, a) in &self.terms {
            for (right, b) in &other.terms {
                product.add_product(left.times(right), *a, *b);
            }
        }
        product
    }

    /// Whether numbers stay far from overflow and proofs short.
    pub fn is_small(&self) -> bool {
        !self.overflowed
            && self.terms.len() <= MAX_TERMS
            && self.terms.iter().all(|(monomial, coefficient)| {
                monomial.len() <= MAX_DEGREE && coefficient.unsigned_abs() < 1 << 80
            })
    }

    /// With one value replaced by a form.
    #[must_use]
    pub fn substitute(&self, value: Value, by: &Form) -> Form {
        let mut result = Form { overflowed: self.overflowed, ..Form::default() };
        for (monomial, coefficient) in &self.terms {
            let (hits, rest): (Vec<Value>, Vec<Value>) =
                monomial.iter().partition(|factor| **factor == value);
            let mut term = Form::default();
            term.add_product(Monomial::of(&rest), *coefficient, 1);
            for _ in hits {
                term = term.times(by);
            }
            result = result.plus(1, &term);
        }
        result
    }
}

/// Forms of values, computed once each.
#[derive(Default)]
pub struct Forms {
    known: IdMap<Value, Form>,
}

impl Forms {
    /// The form of an `i64` value.
    pub fn of(&mut self, func: &Func, value: Value) -> Form {
        if let Some(form) = self.known.get(&value) {
            return form.clone();
        }
        let form = self.compute(func, value).filter(Form::is_small).unwrap_or_else(|| Form::atom(value));
        self.known.insert(value, form.clone());
        form
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other operation is opaque")]
    fn compute(&mut self, func: &Func, value: Value) -> Option<Form> {
        if *func.ty(value) != Type::I64 {
            return None;
        }
        let data = &func.ops[func.def_op(value)?];
        match &data.opcode {
            Opcode::Const(constant) => Some(Form::constant(i128::from(constant.bits as i64))),
            Opcode::Unary(UnaryOp::Neg) => Some(self.of(func, data.args[0]).scaled(-1)),
            Opcode::Binary(op) => {
                let (left, right) = (self.of(func, data.args[0]), self.of(func, data.args[1]));
                let saturating = is_saturating(func, value);
                if saturating && !data.args.iter().all(|arg| is_size(func, *arg)) {
                    return None;
                }
                match op {
                    BinaryOp::Add | BinaryOp::AddSat => Some(left.plus(1, &right)),
                    BinaryOp::Sub | BinaryOp::SubSat => Some(left.plus(-1, &right)),
                    BinaryOp::Mul | BinaryOp::MulSat => Some(left.times(&right)),
                    BinaryOp::Shl => {
                        let amount =
                            u32::try_from(right.as_constant()?).ok().filter(|amount| *amount < 48)?;
                        Some(left.scaled(1 << amount))
                    }
                    BinaryOp::Div
                    | BinaryOp::Rem
                    | BinaryOp::Min
                    | BinaryOp::Max
                    | BinaryOp::And
                    | BinaryOp::Or
                    | BinaryOp::Xor
                    | BinaryOp::Shr
                    | BinaryOp::RotateLeft
                    | BinaryOp::MulHi
                    | BinaryOp::CopySign => None,
                }
            }
            _ => None,
        }
    }
}

/// Whether a saturating operation made the value.
pub fn is_saturating(func: &Func, value: Value) -> bool {
    func.def_op(value).is_some_and(|op| {
        let opcode = &func.ops[op].opcode;
        matches!(opcode, Opcode::Binary(BinaryOp::AddSat | BinaryOp::SubSat | BinaryOp::MulSat))
    })
}

/// Whether the form of the value is exact wherever it stands: a saturating operation, or opaque.
fn is_size(func: &Func, value: Value) -> bool {
    let Some(op) = func.def_op(value) else { return true };
    let wraps = matches!(
        func.ops[op].opcode,
        Opcode::Unary(UnaryOp::Neg)
            | Opcode::Binary(BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Shl)
    );
    !wraps
}
