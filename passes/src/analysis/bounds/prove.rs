//! The prover: searches for a sum of facts that shows a form to be ≥ 0.

use we3_ir::{BinaryOp, Func, Opcode, Value};

use super::{BUDGET, Bounds, DEPTH, GREATEST, LEAST};
use crate::analysis::forms::{Form, Forms, Monomial};

impl Bounds {
    /// Whether the form is surely ≥ 0.
    pub(super) fn prove(&mut self, func: &Func, form: &Form) -> bool {
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
        let occurrences = |value| form.terms.keys().filter(|monomial| monomial.contains(value)).count();
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
}
