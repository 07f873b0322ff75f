//! `remove-dead`: operations without effect whose results nothing needs, and single results of
//! branches, builds and loops that nothing needs. Checks are effects: a dead build keeps its checks.
//!
//! Before: `%1, %2 = build … yield %a, %b` with `%2` unused · after: `%1 = build … yield %a`.

use we3_ir::entity::SecondaryMap;
use we3_ir::{Block, Func, Module, Op, Opcode, Value, ValueDef};

use crate::analysis::effects::has_effect;
use crate::manager::{Pass, PassContext};

/// The pass.
pub const REMOVE_DEAD: Pass =
    Pass { name: "remove-dead", about: "drops what has no effect and no use", from: None, to: None, run };

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        remove_dead_func(func);
    }
    module
}

/// Removes what is dead in one function.
pub fn remove_dead_func(func: &mut Func) {
    let mut liveness = Liveness::new(func);
    liveness.enter(func.body);
    liveness.finish();
    let (live_ops, live_values) = (liveness.ops, liveness.values);
    for (_, block) in func.blocks.iter_mut() {
        block.ops.retain(|op| live_ops[*op]);
    }
    let ops: Vec<Op> = func.ops.keys().filter(|op| live_ops[*op]).collect();
    for op in ops {
        drop_dead_results(func, op, &live_values);
    }
}

/// How an operation's results hang together with its operands and regions.
enum Pairing {
    /// Everything that regions yield is needed.
    All,
    /// Result k is what each region yields at k.
    Yields,
    /// Carried: `skip_args` operands before the initial values, `skip_params` parameters before the
    /// carried ones; `conds` regions first whose yields are not carried.
    Carried { skip_args: usize, skip_params: usize, conds: usize },
}

#[expect(clippy::wildcard_enum_match_arm, reason = "no other operation passes values through by position")]
fn pairing(opcode: &Opcode) -> Pairing {
    match opcode {
        Opcode::If | Opcode::Build { .. } => Pairing::Yields,
        Opcode::Loop => Pairing::Carried { skip_args: 1, skip_params: 1, conds: 0 },
        Opcode::While => Pairing::Carried { skip_args: 0, skip_params: 0, conds: 1 },
        Opcode::For(_) => Pairing::Carried { skip_args: 3, skip_params: 1, conds: 0 },
        _ => Pairing::All,
    }
}

struct Liveness<'a> {
    func: &'a Func,
    ops: SecondaryMap<Op, bool>,
    values: SecondaryMap<Value, bool>,
    /// The operation that owns a block.
    owner: SecondaryMap<Block, Option<Op>>,
    pending: Vec<Value>,
}

impl<'a> Liveness<'a> {
    fn new(func: &'a Func) -> Liveness<'a> {
        let mut owner: SecondaryMap<Block, Option<Op>> = SecondaryMap::new();
        for (op, data) in &func.ops {
            for region in &data.regions {
                owner[*region] = Some(op);
            }
        }
        Liveness { func, ops: SecondaryMap::new(), values: SecondaryMap::new(), owner, pending: Vec::new() }
    }

    /// A region that runs: what has an effect in it is live, and so is its terminator.
    fn enter(&mut self, block: Block) {
        for op in &self.func.blocks[block].ops {
            if has_effect(self.func, *op) {
                self.op(*op);
            }
        }
        if let Some(op) = self.func.terminator(block) {
            self.ops[op] = true;
        }
    }

    fn op(&mut self, op: Op) {
        if self.ops[op] {
            return;
        }
        self.ops[op] = true;
        let data = &self.func.ops[op];
        match pairing(&data.opcode) {
            Pairing::All => {
                self.needed(&data.args);
                for region in &data.regions {
                    self.needed(self.func.yields(*region));
                }
            }
            Pairing::Yields => self.needed(&data.args),
            Pairing::Carried { skip_args, conds, .. } => {
                self.needed(&data.args[..skip_args]);
                for region in &data.regions[..conds] {
                    self.needed(self.func.yields(*region));
                }
            }
        }
        for region in &data.regions {
            self.enter(*region);
        }
    }

    fn needed(&mut self, values: &[Value]) {
        self.pending.extend_from_slice(values);
    }

    fn finish(&mut self) {
        while let Some(value) = self.pending.pop() {
            if std::mem::replace(&mut self.values[value], true) {
                continue;
            }
            self.needed(self.func.ty(value).sizes());
            match self.func.values[value].def {
                ValueDef::Result(op, number) => {
                    self.op(op);
                    self.result(op, number as usize);
                }
                ValueDef::Param(block, number) => self.param(block, number as usize),
                ValueDef::ResultRef(_) => {}
            }
        }
    }

    fn result(&mut self, op: Op, number: usize) {
        let data = &self.func.ops[op];
        match pairing(&data.opcode) {
            Pairing::All => {}
            Pairing::Yields => {
                for region in &data.regions {
                    self.needed(&self.func.yields(*region)[number..=number]);
                }
            }
            Pairing::Carried { .. } => self.carried(op, number),
        }
    }

    fn param(&mut self, block: Block, number: usize) {
        let Some(op) = self.owner[block] else { return };
        if let Pairing::Carried { skip_params, .. } = pairing(&self.func.ops[op].opcode)
            && number >= skip_params
        {
            self.carried(op, number - skip_params);
        }
    }

    /// Everything that carried value `number` is made of.
    fn carried(&mut self, op: Op, number: usize) {
        let data = &self.func.ops[op];
        if let Pairing::Carried { skip_args, skip_params, conds } = pairing(&data.opcode) {
            let mut values = vec![data.args[skip_args + number], data.results[number]];
            for region in &data.regions {
                values.push(self.func.blocks[*region].params[skip_params + number]);
            }
            for region in &data.regions[conds..] {
                values.push(self.func.yields(*region)[number]);
            }
            self.needed(&values);
        }
    }
}

fn drop_dead_results(func: &mut Func, op: Op, live: &SecondaryMap<Value, bool>) {
    let data = &func.ops[op];
    let keep: Vec<bool> = data.results.iter().map(|result| live[*result]).collect();
    if keep.iter().all(|keep| *keep) {
        return;
    }
    let regions = data.regions.clone();
    let (skip_args, skip_params, conds) = match pairing(&data.opcode) {
        Pairing::All => return,
        Pairing::Yields => (usize::MAX, usize::MAX, 0),
        Pairing::Carried { skip_args, skip_params, conds } => (skip_args, skip_params, conds),
    };
    filter(&mut func.ops[op].results, 0, &keep);
    filter(&mut func.ops[op].args, skip_args, &keep);
    for (number, region) in regions.into_iter().enumerate() {
        filter(&mut func.blocks[region].params, skip_params, &keep);
        if number >= conds
            && let Some(terminator) = func.terminator(region)
            && func.ops[terminator].opcode == Opcode::Yield
        {
            filter(&mut func.ops[terminator].args, 0, &keep);
        }
        for (place, param) in func.blocks[region].params.clone().into_iter().enumerate() {
            func.values[param].def = ValueDef::Param(region, place as u32);
        }
    }
    for (place, result) in func.ops[op].results.clone().into_iter().enumerate() {
        func.values[result].def = ValueDef::Result(op, place as u32);
    }
}

/// Keeps what `keep` says, from position `skip` on.
fn filter(values: &mut Vec<Value>, skip: usize, keep: &[bool]) {
    let mut position = 0;
    values.retain(|_| {
        let keep = position < skip || keep[position - skip];
        position += 1;
        keep
    });
}
