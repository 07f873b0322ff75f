//! Typing of array-level operations.

use super::walk::Checker;
use crate::entity::Value;
use crate::module::OpData;
use crate::op::ReduceKind;
use crate::types::{Scalar, Type};

impl<'a> Checker<'a, '_> {
    /// The domain of an operation: its leading operands are sizes. False when there are too few.
    fn domain(&mut self, data: &OpData, rank: u32, least: u32) -> bool {
        if rank < least {
            self.report(format!("has rank {rank}, needs at least {least}"));
            return false;
        }
        if !self.at_least(data, rank as usize) {
            return false;
        }
        self.all_i64("size", &data.args[..rank as usize]);
        true
    }

    /// The types of values, all of which are scalars; reports those that are not.
    fn scalars(&mut self, what: &str, values: &[Value]) -> Option<Vec<&'a Type>> {
        let types: Vec<&Type> = values.iter().map(|value| self.ty(*value)).collect();
        let odd = values.iter().zip(&types).find(|(_, ty)| ty.as_scalar().is_none());
        if let Some((value, ty)) = odd {
            let shown = self.show_type(ty);
            self.report(format!("{what} {} has type {shown}, expected a scalar", self.show(*value)));
            return None;
        }
        Some(types)
    }

    pub(super) fn build(&mut self, data: &OpData, rank: u32) {
        if !self.counts(data, Some(rank as usize), 1, data.results.len()) || !self.domain(data, rank, 1) {
            return;
        }
        let body = data.regions[0];
        self.params(body, rank as usize, &[]);
        let Some(values) = self.yielded(body) else { return };
        if !self.count("yielded value", values.len(), data.results.len()) {
            return;
        }
        for (value, result) in values.iter().zip(&data.results) {
            let ty = self.ty(*value);
            let sizes = data.args.iter().chain(ty.sizes()).copied().collect();
            self.has_type("result", *result, &Type::Array(ty.element(), sizes));
        }
    }

    /// The sizes of an array operand; reports when it is none.
    fn array(&mut self, value: Value) -> Option<(Scalar, &'a [Value])> {
        match self.ty(value) {
            Type::Array(elem, sizes) => Some((*elem, sizes)),
            ty @ (Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..)) => {
                let shown = self.show_type(ty);
                self.report(format!("{} has type {shown}, expected an array", self.show(value)));
                None
            }
        }
    }

    pub(super) fn index(&mut self, data: &OpData) {
        if !self.counts(data, None, 0, 1) || !self.at_least(data, 1) {
            return;
        }
        let Some((elem, sizes)) = self.array(data.args[0]) else { return };
        self.count("subscript", data.args.len() - 1, sizes.len());
        self.all_i64("subscript", &data.args[1..]);
        self.has_type("result", data.results[0], &Type::Scalar(elem));
    }

    /// Whether a kind of reduction takes this type; reports if not.
    fn kind_takes(&mut self, kind: ReduceKind, ty: &Type) {
        let elem = ty.element();
        let fits = match kind {
            ReduceKind::Sum | ReduceKind::Prod | ReduceKind::Min | ReduceKind::Max => elem != Scalar::Bool,
            ReduceKind::Any | ReduceKind::All => elem == Scalar::Bool,
            ReduceKind::Combine(_) => true,
        };
        if !fits {
            self.report(format!("this reduction does not take {elem}"));
        }
    }

    /// How many regions a reduction has.
    fn n_regions(kind: ReduceKind) -> usize {
        if matches!(kind, ReduceKind::Combine(_)) { 2 } else { 1 }
    }

    pub(super) fn reduce(&mut self, data: &OpData, kind: ReduceKind, masked: bool) {
        let is_region = matches!(kind, ReduceKind::Combine(_));
        let n_results = if is_region { data.results.len() } else { 1 };
        let n_args = if is_region { 1 + n_results } else { 1 };
        if !self.counts(data, Some(n_args), Self::n_regions(kind), n_results) || !self.domain(data, 1, 1) {
            return;
        }
        if n_results == 0 {
            self.report("a reduction needs a result");
        }
        let Some(types) = self.scalars("result", &data.results) else { return };
        for ty in &types {
            self.kind_takes(kind, ty);
        }
        for (value, ty) in data.args[1..].iter().zip(&types) {
            self.has_type("empty value", *value, ty);
        }
        self.params(data.regions[0], 1, &[]);
        self.yields(data.regions[0], &with_mask(masked, &[], &types));
        if let Some(region) = data.regions.get(1) {
            self.combining(*region, &types);
        }
    }

    pub(super) fn dot(&mut self, data: &OpData, rank: u32) {
        if !self.counts(data, Some(rank as usize), 1, 1) || !self.domain(data, rank, 1) {
            return;
        }
        let ty = self.ty(data.results[0]);
        match ty.as_scalar() {
            Some(Scalar::Bool | Scalar::F16 | Scalar::Bf16) | None => {
                self.report(format!("gives f32, f64 or integers, not {}", self.show_type(ty)));
            }
            Some(
                Scalar::I8
                | Scalar::I16
                | Scalar::I32
                | Scalar::I64
                | Scalar::U8
                | Scalar::U16
                | Scalar::U32
                | Scalar::U64
                | Scalar::F32
                | Scalar::F64,
            ) => {}
        }
        self.params(data.regions[0], rank as usize, &[]);
        self.yields(data.regions[0], &[ty, ty]);
    }

    pub(super) fn dot_by(&mut self, data: &OpData, rank: u32) {
        let n_results = data.results.len();
        let n_args = (rank as usize).saturating_add(n_results);
        if !self.counts(data, Some(n_args), 3, n_results) || !self.domain(data, rank, 1) {
            return;
        }
        let Some(types) = self.scalars("result", &data.results) else { return };
        for (value, ty) in data.args[rank as usize..].iter().zip(&types) {
            self.has_type("zero", *value, ty);
        }
        self.params(data.regions[0], rank as usize, &[]);
        let Some(elements) = self.yielded(data.regions[0]) else { return };
        let Some(elements) = self.scalars("element", elements) else { return };
        let step: Vec<&Type> = types.iter().chain(&elements).copied().collect();
        self.params(data.regions[1], 0, &step);
        self.yields(data.regions[1], &types);
        self.combining(data.regions[2], &types);
    }

    pub(super) fn scan(&mut self, data: &OpData) {
        let n_results = data.results.len();
        if !self.counts(data, Some(1 + n_results), 2, n_results) || !self.domain(data, 1, 1) {
            return;
        }
        let Some(types) = self.scalars("initial value", &data.args[1..]) else { return };
        for (value, ty) in data.results.iter().zip(&types) {
            self.has_type("result", *value, &Type::Array(ty.element(), vec![data.args[0]]));
        }
        self.params(data.regions[0], 1, &[]);
        self.yields(data.regions[0], &types);
        self.combining(data.regions[1], &types);
    }

    pub(super) fn scatter(&mut self, data: &OpData, kind: ReduceKind, rank: u32, masked: bool) {
        let n_results = data.results.len();
        let counts = self.counts(data, Some(1 + n_results), Self::n_regions(kind), n_results);
        if !counts || !self.domain(data, 1, 1) {
            return;
        }
        if n_results == 0 || (n_results > 1 && !matches!(kind, ReduceKind::Combine(_))) {
            return self.report("needs one destination, or several and a combining region");
        }
        let mut elements = Vec::new();
        let mut sizes: Option<&[Value]> = None;
        for (dest, result) in data.args[1..].iter().zip(&data.results) {
            let Some((elem, own)) = self.array(*dest) else { return };
            if !self.count("dimension", own.len(), rank as usize) {
                return;
            }
            if sizes.is_some_and(|first| first != own) {
                self.report("the destinations have different sizes");
            }
            sizes = Some(own);
            self.alike(*dest, *result);
            self.kind_takes(kind, &Type::Scalar(elem));
            elements.push(Type::Scalar(elem));
        }
        let types: Vec<&Type> = elements.iter().collect();
        self.params(data.regions[0], 1, &[]);
        let subscripts = vec![&Type::I64; rank as usize];
        self.yields(data.regions[0], &with_mask(masked, &subscripts, &types));
        if let Some(region) = data.regions.get(1) {
            self.combining(*region, &types);
        }
    }

    pub(super) fn update(&mut self, data: &OpData, rank: u32, masked: bool) {
        let n_args = (rank as usize).saturating_add(1);
        if !self.counts(data, Some(n_args), 1, 1) {
            return;
        }
        self.all_i64("size", &data.args[1..]);
        let Some((elem, sizes)) = self.array(data.args[0]) else { return };
        self.alike(data.args[0], data.results[0]);
        self.params(data.regions[0], rank as usize, &[]);
        let subscripts = vec![&Type::I64; sizes.len()];
        self.yields(data.regions[0], &with_mask(masked, &subscripts, &[&Type::Scalar(elem)]));
    }

    pub(super) fn reshape(&mut self, data: &OpData) {
        if !self.counts(data, None, 0, 1) || !self.at_least(data, 2) {
            return;
        }
        let Some((elem, _)) = self.array(data.args[0]) else { return };
        self.all_i64("size", &data.args[1..]);
        self.has_type("result", data.results[0], &Type::Array(elem, data.args[1..].to_vec()));
    }

    pub(super) fn resize(&mut self, data: &OpData) {
        self.reshape(data);
        if let Some((first, sizes)) = data.args.split_first() {
            let rank = self.ty(*first).sizes().len();
            self.count("size", sizes.len(), rank);
        }
    }
}

/// What a region yields: whether an element is there, its subscripts, its values.
fn with_mask<'t>(masked: bool, subscripts: &[&'t Type], values: &[&'t Type]) -> Vec<&'t Type> {
    static PRESENT: Type = Type::BOOL;
    let mask = masked.then_some(&PRESENT);
    mask.into_iter().chain(subscripts.iter().copied()).chain(values.iter().copied()).collect()
}
