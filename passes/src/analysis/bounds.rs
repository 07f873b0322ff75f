//! Bounds: what is known to be ≥ 0 at a place (subscripts of loops, sizes, checks passed, branches
//! taken), and a small prover for comparisons of `i64` values from that.
//!
//! Proofs are about integers; values wrap. A form equals its value modulo 2⁶⁴, so it is the value once
//! it is proved to fit an `i64`; a form that is not proved to fit is not used. Saturating arithmetic is
//! for sizes only, where an overflow is an error of its own: it always fits.

use std::collections::{BTreeMap, BTreeSet};

use we3_ir::{BinaryOp, CompareOp, Func, Opcode, Scalar, Type, UnaryOp, Value};

use super::forms::{Form, Forms, Monomial, is_saturating};

/// Steps that one question may take.
const BUDGET: u32 = 300;
const DEPTH: u32 = 8;

const LEAST: i128 = i64::MIN as i128;
const GREATEST: i128 = i64::MAX as i128;

/// The facts at one place of a function.
#[derive(Default)]
pub struct Bounds {
    forms: Forms,
    /// Each is ≥ 0.
    facts: Vec<Form>,
    /// Facts that mention a monomial.
    index: BTreeMap<Monomial, Vec<usize>>,
    /// Values whose own definition has been turned into facts.
    described: BTreeSet<Value>,
    describing: Vec<Value>,
}

/// A place to return to when a region ends.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    facts: usize,
    described: usize,
}

impl Bounds {
    /// Where we stand.
    pub fn mark(&self) -> Mark {
        Mark { facts: self.facts.len(), described: self.describing.len() }
    }

    /// Forgets everything learnt since.
    pub fn forget(&mut self, mark: Mark) {
        for number in (mark.facts..self.facts.len()).rev() {
            for monomial in self.facts[number].terms.keys() {
                if let Some(list) = self.index.get_mut(monomial) {
                    list.pop();
                }
            }
        }
        self.facts.truncate(mark.facts);
        for value in self.describing.drain(mark.described..) {
            self.described.remove(&value);
        }
    }

    /// From now on the form is ≥ 0.
    fn learn(&mut self, form: Form) {
        if form.as_constant().is_some() || !form.is_small() {
            return;
        }
        for monomial in form.terms.keys() {
            self.index.entry(monomial.clone()).or_default().push(self.facts.len());
        }
        self.facts.push(form);
    }

    /// The value as a form that equals it.
    fn exact(&mut self, func: &Func, value: Value) -> Form {
        let form = self.forms.of(func, value);
        if is_plain(&form) {
            return form;
        }
        if is_saturating(func, value) {
            if self.described.insert(value) {
                self.describing.push(value);
                self.learn(Form::constant(GREATEST).plus(-1, &form));
                self.learn(form.plus(-LEAST, &Form::constant(1)));
            }
            return form;
        }
        if self.fits(func, &form) { form } else { Form::atom(value) }
    }

    /// Whether the form surely lies in the range of `i64`.
    fn fits(&mut self, func: &Func, form: &Form) -> bool {
        let below = Form::constant(GREATEST).plus(-1, form);
        let above = form.plus(-LEAST, &Form::constant(1));
        self.prove(func, &below) && self.prove(func, &above)
    }

    /// `value ≥ 0` from now on.
    pub fn learn_not_negative(&mut self, func: &Func, value: Value) {
        let form = self.exact(func, value);
        self.learn(form);
    }

    /// `lo ≤ value < hi` from now on.
    pub fn learn_range(&mut self, func: &Func, value: Value, lo: Option<Value>, hi: Value) {
        let own = Form::atom(value);
        let lo = lo.map_or_else(Form::default, |lo| self.exact(func, lo));
        let hi = self.exact(func, hi);
        self.learn(own.plus(-1, &lo));
        self.learn(hi.plus(-1, &own).plus(-1, &Form::constant(1)));
    }

    /// `value ≥ other` from now on.
    pub fn learn_at_least(&mut self, func: &Func, value: Value, other: Value) {
        let difference = Form::atom(value).plus(-1, &self.exact(func, other));
        self.learn(difference);
    }

    /// A condition is true (or false) from now on. `renamed` replaces values in it (parameters of one
    /// region by those of another).
    pub fn assume(&mut self, func: &Func, condition: Value, truth: bool, renamed: &[(Value, Value)]) {
        let Some(op) = func.def_op(condition) else { return };
        let data = &func.ops[op];
        match (&data.opcode, truth) {
            (Opcode::Unary(UnaryOp::Not), _) => self.assume(func, data.args[0], !truth, renamed),
            (Opcode::Binary(BinaryOp::And), true) | (Opcode::Binary(BinaryOp::Or), false) => {
                self.assume(func, data.args[0], truth, renamed);
                self.assume(func, data.args[1], truth, renamed);
            }
            (Opcode::Compare(kind), _) if *func.ty(data.args[0]) == Type::I64 => {
                let mut left = self.exact(func, data.args[0]);
                let mut right = self.exact(func, data.args[1]);
                for (from, to) in renamed {
                    left = left.substitute(*from, &Form::atom(*to));
                    right = right.substitute(*from, &Form::atom(*to));
                }
                let kind = if truth { *kind } else { negated(*kind) };
                for fact in consequences(kind, &left, &right) {
                    self.learn(fact);
                }
            }
            _ => {}
        }
    }

    /// Whether a condition is surely true (`Some(true)`), surely false, or not known.
    pub fn decide(&mut self, func: &Func, condition: Value) -> Option<bool> {
        if self.holds(func, condition, true) {
            Some(true)
        } else if self.holds(func, condition, false) {
            Some(false)
        } else {
            None
        }
    }

    /// Whether a condition surely has this truth value.
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing is known of other conditions")]
    pub fn holds(&mut self, func: &Func, condition: Value, truth: bool) -> bool {
        let Some(op) = func.def_op(condition) else { return false };
        let data = &func.ops[op];
        match &data.opcode {
            Opcode::Const(constant) => (constant.bits != 0) == truth,
            Opcode::Unary(UnaryOp::Not) => self.holds(func, data.args[0], !truth),
            Opcode::Binary(kind @ (BinaryOp::And | BinaryOp::Or)) => {
                let both = (*kind == BinaryOp::And) == truth;
                let first = self.holds(func, data.args[0], truth);
                if both == first { self.holds(func, data.args[1], truth) } else { first }
            }
            Opcode::Compare(kind) if *func.ty(data.args[0]) == Type::I64 => {
                let kind = if truth { *kind } else { negated(*kind) };
                self.compares(func, kind, data.args[0], data.args[1])
            }
            _ => false,
        }
    }

    fn compares(&mut self, func: &Func, kind: CompareOp, left: Value, right: Value) -> bool {
        let left = self.exact(func, left);
        let right = self.exact(func, right);
        if kind == CompareOp::Ne {
            let less = right.plus(-1, &left).plus(-1, &Form::constant(1));
            let more = left.plus(-1, &right).plus(-1, &Form::constant(1));
            return self.prove(func, &less) || self.prove(func, &more);
        }
        consequences(kind, &left, &right).iter().all(|form| self.prove(func, form))
    }

    /// Whether the form is surely ≥ 0.
    fn prove(&mut self, func: &Func, form: &Form) -> bool {
        self.describe(func, form, 3);
        let mut budget = BUDGET;
        self.search(func, form, DEPTH, &mut budget)
    }

    fn search(&self, func: &Func, form: &Form, depth: u32, budget: &mut u32) -> bool {
        if let Some(constant) = form.as_constant() {
            return constant >= 0;
        }
        if depth == 0 || *budget == 0 || !form.is_small() {
            return false;
        }
        *budget -= 1;
        if self.obviously_not_negative(form) {
            return true;
        }
        // The monomial with the latest value goes first: it is bounded by earlier ones.
        let Some((monomial, coefficient)) = form
            .terms
            .iter()
            .filter(|(monomial, _)| !monomial.is_empty())
            .max_by_key(|(monomial, _)| monomial.last())
        else {
            return false;
        };
        if self.split(func, form, monomial, *coefficient, depth, budget) {
            return true;
        }
        for fact in self.eliminating(monomial, *coefficient) {
            // A form is an integer: it is ≥ 0 when `scale` times it is above `−scale`.
            let scale = fact.terms[monomial].abs();
            let slack = Form::constant(scale - 1);
            let next = form.scaled(scale).plus(1, &slack).plus(-coefficient.abs(), &fact);
            if self.search(func, &next, depth - 1, budget) {
                return true;
            }
        }
        // A value that is ≥ 0 may simply go when it counts upwards.
        if *coefficient > 0 && monomial.iter().all(|value| self.is_not_negative(*value)) {
            let mut next = form.clone();
            next.terms.remove(monomial);
            return self.search(func, &next, depth - 1, budget);
        }
        if let [_] = monomial[..] {
            // Nothing else helps: every value is an `i64`.
            let extreme = if *coefficient > 0 { LEAST } else { GREATEST };
            let next = form.substitute(monomial[0], &Form::constant(extreme));
            if self.search(func, &next, depth - 1, budget) {
                return true;
            }
        }
        false
    }

    fn obviously_not_negative(&self, form: &Form) -> bool {
        form.terms.iter().all(|(monomial, coefficient)| {
            *coefficient >= 0 && monomial.iter().all(|value| self.is_not_negative(*value))
        })
    }

    fn is_not_negative(&self, value: Value) -> bool {
        let monomial = vec![value];
        let facts = self.index.get(&monomial).map_or(&[][..], Vec::as_slice);
        facts.iter().any(|number| {
            let fact = &self.facts[*number];
            let constant = fact.terms.get(&Vec::new()).copied().unwrap_or(0);
            let others = fact.terms.len() - usize::from(constant != 0);
            others == 1 && fact.terms[&monomial] > 0 && constant <= 0
        })
    }

    /// Facts, possibly multiplied by values ≥ 0, that have the monomial with the sign of `coefficient`.
    fn eliminating(&self, monomial: &Monomial, coefficient: i128) -> Vec<Form> {
        let mut found = Vec::new();
        let same_sign = |fact: &Form, part: &Monomial| fact.terms[part].signum() == coefficient.signum();
        for number in self.index.get(monomial).into_iter().flatten() {
            if same_sign(&self.facts[*number], monomial) {
                found.push(self.facts[*number].clone());
            }
        }
        if monomial.len() < 2 {
            return found;
        }
        for position in 0..monomial.len() {
            let part = vec![monomial[position]];
            let mut rest = monomial.clone();
            rest.remove(position);
            if !rest.iter().all(|value| self.is_not_negative(*value)) {
                continue;
            }
            let factor =
                rest.iter().fold(Form::constant(1), |product, value| product.times(&Form::atom(*value)));
            for number in self.index.get(&part).into_iter().flatten() {
                if same_sign(&self.facts[*number], &part) {
                    found.push(self.facts[*number].times(&factor));
                }
            }
        }
        found
    }

    /// `min`, `max` and `select` are one of their operands: both must do, or one where that is enough.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other values are not one of their operands")]
    fn split(
        &self,
        func: &Func,
        form: &Form,
        monomial: &Monomial,
        coefficient: i128,
        depth: u32,
        budget: &mut u32,
    ) -> bool {
        let [value] = monomial[..] else { return false };
        let Some(op) = func.def_op(value) else { return false };
        let data = &func.ops[op];
        let (sides, both) = match &data.opcode {
            Opcode::Binary(BinaryOp::Min) => (&data.args[..2], coefficient > 0),
            Opcode::Binary(BinaryOp::Max) => (&data.args[..2], coefficient < 0),
            Opcode::Select => (&data.args[1..3], true),
            _ => return false,
        };
        if !both {
            return false;
        }
        sides.iter().all(|side| {
            let mut forms = Forms::default();
            let next = form.substitute(value, &forms.of(func, *side));
            self.search(func, &next, depth - 1, budget)
        })
    }

    /// Turns what is known from the definitions of the values in a form into facts.
    fn describe(&mut self, func: &Func, form: &Form, depth: u32) {
        if depth == 0 {
            return;
        }
        let values: BTreeSet<Value> = form.terms.keys().flatten().copied().collect();
        for value in values {
            if self.described.insert(value) {
                self.describing.push(value);
                for inner in self.describe_value(func, value) {
                    self.describe(func, &inner, depth - 1);
                }
            }
        }
    }

    /// Learns from one definition; returns the forms of its operands.
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing is known of other values")]
    fn describe_value(&mut self, func: &Func, value: Value) -> Vec<Form> {
        let Some(op) = func.def_op(value) else { return Vec::new() };
        let data = &func.ops[op];
        let own = Form::atom(value);
        match &data.opcode {
            Opcode::Convert(_) => {
                if let Some((lo, hi)) = range_of(func.ty(data.args[0]).element()) {
                    self.learn(own.plus(-1, &Form::constant(lo)));
                    self.learn(Form::constant(hi).plus(-1, &own));
                }
                Vec::new()
            }
            Opcode::Select => data.args[1..].iter().map(|arg| self.exact(func, *arg)).collect(),
            Opcode::Binary(kind) => {
                let left = self.exact(func, data.args[0]);
                let right = self.exact(func, data.args[1]);
                self.describe_binary(func, *kind, &own, &left, &right);
                vec![left, right]
            }
            _ => Vec::new(),
        }
    }

    fn describe_binary(&mut self, func: &Func, kind: BinaryOp, own: &Form, left: &Form, right: &Form) {
        let one = Form::constant(1);
        match kind {
            BinaryOp::Min => {
                self.learn(left.plus(-1, own));
                self.learn(right.plus(-1, own));
            }
            BinaryOp::Max => {
                self.learn(own.plus(-1, left));
                self.learn(own.plus(-1, right));
            }
            BinaryOp::Rem => {
                if self.prove(func, &right.plus(-1, &one)) {
                    self.learn(right.plus(-1, own).plus(-1, &one));
                    self.learn(right.plus(1, own).plus(-1, &one));
                }
                if self.prove(func, left) {
                    self.learn(own.clone());
                    self.learn(left.plus(-1, own));
                }
            }
            BinaryOp::Div => {
                if self.prove(func, &right.plus(-1, &one)) && self.prove(func, left) {
                    self.learn(own.clone());
                    self.learn(left.plus(-1, own));
                    self.learn(left.plus(-1, &own.times(right)));
                    self.learn(own.times(right).plus(1, right).plus(-1, left).plus(-1, &one));
                }
            }
            BinaryOp::And => {
                for side in [left, right] {
                    if self.prove(func, side) {
                        self.learn(own.clone());
                        self.learn(side.plus(-1, own));
                    }
                }
            }
            BinaryOp::Shr => {
                let amount = right.as_constant().and_then(|amount| u32::try_from(amount).ok());
                if let Some(amount) = amount.filter(|amount| *amount < 63)
                    && self.prove(func, left)
                {
                    self.learn(own.clone());
                    self.learn(left.plus(-(1 << amount), own));
                }
            }
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::RotateLeft
            | BinaryOp::MulHi
            | BinaryOp::CopySign
            | BinaryOp::AddSat
            | BinaryOp::SubSat
            | BinaryOp::MulSat => {}
        }
    }
}

/// A constant or a value by itself.
fn is_plain(form: &Form) -> bool {
    let single =
        form.terms.len() == 1 && form.terms.iter().all(|(monomial, by)| monomial.len() == 1 && *by == 1);
    single || form.as_constant().is_some()
}

/// What a true comparison says: forms that are ≥ 0.
fn consequences(kind: CompareOp, left: &Form, right: &Form) -> Vec<Form> {
    let one = Form::constant(1);
    match kind {
        CompareOp::Lt => vec![right.plus(-1, left).plus(-1, &one)],
        CompareOp::Le => vec![right.plus(-1, left)],
        CompareOp::Gt => vec![left.plus(-1, right).plus(-1, &one)],
        CompareOp::Ge => vec![left.plus(-1, right)],
        CompareOp::Eq => vec![left.plus(-1, right), right.plus(-1, left)],
        CompareOp::Ne => vec![],
    }
}

fn negated(kind: CompareOp) -> CompareOp {
    match kind {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}

/// The least and the greatest value of a type narrower than `i64`.
fn range_of(ty: Scalar) -> Option<(i128, i128)> {
    match ty {
        Scalar::Bool => Some((0, 1)),
        Scalar::I8 | Scalar::I16 | Scalar::I32 => {
            let half = 1i128 << (ty.bits() - 1);
            Some((-half, half - 1))
        }
        Scalar::U8 | Scalar::U16 | Scalar::U32 => Some((0, (1 << ty.bits()) - 1)),
        Scalar::I64 | Scalar::U64 | Scalar::F16 | Scalar::Bf16 | Scalar::F32 | Scalar::F64 => None,
    }
}
