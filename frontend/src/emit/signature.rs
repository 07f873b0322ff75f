//! The IR signature of a function of the tree. IR array types name size *values*, so computed sizes
//! travel as extra `i64` parameters and results:
//! parameters are `sizes`, one per other size that a parameter type names, then the leaves;
//! results are the `?k` sizes, one per other size that the result type computes, then the leaves.

use super::value::{Leaf, leaves_of};
use crate::typed::{Atom, Func, Local, Program, Size};

/// What a caller and the function itself must agree on.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Sizes of parameter types that are no size parameter, each an extra `i64` parameter.
    pub extra: Vec<Size>,
    /// Leaves of each parameter.
    pub params: Vec<Vec<Leaf>>,
    /// Number of `?k` results.
    pub fresh: usize,
    /// Sizes of the result type that are neither parameters nor `?k`, each an extra `i64` result.
    pub computed: Vec<Size>,
    /// Leaves of the result.
    pub results: Vec<Leaf>,
}

/// Where the size of a result comes from.
pub enum ResultSize {
    /// An `i64` parameter of the IR function, by position.
    Param(usize),
    /// An `i64` result of the IR function, by position.
    Result(usize),
}

impl Signature {
    /// The signature of a function.
    pub fn of(program: &Program, func: &Func) -> Signature {
        let ty = |local: &Local| &func.locals[local.0 as usize].ty;
        let params: Vec<Vec<Leaf>> = func.params.iter().map(|param| leaves_of(program, ty(param))).collect();
        let mut extra = Vec::new();
        for size in params.iter().flatten().flat_map(|leaf| &leaf.sizes) {
            if !is_one_of(size, &func.sizes) && !extra.contains(size) {
                extra.push(size.clone());
            }
        }
        let results = leaves_of(program, &func.result);
        let mut computed = Vec::new();
        for size in results.iter().flat_map(|leaf| &leaf.sizes) {
            let known = is_one_of(size, &func.sizes)
                || extra.contains(size)
                || matches!(size.as_atom(), Some(Atom::Fresh(_)))
                || computed.contains(size);
            if !known {
                computed.push(size.clone());
            }
        }
        Signature { extra, params, fresh: func.fresh as usize, computed, results }
    }

    /// Where a size of a result leaf comes from.
    pub fn result_size(&self, func: &Func, size: &Size) -> Option<ResultSize> {
        match size.as_atom() {
            Some(Atom::Fresh(number)) => return Some(ResultSize::Result(*number as usize)),
            Some(Atom::Local(local)) => {
                if let Some(position) = func.sizes.iter().position(|param| param == local) {
                    return Some(ResultSize::Param(position));
                }
            }
            Some(Atom::FloorDiv(..) | Atom::Min(..) | Atom::Max(..) | Atom::Param(_) | Atom::Const(_))
            | None => {}
        }
        if let Some(position) = self.extra.iter().position(|extra| extra == size) {
            return Some(ResultSize::Param(func.sizes.len() + position));
        }
        let position = self.computed.iter().position(|computed| computed == size)?;
        Some(ResultSize::Result(self.fresh + position))
    }
}

fn is_one_of(size: &Size, locals: &[Local]) -> bool {
    matches!(size.as_atom(), Some(Atom::Local(local)) if locals.contains(local))
}
