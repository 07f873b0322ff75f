//! Who owns which buffer. A buffer belongs to one frame (a region being lowered); it is freed after its
//! last use there, or handed over: to the op that updates it in place, to a loop that carries it, to
//! the branches of an `if`, or to whoever receives what a region yields. Inputs, outputs and memory of
//! outer frames are borrowed: never written, never freed here.

use we3_ir::{Opcode, Type, Value};

use super::state::{Array, Dest, Lower, Lowered, RootId};

impl Lower<'_> {
    /// Whether the current frame owns this memory and nothing uses it after the current operation.
    pub(super) fn owned_and_dying(&self, root: RootId) -> bool {
        self.roots[root].owner == self.owner() && !self.used_after(root)
    }

    /// Whether something after the current operation of the current frame uses it.
    pub(super) fn used_after(&self, root: RootId) -> bool {
        let frame = &self.frames[self.frame()];
        let later =
            |value: &Value| self.uses.last(frame.block, *value).is_some_and(|last| last > frame.index);
        self.roots[root].values.iter().any(later)
    }

    /// Whether any name of this memory is used inside the region.
    pub(super) fn used_in_region(&self, root: RootId, region: we3_ir::Block) -> bool {
        self.roots[root].values.iter().any(|value| self.uses.last(region, *value).is_some())
    }

    /// Frees what the current operation used, or made in vain, for the last time.
    pub(super) fn release_dead(&mut self, results: &[Value]) {
        if !self.waits_for_sums() {
            self.release(self.frames[self.frame()].index, results);
        }
    }

    /// Frees what the operation at this position of the current frame used for the last time, and those of its results
    /// that nobody wants.
    pub(super) fn release(&mut self, index: u32, results: &[Value]) {
        let frame = &self.frames[self.frame()];
        let dying = self.uses.dying(frame.block, index);
        let unused = results.iter().filter(|value| self.uses.last(frame.block, **value).is_none());
        let candidates: Vec<Value> = dying.iter().chain(unused).copied().collect();
        for value in candidates {
            if let Lowered::Array(array) = &self.env[value] {
                let root = array.root;
                if self.owned_and_dying(root) {
                    self.roots[root].owner = None;
                    self.free(self.roots[root].buffer);
                }
            }
        }
    }

    /// The memory of an array as something the receiver may write and must free: handed over when
    /// this is the last use, else a copy.
    pub(super) fn take(&mut self, source: Value) -> Value {
        let array = self.array(source);
        if self.owned_and_dying(array.root) && array.step == 1 {
            self.roots[array.root].owner = None;
            return array.buffer;
        }
        self.copy_of(source)
    }

    /// A fresh copy of an array.
    pub(super) fn copy_of(&mut self, source: Value) -> Value {
        self.note_copy(source);
        let sizes = self.sizes(source);
        let count = self.count(&sizes);
        let array = self.array(source);
        let fresh = self.alloc(array.elem, count);
        self.copy_elements(&array, fresh, 1, count);
        fresh
    }

    /// Copies all elements to memory with some distance between elements.
    pub(super) fn copy_elements(&mut self, array: &Array, dest: Value, dest_step: u32, count: Value) {
        if array.step == 1 && dest_step == 1 {
            self.b.append(Opcode::Copy, vec![dest, array.buffer, count], vec![], &[]);
            return;
        }
        let zero = self.i64(0);
        let array = array.clone();
        self.for_each(zero, count, |this, i| {
            let from = this.mul_const(i, i64::from(array.step));
            let value = this.load(array.elem, array.buffer, from);
            let to = this.mul_const(i, i64::from(dest_step));
            this.store(dest, to, value);
        });
    }

    /// The place for a new array: where a hint wants it, else fresh memory of the current frame.
    pub(super) fn place_result(&mut self, source: Value) -> Array {
        let sizes = self.sizes(source);
        let count = self.count(&sizes);
        match self.hints[source].take() {
            Some(hint) => {
                self.mark_delivered(hint.position);
                let (buffer, step) = self.materialise(hint.dest, self.src.ty(source).element(), count);
                if let Some(next) = hint.then.and_then(|value| self.hints[value].as_mut()) {
                    next.dest = Dest::Place { buffer, step };
                }
                self.bind_array(source, buffer, step, None);
            }
            None => {
                let buffer = self.alloc(self.src.ty(source).element(), count);
                self.bind_array(source, buffer, 1, self.owner());
            }
        }
        self.array(source)
    }

    /// What the current frame yields at this position lies where it should.
    pub(super) fn mark_delivered(&mut self, position: Option<usize>) {
        let frame = self.frame();
        if let Some(position) = position {
            self.frames[frame].delivered[position] = true;
        }
    }

    /// Asks for an output if the destination is one.
    pub(super) fn materialise(&mut self, dest: Dest, elem: we3_ir::Scalar, count: Value) -> (Value, u32) {
        match dest {
            Dest::Place { buffer, step } => (buffer, step),
            Dest::Output { index, step } => {
                let opcode = Opcode::Output { index, elem };
                (self.b.value(opcode, vec![count], vec![], Type::Buffer(elem)), step)
            }
        }
    }

    /// Makes sure that the array yielded at this position lies in its destination.
    pub(super) fn deliver(&mut self, source: Value, position: usize, dest: Dest) {
        if self.frames[self.frame()].delivered[position] {
            return;
        }
        let array = self.array(source);
        let sizes = self.sizes(source);
        let count = self.count(&sizes);
        let (buffer, step) = self.materialise(dest, array.elem, count);
        self.copy_elements(&array, buffer, step, count);
    }
}
