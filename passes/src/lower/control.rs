//! `if`, `loop`, `while`: control with carried arrays. A loop owns the buffers it carries; an `if`
//! passes buffers that die in it to its branches.

use we3_ir::{Block, ForKind, Op, Opcode, Type, Value};

use super::state::{Dest, Lower, Lowered, RootId};

impl Lower<'_> {
    pub(super) fn lower_if(&mut self, op: Op) {
        let src = self.src;
        let data = &src.ops[op];
        let condition = self.scalar(data.args[0]);
        let dests: Vec<Option<Dest>> =
            data.results.iter().map(|result| self.early_place(op, *result)).collect();
        let moved = self.roots_that_end_in(&data.regions);
        let mut regions = Vec::new();
        for region in &data.regions {
            self.b.begin_region(&[]);
            let values = self.branch(*region, &moved, &dests);
            regions.push(self.b.end_region(values));
        }
        let plain = data.results.iter().zip(&dests).filter(|(_, dest)| dest.is_none());
        let plain: Vec<Value> = plain.map(|(result, _)| *result).collect();
        let types: Vec<Type> = plain.iter().map(|result| loop_type(src.ty(*result))).collect();
        let new_op = self.b.append(Opcode::If, vec![condition], regions, &types);
        let values = self.b.func.ops[new_op].results.clone();
        self.bind_owned(&plain, &values);
        for (result, dest) in data.results.iter().zip(&dests) {
            if let Some(Dest::Place { buffer, step }) = dest {
                self.bind_array(*result, *buffer, *step, None);
            }
        }
    }

    /// The place where an array result of an `if` is wanted, if its size is known before the `if`.
    fn early_place(&mut self, op: Op, result: Value) -> Option<Dest> {
        let own_results = &self.src.ops[op].results;
        if self.src.ty(result).sizes().iter().any(|size| own_results.contains(size)) {
            return None;
        }
        let hint = self.hints[result].take()?;
        self.mark_delivered(hint.position);
        let sizes = self.sizes(result);
        let count = self.count(&sizes);
        let (buffer, step) = self.materialise(hint.dest, self.src.ty(result).element(), count);
        Some(Dest::Place { buffer, step })
    }

    /// Memory of this frame whose last use is inside these regions of the current operation.
    fn roots_that_end_in(&self, regions: &[Block]) -> Vec<RootId> {
        let mut roots: Vec<RootId> = Vec::new();
        let frame = &self.frames[self.frame()];
        for value in self.uses.dying(frame.block, frame.index) {
            if let Lowered::Array(array) = &self.env[*value]
                && self.owned_and_dying(array.root)
                && regions.iter().any(|region| self.used_in_region(array.root, *region))
                && !roots.contains(&array.root)
            {
                roots.push(array.root);
            }
        }
        roots
    }

    /// One branch. It owns `moved`; what it does not use of that, it frees first.
    fn branch(&mut self, region: Block, moved: &[RootId], dests: &[Option<Dest>]) -> Vec<Value> {
        self.enter(region);
        let n_names: Vec<usize> = moved.iter().map(|root| self.roots[*root].values.len()).collect();
        for root in moved {
            if self.used_in_region(*root, region) {
                self.roots[*root].owner = self.owner();
            } else {
                self.free(self.roots[*root].buffer);
            }
        }
        self.block_ops(dests);
        let values = self.leave(dests);
        for (root, n_names) in moved.iter().zip(n_names) {
            self.roots[*root].owner = None;
            self.roots[*root].values.truncate(n_names);
        }
        values
    }

    pub(super) fn lower_loop(&mut self, op: Op) {
        if self.lower_diagonals(op) {
            return;
        }
        let src = self.src;
        let data = &src.ops[op];
        let n = self.scalar(data.args[0]);
        let swaps = self.swaps(op);
        // Both arrays of these are made from the argument as it is.
        let mut lies_there: Vec<usize> =
            swaps.iter().filter(|swap| self.has_place(op, swap)).map(|swap| swap.position).collect();
        lies_there.extend(self.lying_there(op));
        let mut init = self.carried_init(&data.args[1..], &data.regions, &lies_there);
        let others = self.both_arrays(op, &swaps, n, &mut init);
        let n_carried = init.len();
        init.extend(&others);
        let body = data.regions[0];
        let params = &src.blocks[body].params;
        let mut first = self.i64(0);
        let turns = self.turns_together(op);
        // Turns that go together are no nests by themselves, and what they leave belongs to them.
        let together = if turns.is_some() { self.open_probe(op) } else { None };
        if let Some(turns) = turns {
            first = self.rounds(op, &turns, n, init[0]);
        }
        let values = match self.time_tiles(op, &swaps) {
            Some(tiles) => {
                let probe = self.open_probe(op);
                let values = self.tiled_steps(op, &tiles, n, &init);
                self.close_probe(probe);
                values
            }
            None => self.for_kind(ForKind::Serial, first, n, &init, |this, i, carried| {
                this.enter(body);
                this.set_scalar(params[0], i);
                this.bind_owned(&params[1..], &carried[..n_carried]);
                this.begin_swaps(op, &swaps, &carried[n_carried..]);
                this.free_unused(&params[1..]);
                this.block_ops(&[]);
                let mut values = this.leave(&[]);
                values.extend(this.end_swaps(op, &swaps));
                values
            }),
        };
        self.close_probe(together);
        for (position, (result, value)) in data.results.iter().zip(&values).enumerate() {
            if !lies_there.contains(&position) {
                self.bind_owned(&[*result], &[*value]);
            }
        }
        for other in &values[n_carried..] {
            self.free(*other);
        }
    }

    pub(super) fn lower_while(&mut self, op: Op) {
        let src = self.src;
        let data = &src.ops[op];
        let init = self.carried_init(&data.args, &data.regions, &[]);
        let (cond, body) = (data.regions[0], data.regions[1]);
        let cond_body = |this: &mut Self, carried: &[Value]| {
            this.enter(cond);
            this.bind_borrowed(&src.blocks[cond].params, carried);
            this.block_ops(&[]);
            this.leave(&[])[0]
        };
        let values = self.while_loop(&init, cond_body, |this, carried| {
            this.enter(body);
            this.bind_owned(&src.blocks[body].params, carried);
            this.free_unused(&src.blocks[body].params);
            this.block_ops(&[]);
            this.leave(&[])
        });
        self.bind_owned(&data.results, &values);
    }

    /// Initial values of a loop: each array as memory that the loop owns. An array that the body
    /// also reads under its old name must stay as it is, so the loop gets a copy.
    /// Those at the positions `as_it_is` are not touched.
    fn carried_init(&mut self, args: &[Value], regions: &[Block], as_it_is: &[usize]) -> Vec<Value> {
        let mut init = Vec::new();
        for (position, arg) in args.iter().enumerate() {
            init.push(match &self.env[*arg] {
                Lowered::Array(array) if as_it_is.contains(&position) => array.buffer,
                Lowered::Array(array) => {
                    let root = array.root;
                    if regions.iter().any(|region| self.used_in_region(root, *region)) {
                        self.copy_of(*arg)
                    } else {
                        self.take(*arg)
                    }
                }
                Lowered::Scalar(value) => *value,
                Lowered::Nothing => self.scalar(*arg),
            });
        }
        init
    }

    /// Carried arrays that the body never looks at are freed at its start.
    fn free_unused(&mut self, params: &[Value]) {
        let block = self.frames[self.frame()].block;
        for param in params {
            if let Lowered::Array(array) = &self.env[*param]
                && self.uses.last(block, *param).is_none()
            {
                let root = array.root;
                self.roots[root].owner = None;
                self.free(self.roots[root].buffer);
            }
        }
    }

    /// Binds source values to lowered ones; arrays become memory of the current frame.
    fn bind_owned(&mut self, sources: &[Value], values: &[Value]) {
        let owner = self.owner();
        self.bind_all(sources, values, owner);
    }

    fn bind_borrowed(&mut self, sources: &[Value], values: &[Value]) {
        self.bind_all(sources, values, None);
    }

    fn bind_all(&mut self, sources: &[Value], values: &[Value], owner: Option<usize>) {
        for (source, value) in sources.iter().zip(values) {
            match self.src.ty(*source) {
                Type::Array(..) => self.bind_array(*source, *value, 1, owner),
                Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => self.set_scalar(*source, *value),
            }
        }
    }
}

/// The loop-level type of an array-level value.
fn loop_type(ty: &Type) -> Type {
    match ty {
        Type::Array(elem, _) => Type::Buffer(*elem),
        Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => ty.clone(),
    }
}
