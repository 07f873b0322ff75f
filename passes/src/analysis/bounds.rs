//! Bounds: what is known to be ≥ 0 at a place (subscripts of loops, sizes, checks passed, branches
//! taken), and a small prover for comparisons of `i64` values from that.
//!
//! Proofs are about integers; values wrap. A form equals its value modulo 2⁶⁴, so it is the value once
//! it is proved to fit an `i64`; a form that is not proved to fit is not used. Saturating arithmetic is
//! for sizes only, where an overflow is an error of its own: it always fits.

mod describe;
mod prove;

use std::collections::BTreeSet;

use we3_ir::hash::IdMap;
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
    index: IdMap<Monomial, Vec<usize>>,
    /// Values whose own definition has been turned into facts.
    described: BTreeSet<Value>,
    describing: Vec<Value>,
    /// Changes with the facts.
    state: u64,
    /// Whether a form was proved, and in which state: the same questions come again and again.
    answers: IdMap<Form, (u64, bool)>,
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
        self.state += 1;
        for number in (mark.facts..self.facts.len()).rev() {
            for monomial in self.facts[number].monomials() {
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
    pub(super) fn learn(&mut self, form: Form) {
        if form.as_constant().is_some() || !form.is_small() {
            return;
        }
        for monomial in form.monomials() {
            self.index.entry(*monomial).or_default().push(self.facts.len());
        }
        self.facts.push(form);
        self.state += 1;
    }

    /// The value as a form that equals it.
    pub(super) fn exact(&mut self, func: &Func, value: Value) -> Form {
        if *func.ty(value) != Type::I64 {
            return narrow_form(func, value);
        }
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
            // `a && b` is `if a { b } else { false }`, `a || b` is `if a { true } else { b }`.
            (Opcode::If, _) => {
                let number = func.ops[op].results.iter().position(|result| *result == condition);
                let value = |arm: usize| Some(func.yields(data.regions[arm])[number?]);
                let (Some(then), Some(otherwise)) = (value(0), value(1)) else { return };
                let never = |value| func.as_const(value).is_some_and(|known| (known.bits != 0) != truth);
                if never(otherwise) {
                    self.assume(func, data.args[0], true, renamed);
                    self.assume(func, then, truth, renamed);
                } else if never(then) {
                    self.assume(func, data.args[0], false, renamed);
                    self.assume(func, otherwise, truth, renamed);
                }
            }
            (Opcode::Select, _) => {
                let never = |value| func.as_const(value).is_some_and(|known| (known.bits != 0) != truth);
                let [chosen, then, otherwise] = data.args[..] else { return };
                if never(otherwise) {
                    self.assume(func, chosen, true, renamed);
                    self.assume(func, then, truth, renamed);
                } else if never(then) {
                    self.assume(func, chosen, false, renamed);
                    self.assume(func, otherwise, truth, renamed);
                }
            }
            (Opcode::Compare(kind), _) if is_whole(func.ty(data.args[0])) => {
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
            Opcode::Compare(kind) if is_whole(func.ty(data.args[0])) => {
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
}

/// Whether all values of the type are numbers that an `i64` holds.
fn is_whole(ty: &Type) -> bool {
    ty.as_scalar().is_some_and(|ty| ty == Scalar::I64 || describe::range_of(ty).is_some())
}

/// A value of a type narrower than `i64`: a constant, or opaque.
fn narrow_form(func: &Func, value: Value) -> Form {
    let Some(known) = func.as_const(value) else { return Form::atom(value) };
    let bits = i128::from(known.bits);
    let negative = known.ty.is_signed_int() && known.bits >> (known.ty.bits() - 1) & 1 == 1;
    Form::constant(if negative { bits - (1 << known.ty.bits()) } else { bits })
}

/// A constant or a value by itself.
fn is_plain(form: &Form) -> bool {
    let single = matches!(form.terms(), [(monomial, 1)] if monomial.len() == 1);
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
