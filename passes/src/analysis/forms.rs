//! Forms: `i64` values as polynomials with integer coefficients over values that are opaque. A form
//! equals its value modulo 2⁶⁴; for saturating size arithmetic it is exact, since an overflow of a
//! size is an error of its own.

use std::collections::{BTreeMap, HashMap};

use we3_ir::{BinaryOp, Func, Opcode, Type, UnaryOp, Value};

/// A product of values, sorted; empty: 1.
pub type Monomial = Vec<Value>;

const MAX_DEGREE: usize = 4;
const MAX_TERMS: usize = 16;

/// A sum of monomials with coefficients, none of them 0.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash, PartialOrd, Ord)]
pub struct Form {
    /// Coefficients by monomial.
    pub terms: BTreeMap<Monomial, i128>,
    /// A coefficient did not fit: the terms mean nothing.
    overflowed: bool,
}

impl Form {
    /// A constant.
    pub fn constant(number: i128) -> Form {
        let mut form = Form::default();
        form.add_term(Vec::new(), number);
        form
    }

    /// A value by itself.
    pub fn atom(value: Value) -> Form {
        let mut form = Form::default();
        form.add_term(vec![value], 1);
        form
    }

    /// The constant that it is, if it is one.
    pub fn as_constant(&self) -> Option<i128> {
        match self.terms.len() {
            _ if self.overflowed => None,
            0 => Some(0),
            1 => self.terms.get(&Vec::new()).copied(),
            _ => None,
        }
    }

    fn add_term(&mut self, monomial: Monomial, coefficient: i128) {
        let entry = self.terms.entry(monomial).or_insert(0);
        match entry.checked_add(coefficient) {
            Some(sum) => *entry = sum,
            None => self.overflowed = true,
        }
        if *entry == 0 {
            self.terms.retain(|_, coefficient| *coefficient != 0);
        }
    }

    /// Adds `factor · coefficient` times a monomial.
    fn add_product(&mut self, monomial: Monomial, factor: i128, coefficient: i128) {
        match factor.checked_mul(coefficient) {
            Some(product) => self.add_term(monomial, product),
            None => self.overflowed = true,
        }
    }

    /// `self + factor · other`.
    #[must_use]
    pub fn plus(&self, factor: i128, other: &Form) -> Form {
        let mut sum = self.clone();
        sum.overflowed |= other.overflowed;
        for (monomial, coefficient) in &other.terms {
            sum.add_product(monomial.clone(), factor, *coefficient);
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
                let mut monomial = [left.as_slice(), right].concat();
                monomial.sort_unstable();
                product.add_product(monomial, *a, *b);
            }
        }
        product
    }

    /// Whether numbers stay far from overflow and proofs short.
    pub fn is_small(&self) -> bool {
        let bounded = |coefficient: &i128| coefficient.unsigned_abs() < 1 << 80;
        !self.overflowed
            && self.terms.len() <= MAX_TERMS
            && self.terms.keys().all(|monomial| monomial.len() <= MAX_DEGREE)
            && self.terms.values().all(bounded)
    }

    /// With one value replaced by a form.
    #[must_use]
    pub fn substitute(&self, value: Value, by: &Form) -> Form {
        let mut result = Form { overflowed: self.overflowed, ..Form::default() };
        for (monomial, coefficient) in &self.terms {
            let (hits, rest): (Vec<Value>, Vec<Value>) =
                monomial.iter().partition(|factor| **factor == value);
            let mut term = Form::default();
            term.add_term(rest, *coefficient);
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
    known: HashMap<Value, Form>,
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
