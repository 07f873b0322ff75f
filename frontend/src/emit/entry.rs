//! The order in which hosts pass and receive leaves, and how leaves of records lie in memory.

use std::collections::BTreeMap;

use we3_ir::{EntryAbi, Scalar};

use crate::typed::{Entry, HostType, Program};

/// What the emitter must know to make an entry.
pub struct HostSignature {
    /// For each parameter of the wrapper, the rank of its array type (0: no array).
    pub param_ranks: Vec<usize>,
    /// For each group of result leaves: rank, number of leaves.
    pub result_groups: Vec<(usize, usize)>,
    /// Element strides of all IR parameters and results.
    pub abi: EntryAbi,
}

/// The host signatures of all entries, tests and benches, by function.
pub fn host_signatures(program: &Program) -> BTreeMap<usize, HostSignature> {
    let tests = program.tests.iter().map(|test| &test.entry);
    let benches = program.benches.iter().map(|bench| &bench.entry);
    let all = program.entries.iter().chain(tests).chain(benches);
    all.map(|entry| (entry.func.0 as usize, signature(entry))).collect()
}

fn signature(entry: &Entry) -> HostSignature {
    let mut signature =
        HostSignature { param_ranks: Vec::new(), result_groups: Vec::new(), abi: EntryAbi::default() };
    for param in &entry.params {
        let mut groups = Vec::new();
        groups_of(&param.ty, &mut groups, &mut signature.abi.param_strides);
        signature.param_ranks.extend(groups.iter().map(|(rank, _)| *rank));
    }
    groups_of(&entry.result, &mut signature.result_groups, &mut signature.abi.result_strides);
    signature
}

/// Whether an array occurs in a type.
fn holds_arrays(ty: &HostType) -> bool {
    match ty {
        HostType::Scalar(_) => false,
        HostType::Array { .. } => true,
        HostType::Tuple(parts) => parts.iter().any(holds_arrays),
        HostType::Record { fields, .. } => fields.iter().any(|field| holds_arrays(&field.ty)),
    }
}

/// Groups of leaves, one per wrapper parameter, and the stride of every IR value.
fn groups_of(ty: &HostType, groups: &mut Vec<(usize, usize)>, strides: &mut Vec<u32>) {
    match ty {
        HostType::Array { elem, sizes } => {
            strides.extend(sizes.iter().map(|_| 1));
            let layout = Layout::of(elem);
            strides.extend(layout.leaves.iter().map(|(scalar, _)| layout.size / scalar.bytes()));
            groups.push((sizes.len(), layout.leaves.len()));
        }
        HostType::Scalar(_) | HostType::Tuple(_) | HostType::Record { .. } if !holds_arrays(ty) => {
            let count = Layout::of(ty).leaves.len();
            strides.extend((0..count).map(|_| 1));
            groups.push((0, count));
        }
        HostType::Scalar(_) => {}
        HostType::Tuple(parts) => parts.iter().for_each(|part| groups_of(part, groups, strides)),
        HostType::Record { fields, .. } => {
            fields.iter().for_each(|field| groups_of(&field.ty, groups, strides));
        }
    }
}

/// C layout of an element type.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Size in bytes, a multiple of the alignment.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
    /// Leaves with their byte offsets.
    pub leaves: Vec<(Scalar, u32)>,
}

impl Layout {
    /// The layout of a type without arrays.
    pub fn of(ty: &HostType) -> Layout {
        let mut layout = Layout { size: 0, align: 1, leaves: Vec::new() };
        match ty {
            HostType::Scalar(scalar) => layout.push_scalar(*scalar),
            HostType::Tuple(parts) => parts.iter().for_each(|part| layout.push(Layout::of(part))),
            HostType::Record { fields, .. } => {
                fields.iter().for_each(|field| layout.push(Layout::of(&field.ty)));
            }
            HostType::Array { .. } => {}
        }
        layout.size = layout.size.next_multiple_of(layout.align);
        layout
    }

    fn push_scalar(&mut self, scalar: Scalar) {
        self.leaves.push((scalar, 0));
        self.size = scalar.bytes();
        self.align = scalar.bytes();
    }

    fn push(&mut self, part: Layout) {
        let offset = self.size.next_multiple_of(part.align);
        self.leaves.extend(part.leaves.iter().map(|(scalar, inner)| (*scalar, offset + inner)));
        self.size = offset + part.size;
        self.align = self.align.max(part.align);
    }
}
