//! What the typing rules share: counts, types under a renaming of sizes, and lists of values bound to
//! lists of types.

use super::walk::Checker;
use crate::entity::{Block, Value};
use crate::module::OpData;
use crate::op::Opcode;
use crate::types::Type;

/// What the values of a pattern stand for, in a type that names them.
pub(super) type Renaming = Vec<(Value, Value)>;

/// Whether a type is the expected one after renaming.
pub(super) fn same_type(found: &Type, expected: &Type, renaming: &[(Value, Value)]) -> bool {
    match (found, expected) {
        (Type::Array(elem, sizes), Type::Array(wanted, names)) => {
            elem == wanted
                && sizes.len() == names.len()
                && sizes.iter().zip(names).all(|(size, name)| *size == renamed(*name, renaming))
        }
        (Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) | Type::Array(..), _) => found == expected,
    }
}

fn renamed(name: Value, renaming: &[(Value, Value)]) -> Value {
    renaming.iter().find(|(from, _)| *from == name).map_or(name, |(_, to)| *to)
}

impl<'a> Checker<'a, '_> {
    /// Whether an operation has so many operands (`None`: any), regions and results; reports if not.
    pub(super) fn counts(
        &mut self,
        data: &OpData,
        args: Option<usize>,
        regions: usize,
        results: usize,
    ) -> bool {
        let n_args = args.unwrap_or(data.args.len());
        self.count("operand", data.args.len(), n_args)
            & self.count("region", data.regions.len(), regions)
            & self.count("result", data.results.len(), results)
    }

    /// Whether a count is right; reports if not.
    pub(super) fn count(&mut self, what: &str, found: usize, wanted: usize) -> bool {
        if found != wanted {
            let plural = if wanted == 1 { "" } else { "s" };
            self.report(format!("needs {wanted} {what}{plural}, has {found}"));
        }
        found == wanted
    }

    /// Whether an operation has at least so many operands; reports if not.
    pub(super) fn at_least(&mut self, data: &OpData, wanted: usize) -> bool {
        let found = data.args.len();
        if found < wanted {
            self.report(format!("needs at least {wanted} operands, has {found}"));
        }
        found >= wanted
    }

    /// Whether a value has a type; reports if not.
    pub(super) fn has_type(&mut self, what: &str, value: Value, expected: &Type) -> bool {
        self.has_type_renamed(what, value, expected, &[])
    }

    pub(super) fn has_type_renamed(
        &mut self,
        what: &str,
        value: Value,
        expected: &Type,
        renaming: &[(Value, Value)],
    ) -> bool {
        let found = self.ty(value);
        let same = same_type(found, expected, renaming);
        if !same {
            let wanted = match expected {
                Type::Array(elem, sizes) => {
                    Type::Array(*elem, sizes.iter().map(|size| renamed(*size, renaming)).collect())
                }
                Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => expected.clone(),
            };
            let (shown, wanted) = (self.show_type(found), self.show_type(&wanted));
            self.report(format!("{what} {} has type {shown}, expected {wanted}", self.show(value)));
        }
        same
    }

    /// All these values are `i64`.
    pub(super) fn all_i64(&mut self, what: &str, values: &[Value]) {
        for value in values {
            self.has_type(what, *value, &Type::I64);
        }
    }

    /// Values stand for a pattern of values: type by type, where later types name earlier values.
    pub(super) fn bind(&mut self, what: &str, values: &[Value], pattern: &[Value]) {
        if !self.count(what, values.len(), pattern.len()) {
            return;
        }
        let mut renaming = Renaming::new();
        for (value, name) in values.iter().zip(pattern) {
            let expected = self.ty(*name);
            self.has_type_renamed(what, *value, expected, &renaming);
            renaming.push((*name, *value));
        }
    }

    /// A region's parameters: so many `i64` subscripts, then values of these types.
    pub(super) fn params(&mut self, region: Block, n_subscripts: usize, rest: &[&Type]) -> bool {
        let params = &self.func.blocks[region].params;
        if !self.count("region parameter", params.len(), n_subscripts + rest.len()) {
            return false;
        }
        let (subscripts, values) = params.split_at(n_subscripts);
        self.all_i64("region parameter", subscripts);
        for (value, ty) in values.iter().zip(rest) {
            self.has_type("region parameter", *value, ty);
        }
        true
    }

    /// The values a region ends with, when it ends with `yield` and they are values.
    pub(super) fn yielded(&self, region: Block) -> Option<&'a [Value]> {
        let op = self.func.ops.get(*self.func.blocks[region].ops.last()?)?;
        let usable = matches!(op.opcode, Opcode::Yield)
            && op.args.iter().all(|value| self.func.values.is_valid(*value));
        usable.then_some(&op.args)
    }

    /// The region yields values of exactly these types.
    pub(super) fn yields(&mut self, region: Block, types: &[&Type]) {
        let Some(values) = self.yielded(region) else { return };
        if self.count("yielded value", values.len(), types.len()) {
            for (value, ty) in values.iter().zip(types) {
                self.has_type("yielded value", *value, ty);
            }
        }
    }

    /// A region that combines two tuples of values of these types into one.
    pub(super) fn combining(&mut self, region: Block, types: &[&Type]) {
        let twice: Vec<&Type> = types.iter().chain(types).copied().collect();
        self.params(region, 0, &twice);
        self.yields(region, types);
    }
}
