//! The prover: searches for a sum of facts that shows a form to be ≥ 0.

use we3_ir::{BinaryOp, Func, Opcode, Value};

use super::{BUDGET, Bounds, DEPTH, GREATEST, LEAST};
use crate::analysis::forms::{Form, Forms, Monomial};

impl Bounds {
    /// Whether the form is surely ≥ 0.
    pub(super) fn prove(&mut self, func: &Func, form: &Form) -> bool {
        if let Some((state, proved)) = self.answers.get(form)
            && *state == self.state
        {
            return *proved;
        }
        self.describe(func, form, 3);
        let mut budget = BUDGET;
        let proved = self.search(func, form, DEPTH, &mut budget);
        self.answers.insert(form.clone(), (self.state, proved));
        proved
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
            .terms()
            .iter()
            .filter(|(monomial, _)| !monomial.is_empty())
            .max_by_key(|(monomial, _)| monomial.last())
        else {
            return false;
        };
        if self.split(func, form, monomial, *coefficient, depth, budget) {
            return true;
        }
        let mut eliminate = |fact: &Form| {
            if *budget == 0 && fact.terms().len().abs_diff(form.terms().len()) > 1 {
                // Only a constant counts now, and other terms than in the form would stay.
                return false;
            }
            // A form is an integer: it is ≥ 0 when `scale` times it is above `−scale`.
            let scale = fact.coefficient(monomial).abs();
            let next = match scale {
                1 => form.plus(-coefficient.abs(), fact),
                _ => {
                    let scaled = form.scaled(scale).plus(1, &Form::constant(scale - 1));
                    scaled.plus(-coefficient.abs(), fact)
                }
            };
            self.search(func, &next, depth - 1, budget)
        };
        if self.facts_with(monomial, *coefficient).any(&mut eliminate) {
            return true;
        }
        if monomial.len() > 1 {
            for position in 0..monomial.len() {
                let mut rest = monomial.to_vec();
                let part = Monomial::single(rest.remove(position));
                if rest.iter().all(|value| self.is_not_negative(*value)) {
                    let factor = product_of(&rest);
                    let mut facts = self.facts_with(&part, *coefficient);
                    if facts.any(|fact| eliminate(&fact.times(&factor))) {
                        return true;
                    }
                }
            }
        }
        // A value that is ≥ 0 may simply go when it counts upwards.
        if *coefficient > 0 && monomial.iter().all(|value| self.is_not_negative(*value)) {
            return self.search(func, &form.without(monomial), depth - 1, budget);
        }
        let occurrences = |value| form.monomials().filter(|monomial| monomial.contains(value)).count();
        if let [value] = &monomial[..]
            && occurrences(value) == 1
        {
            // Nothing else helps: every value is an `i64`. In a product beside, the other extreme may be worse.
            let extreme = if *coefficient > 0 { LEAST } else { GREATEST };
            let next = form.substitute(*value, &Form::constant(extreme));
            if self.search(func, &next, depth - 1, budget) {
                return true;
            }
        }
        false
    }

    fn obviously_not_negative(&self, form: &Form) -> bool {
        form.terms().iter().all(|(monomial, coefficient)| {
            *coefficient >= 0 && monomial.iter().all(|value| self.is_not_negative(*value))
        })
    }

    fn is_not_negative(&self, value: Value) -> bool {
        let monomial = Monomial::single(value);
        let facts = self.index.get(&monomial).map_or(&[][..], Vec::as_slice);
        facts.iter().any(|number| {
            let fact = &self.facts[*number];
            let constant = fact.free_term();
            let others = fact.terms().len() - usize::from(constant != 0);
            others == 1 && fact.coefficient(&monomial) > 0 && constant <= 0
        })
    }

    /// Facts that have the monomial with the sign of `coefficient`.
    fn facts_with(&self, monomial: &Monomial, coefficient: i128) -> impl Iterator<Item = &Form> {
        let monomial = *monomial;
        let numbers = self.index.get(&monomial).map_or(&[][..], Vec::as_slice);
        let facts = numbers.iter().map(|number| &self.facts[*number]);
        facts.filter(move |fact| fact.coefficient(&monomial).signum() == coefficient.signum())
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
}

/// Values as the product of them.
fn product_of(values: &[Value]) -> Form {
    values.iter().fold(Form::constant(1), |product, value| product.times(&Form::atom(*value)))
}
