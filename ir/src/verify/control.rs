//! Typing of control flow, calls and terminators, at both levels.

use super::levels::lanes_allowed;
use super::shapes::same_type;
use super::walk::{Checker, Enclosing};
use crate::entity::{Block, FuncId, Op, Value};
use crate::module::OpData;
use crate::op::{ForKind, Opcode};
use crate::types::Type;

impl<'a> Checker<'a, '_> {
    pub(super) fn if_else(&mut self, data: &OpData) {
        if !self.counts(data, Some(1), 2, data.results.len()) {
            return;
        }
        self.has_type("condition", data.args[0], &Type::BOOL);
        for region in &data.regions {
            self.params(*region, 0, &[]);
            self.region_gives(*region, &data.results);
        }
    }

    /// The region yields what the results of its operation ask for.
    fn region_gives(&mut self, region: Block, results: &[Value]) {
        if let Some(values) = self.yielded(region) {
            self.bind("yielded value", values, results);
        }
    }

    pub(super) fn while_loop(&mut self, data: &OpData) {
        if !self.counts(data, Some(data.results.len()), 2, data.results.len()) {
            return;
        }
        self.bind("initial value", &data.args, &data.results);
        let [cond, body] = data.regions[..] else { return };
        for region in [cond, body] {
            self.bind("region parameter", &self.func.blocks[region].params, &data.results);
        }
        self.yields(cond, &[&Type::BOOL]);
        self.region_gives(body, &data.results);
    }

    /// `loop` and `for`: so many `i64` operands, then carried values; one subscript in the body.
    pub(super) fn counted_loop(&mut self, data: &OpData, n_bounds: usize) {
        if !self.counts(data, Some(n_bounds + data.results.len()), 1, data.results.len()) {
            return;
        }
        let (bounds, init) = data.args.split_at(n_bounds);
        self.all_i64("bound", bounds);
        self.bind("initial value", init, &data.results);
        let body = data.regions[0];
        match self.func.blocks[body].params.split_first() {
            Some((subscript, carried)) => {
                self.has_type("region parameter", *subscript, &Type::I64);
                self.bind("carried parameter", carried, &data.results);
            }
            None => self.report("the body needs a parameter for the iteration"),
        }
        self.region_gives(body, &data.results);
    }

    pub(super) fn for_loop(&mut self, data: &OpData, kind: ForKind) {
        self.counted_loop(data, 3);
        if kind != ForKind::Serial && !data.results.is_empty() {
            self.report("iterations that may run in any order carry nothing");
        }
        if let ForKind::Lanes(lanes) = kind
            && !lanes_allowed(usize::from(lanes))
        {
            self.report("a vector has 2, 4, 8, 16, 32 or 64 lanes");
        }
    }

    pub(super) fn block_op(&mut self, data: &OpData) {
        if self.counts(data, Some(0), 1, data.results.len()) {
            self.params(data.regions[0], 0, &[]);
            self.region_gives(data.regions[0], &data.results);
        }
    }

    pub(super) fn forever(&mut self, data: &OpData) {
        if self.counts(data, None, 1, data.results.len()) {
            let params = &self.func.blocks[data.regions[0]].params;
            self.bind("initial value", &data.args, params);
            self.region_gives(data.regions[0], params);
        }
    }

    pub(super) fn check(&mut self, data: &OpData) {
        if !self.counts(data, None, 0, 0) || !self.at_least(data, 1) {
            return;
        }
        self.has_type("condition", data.args[0], &Type::BOOL);
        for note in &data.args[1..] {
            if self.ty(*note).as_scalar().is_none() {
                self.report(format!("note {} is no scalar", self.show(*note)));
            }
        }
    }

    pub(super) fn call(&mut self, data: &OpData, callee: FuncId) {
        let Some(target) = self.module.funcs.get(callee) else {
            return self.report("calls a function that does not exist");
        };
        let Some(body) = target.blocks.get(target.body) else { return };
        if !self.counts(data, Some(body.params.len()), 0, target.results.len()) {
            return;
        }
        let mut renaming = Vec::new();
        for (argument, param) in data.args.iter().zip(&body.params) {
            if let Some(declared) = target.values.get(*param) {
                self.crosses("argument", *argument, &declared.ty, &renaming);
            }
            renaming.push((*param, *argument));
        }
        for (number, (result, ty)) in data.results.iter().zip(&target.results).enumerate() {
            self.crosses("result", *result, ty, &renaming);
            if let Some(reference) = target.result_refs.get(number).copied().flatten() {
                renaming.push((reference, *result));
            }
        }
    }

    /// A value has a type of another function, whose sizes must all have been renamed.
    fn crosses(&mut self, what: &str, value: Value, declared: &Type, renaming: &[(Value, Value)]) {
        let known = declared.sizes().iter().all(|size| renaming.iter().any(|(from, _)| from == size));
        if !known {
            // The callee's own signature is at fault and reported there.
            return;
        }
        self.has_type_renamed(what, value, declared, renaming);
    }

    pub(super) fn yield_op(&mut self, data: &OpData, block: Block) {
        self.counts(data, None, 0, 0);
        if block == self.func.body {
            self.report("a function's body ends with `return`");
        }
    }

    pub(super) fn return_op(&mut self, data: &OpData, block: Block) {
        if block != self.func.body {
            self.report("`return` ends a function's body, not a region");
        }
        let types = &self.func.results;
        if !self.counts(data, Some(types.len()), 0, 0) {
            return;
        }
        let mut renaming = Vec::new();
        for (number, (value, ty)) in data.args.iter().zip(types).enumerate() {
            self.has_type_renamed("returned value", *value, ty, &renaming);
            if let Some(reference) = self.func.result_refs.get(number).copied().flatten() {
                renaming.push((reference, *value));
            }
        }
    }

    /// The `block` or `forever` that a jump leads to.
    fn target(&mut self, levels: u32) -> Option<(Op, &'a OpData)> {
        let mut left = levels;
        for enclosing in self.enclosing.iter().rev() {
            match enclosing {
                Enclosing::Wall => {
                    self.report("a jump may not leave a parallel loop");
                    return None;
                }
                Enclosing::Target(op) if left == 0 => return Some((*op, self.func.ops.get(*op)?)),
                Enclosing::Target(_) => left -= 1,
            }
        }
        self.report("there are not so many `block` and `forever` around this jump");
        None
    }

    pub(super) fn break_op(&mut self, data: &OpData, levels: u32) {
        self.counts(data, None, 0, 0);
        let Some((_, target)) = self.target(levels) else { return };
        if target.results.iter().all(|value| self.func.values.is_valid(*value)) {
            self.bind("jump value", &data.args, &target.results);
        }
    }

    pub(super) fn continue_op(&mut self, data: &OpData, levels: u32) {
        self.counts(data, None, 0, 0);
        let Some((_, target)) = self.target(levels) else { return };
        if !matches!(target.opcode, Opcode::Forever) {
            return self.report("`continue` leads to a `forever`, not to a `block`");
        }
        let body = target.regions.first().and_then(|region| self.func.blocks.get(*region));
        let params = body.map_or(&[][..], |body| &body.params);
        if params.iter().all(|value| self.func.values.is_valid(*value)) {
            self.bind("jump value", &data.args, params);
        }
    }

    /// Whether two values have the same type; used where neither is the model for the other.
    pub(super) fn alike(&mut self, left: Value, right: Value) -> bool {
        let same = same_type(self.ty(left), self.ty(right), &[]);
        if !same {
            let (first, second) = (self.show_type(self.ty(left)), self.show_type(self.ty(right)));
            self.report(format!("types {first} and {second} differ"));
        }
        same
    }
}
