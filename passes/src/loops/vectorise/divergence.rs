//! Which values of a loop's body may differ between neighbouring iterations, and which bodies cannot run in
//! lanes at all. (Divergence analysis as in Karrenberg and Hack, "Whole-Function Vectorization", CGO 2011.)

use we3_ir::entity::SecondaryMap;
use we3_ir::{Block, ForKind, Func, Op, OpData, Opcode, Type, Value};

use super::Unfit;
use crate::analysis::effects::is_pure_scalar;

/// The result of the analysis.
pub(super) struct Divergence {
    varying: SecondaryMap<Value, bool>,
}

impl Divergence {
    /// Analyses the body of a loop whose first parameter is the index that differs.
    pub(super) fn of(func: &Func, body: Block) -> Result<Divergence, Unfit> {
        fits(func, body)?;
        let mut analysis = Analysis { func, varying: SecondaryMap::new(), changed: true };
        analysis.mark_all(&func.blocks[body].params);
        while analysis.changed {
            analysis.changed = false;
            analysis.block(body);
        }
        Ok(Divergence { varying: analysis.varying })
    }

    /// Whether the value may differ between iterations.
    pub(super) fn is_varying(&self, value: Value) -> bool {
        self.varying[value]
    }
}

struct Analysis<'a> {
    func: &'a Func,
    varying: SecondaryMap<Value, bool>,
    changed: bool,
}

impl Analysis<'_> {
    fn mark(&mut self, value: Value) {
        if !self.varying[value] {
            self.varying[value] = true;
            self.changed = true;
        }
    }

    fn mark_all(&mut self, values: &[Value]) {
        for value in values {
            self.mark(*value);
        }
    }

    fn any(&self, values: &[Value]) -> bool {
        values.iter().any(|value| self.varying[*value])
    }

    /// Each target differs where its source does.
    fn flow(&mut self, sources: &[Value], targets: &[Value]) {
        for (source, target) in sources.iter().zip(targets) {
            if self.varying[*source] {
                self.mark(*target);
            }
        }
    }

    fn block(&mut self, block: Block) {
        let func = self.func;
        for op in &func.blocks[block].ops {
            self.op(*op);
        }
    }

    fn op(&mut self, op: Op) {
        let func = self.func;
        let data = &func.ops[op];
        #[expect(clippy::wildcard_enum_match_arm, reason = "`fits` let only these through")]
        match &data.opcode {
            // Every iteration has scratch of its own.
            Opcode::Stack { .. } => self.mark_all(&data.results),
            Opcode::If => self.branch(data),
            Opcode::While => self.while_loop(data),
            Opcode::For(_) => self.for_loop(data),
            _ => {
                if self.any(&data.args) {
                    self.mark_all(&data.results);
                }
            }
        }
    }

    fn branch(&mut self, data: &OpData) {
        if self.varying[data.args[0]] {
            self.mark_all(&data.results);
        }
        for region in &data.regions {
            self.block(*region);
            self.flow(self.func.yields(*region), &data.results);
        }
    }

    /// Where lanes leave at different times, everything carried differs.
    fn while_loop(&mut self, data: &OpData) {
        let func = self.func;
        let [cond, body] = [data.regions[0], data.regions[1]];
        let places = [&func.blocks[cond].params, &func.blocks[body].params, &data.results];
        for sources in [&data.args[..], func.yields(body)] {
            for targets in places {
                self.flow(sources, targets);
            }
        }
        self.block(cond);
        self.block(body);
        if self.any(func.yields(cond)) {
            for targets in places {
                self.mark_all(targets);
            }
        }
    }

    fn for_loop(&mut self, data: &OpData) {
        let func = self.func;
        let body = data.regions[0];
        let (index, carried) = func.blocks[body].params.split_at(1);
        if self.varying[data.args[0]] || self.varying[data.args[2]] {
            self.mark_all(index);
        }
        for sources in [&data.args[3..], func.yields(body)] {
            self.flow(sources, carried);
            self.flow(sources, &data.results);
        }
        self.block(body);
        if self.any(&data.args[..3]) {
            self.mark_all(carried);
            self.mark_all(&data.results);
        }
    }
}

/// Whether the region holds only what can run in lanes.
fn fits(func: &Func, block: Block) -> Result<(), Unfit> {
    for op in &func.blocks[block].ops {
        let data = &func.ops[*op];
        op_fits(func, data)?;
        for region in &data.regions {
            fits(func, *region)?;
        }
    }
    Ok(())
}

fn op_fits(func: &Func, data: &OpData) -> Result<(), Unfit> {
    let has_vectors = data.results.iter().any(|value| matches!(func.ty(*value), Type::Vector(..)));
    let merges_buffers = !data.regions.is_empty()
        && data.results.iter().any(|value| matches!(func.ty(*value), Type::Buffer(_)));
    if has_vectors || merges_buffers {
        return Err(Unfit::Form(data.opcode.name()));
    }
    let fits = is_pure_scalar(&data.opcode)
        || matches!(
            &data.opcode,
            Opcode::If
                | Opcode::While
                | Opcode::Check { .. }
                | Opcode::Yield
                | Opcode::Stack { .. }
                | Opcode::Offset
                | Opcode::Load
                | Opcode::Store
                | Opcode::For(ForKind::Serial | ForKind::Lanes(_))
        );
    if fits { Ok(()) } else { Err(Unfit::Form(data.opcode.name())) }
}
