//! Combining partial results, and the trees of reductions (`docs/semantics.md`, "Reductions have one order").
//! Elements come one at a time and may be absent at their place.

use crate::machine::Machine;
use crate::program::{Combiner, RegionCombiner, Tree};
use crate::value::Run;
use we3_ir::eval as scalar;

/// Elements of a block of the lanes order.
const BLOCK: usize = 4096;
/// Lanes of a block.
const LANES: usize = 64;

impl Machine<'_> {
    /// `left = left ⊕ right`.
    pub(crate) fn combine(&mut self, combiner: &Combiner, left: &mut [u64], right: &[u64]) -> Run<()> {
        match combiner {
            Combiner::Op { op, ty, .. } => {
                if let ([left], [right]) = (left, right) {
                    *left = scalar::binary(*op, *ty, *left, *right);
                }
                Ok(())
            }
            Combiner::Region(region) => self.combine_by(region, left, right),
        }
    }

    pub(crate) fn combine_by(&mut self, region: &RegionCombiner, left: &mut [u64], right: &[u64]) -> Run<()> {
        self.set_all(&region.left, left);
        self.set_all(&region.right, right);
        self.run_region(region.block)?;
        for (value, slot) in left.iter_mut().zip(&region.results) {
            *value = self.get(*slot);
        }
        Ok(())
    }
}

/// A reduction under way: elements go in, in order; the total comes out.
pub(crate) enum Reducer<'c> {
    Fold(Fold<'c>),
    Lanes(Lanes<'c>),
    Pairs(Pairs<'c>),
}

impl<'c> Reducer<'c> {
    /// Nothing yet. `width` is the number of components of an element.
    pub(crate) fn new(combiner: &'c Combiner, tree: Tree, width: usize) -> Reducer<'c> {
        match tree {
            Tree::Fold => Reducer::Fold(Fold { combiner, total: identity(combiner), seen: false }),
            Tree::Lanes => Reducer::Lanes(Lanes { combiner, width, blocks: Vec::new(), seen: false }),
            Tree::Pairs => Reducer::Pairs(Pairs { combiner, pending: Vec::new() }),
        }
    }

    /// The next element; `None`: absent at this place.
    pub(crate) fn push(&mut self, machine: &mut Machine<'_>, element: Option<&[u64]>) -> Run<()> {
        match self {
            Reducer::Fold(fold) => fold.push(machine, element),
            Reducer::Lanes(lanes) => lanes.push(machine, element),
            Reducer::Pairs(pairs) => pairs.push(machine, element),
        }
    }

    /// The total, or `None` when no element was there.
    pub(crate) fn finish(self, machine: &mut Machine<'_>) -> Run<Option<Vec<u64>>> {
        match self {
            Reducer::Fold(fold) => Ok(fold.total.filter(|_| fold.seen)),
            Reducer::Lanes(lanes) => lanes.finish(machine),
            Reducer::Pairs(pairs) => pairs.finish(machine),
        }
    }
}

/// The neutral element to start from, where there is one.
fn identity(combiner: &Combiner) -> Option<Vec<u64>> {
    match combiner {
        Combiner::Op { identity, .. } => Some(vec![*identity]),
        Combiner::Region(_) => None,
    }
}

/// `left ⊕ right`, where either may be absent.
fn join(
    machine: &mut Machine<'_>,
    combiner: &Combiner,
    left: Option<Vec<u64>>,
    right: Option<Vec<u64>>,
) -> Run<Option<Vec<u64>>> {
    match (left, right) {
        (Some(mut left), Some(right)) => {
            machine.combine(combiner, &mut left, &right)?;
            Ok(Some(left))
        }
        (left, right) => Ok(left.or(right)),
    }
}

/// One after the other.
pub(crate) struct Fold<'c> {
    combiner: &'c Combiner,
    total: Option<Vec<u64>>,
    seen: bool,
}

impl Fold<'_> {
    fn push(&mut self, machine: &mut Machine<'_>, element: Option<&[u64]>) -> Run<()> {
        let Some(element) = element else { return Ok(()) };
        self.seen = true;
        match &mut self.total {
            Some(total) => machine.combine(self.combiner, total, element),
            None => {
                self.total = Some(element.to_vec());
                Ok(())
            }
        }
    }
}

/// 64 lanes in blocks of 4096; the results of blocks go the same way.
pub(crate) struct Lanes<'c> {
    combiner: &'c Combiner,
    width: usize,
    /// The block being filled, of the elements, of the results of their blocks, and so on.
    blocks: Vec<LaneBlock>,
    seen: bool,
}

struct LaneBlock {
    /// Lane by lane, each of `width` values.
    lanes: Vec<u64>,
    present: [bool; LANES],
    filled: usize,
}

impl Lanes<'_> {
    fn empty_block(&self) -> LaneBlock {
        match identity(self.combiner) {
            Some(value) => LaneBlock { lanes: value.repeat(LANES), present: [true; LANES], filled: 0 },
            None => LaneBlock { lanes: vec![0; LANES * self.width], present: [false; LANES], filled: 0 },
        }
    }

    fn push(&mut self, machine: &mut Machine<'_>, element: Option<&[u64]>) -> Run<()> {
        self.seen |= element.is_some();
        self.push_at(machine, 0, element)
    }

    fn push_at(&mut self, machine: &mut Machine<'_>, level: usize, element: Option<&[u64]>) -> Run<()> {
        if level == self.blocks.len() {
            self.blocks.push(self.empty_block());
        }
        if self.blocks[level].filled == BLOCK {
            let fresh = self.empty_block();
            let full = std::mem::replace(&mut self.blocks[level], fresh);
            let result = self.close(machine, full)?;
            self.push_at(machine, level + 1, result.as_deref())?;
        }
        let (combiner, width) = (self.combiner, self.width);
        let block = &mut self.blocks[level];
        let lane = block.filled % LANES;
        block.filled += 1;
        let Some(element) = element else { return Ok(()) };
        let place = &mut block.lanes[lane * width..(lane + 1) * width];
        if block.present[lane] {
            machine.combine(combiner, place, element)
        } else {
            block.present[lane] = true;
            place.copy_from_slice(element);
            Ok(())
        }
    }

    /// The halving tree over the lanes of a block.
    fn close(&self, machine: &mut Machine<'_>, mut block: LaneBlock) -> Run<Option<Vec<u64>>> {
        let mut half = LANES / 2;
        while half > 0 {
            for lane in 0..half {
                let (low, high) = block.lanes.split_at_mut((lane + half) * self.width);
                let left = &mut low[lane * self.width..(lane + 1) * self.width];
                let right = &high[..self.width];
                match (block.present[lane], block.present[lane + half]) {
                    (true, true) => machine.combine(self.combiner, left, right)?,
                    (false, true) => left.copy_from_slice(right),
                    (true | false, false) => {}
                }
                block.present[lane] |= block.present[lane + half];
            }
            half /= 2;
        }
        Ok(block.present[0].then(|| block.lanes[..self.width].to_vec()))
    }

    fn finish(mut self, machine: &mut Machine<'_>) -> Run<Option<Vec<u64>>> {
        let mut result = None;
        let mut level = 0;
        while level < self.blocks.len() {
            if level > 0 {
                self.push_at(machine, level, result.as_deref())?;
            }
            let spent = self.empty_block();
            let block = std::mem::replace(&mut self.blocks[level], spent);
            result = self.close(machine, block)?;
            level += 1;
        }
        Ok(result.filter(|_| self.seen))
    }
}

/// Adjacent pairs, level by level, as a binary counter of finished subtrees.
pub(crate) struct Pairs<'c> {
    combiner: &'c Combiner,
    /// For each level, the subtree that waits for its right neighbour.
    pending: Vec<Pending>,
}

enum Pending {
    Empty,
    /// A subtree, absent when none of its elements was there.
    Waiting(Option<Vec<u64>>),
}

impl Pairs<'_> {
    fn push(&mut self, machine: &mut Machine<'_>, element: Option<&[u64]>) -> Run<()> {
        let mut tree = element.map(<[u64]>::to_vec);
        for place in &mut self.pending {
            match std::mem::replace(place, Pending::Empty) {
                Pending::Empty => {
                    *place = Pending::Waiting(tree);
                    return Ok(());
                }
                Pending::Waiting(left) => tree = join(machine, self.combiner, left, tree)?,
            }
        }
        self.pending.push(Pending::Waiting(tree));
        Ok(())
    }

    fn finish(self, machine: &mut Machine<'_>) -> Run<Option<Vec<u64>>> {
        // What is missing on the right of a subtree is absent.
        let mut tree = None;
        for place in self.pending {
            if let Pending::Waiting(left) = place {
                tree = join(machine, self.combiner, left, tree)?;
            }
        }
        Ok(tree)
    }
}
