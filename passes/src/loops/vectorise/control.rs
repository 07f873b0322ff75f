//! Control flow in lanes: branches and loops under masks.

use we3_ir::{BinaryOp, Block, CompareOp, ForKind, OpData, Opcode, Scalar, Type, UnaryOp, Value};

use super::Unfit;
use super::widen::{Shape, Widener};
use crate::analysis::effects::is_pure_scalar;

/// Both sides of a branch are evaluated when they have at most so many operations that only compute.
const CHEAP: usize = 24;
/// What a load counts for: up to two of them are cheap.
const LOAD: usize = 9;

impl Widener<'_> {
    /// Fails if it fails in a lane at work. What a message shows is found by the sequential version.
    pub(super) fn check(&mut self, data: &OpData, site: u32) {
        match self.shape(data.args[0]) {
            Shape::Uniform(condition) => self.b.check(condition, site, &[]),
            shape @ (Shape::Linear { .. } | Shape::Varying(_) | Shape::Place(_)) => {
                let mut holds = self.vector(&shape);
                if let Some(mask) = self.mask {
                    let idle = self.b.unary(UnaryOp::Not, mask);
                    holds = self.b.binary(BinaryOp::Or, holds, idle);
                }
                let all = self.b.value(Opcode::AllLanes, vec![holds], vec![], Type::BOOL);
                self.b.check(all, site, &[]);
            }
        }
    }

    pub(super) fn branch(&mut self, data: &OpData) -> Result<(), Unfit> {
        match self.shape(data.args[0]) {
            Shape::Uniform(condition) => self.uniform_branch(data, condition),
            shape @ (Shape::Linear { .. } | Shape::Varying(_) | Shape::Place(_)) => {
                let condition = self.vector(&shape);
                self.masked_branch(data, condition)
            }
        }
    }

    fn uniform_branch(&mut self, data: &OpData, condition: Value) -> Result<(), Unfit> {
        let types: Vec<Type> = data.results.iter().map(|result| self.merged_type(*result)).collect();
        let mut regions = Vec::new();
        for region in &data.regions {
            self.b.begin_region(&[]);
            let written = self.ops(*region);
            let yields = if written.is_ok() { self.merged_yields(*region, &data.results) } else { vec![] };
            regions.push(self.b.end_region(yields));
            written?;
        }
        let op = self.b.append(Opcode::If, vec![condition], regions, &types);
        let results = self.b.func.ops[op].results.clone();
        for (source, value) in data.results.iter().zip(results) {
            self.bind_merged(*source, value);
        }
        Ok(())
    }

    fn merged_yields(&mut self, region: Block, targets: &[Value]) -> Vec<Value> {
        let yields = self.yields(region);
        let pairs = yields.iter().zip(targets);
        pairs.map(|(shape, target)| self.merged(shape, self.divergence.is_varying(*target))).collect()
    }

    /// Both sides, each for its lanes; then each lane takes what its side gives.
    fn masked_branch(&mut self, data: &OpData, condition: Value) -> Result<(), Unfit> {
        let outer = self.mask;
        let mut sides = Vec::new();
        for (number, region) in data.regions.iter().enumerate() {
            let chosen = if number == 0 { condition } else { self.b.unary(UnaryOp::Not, condition) };
            self.mask = Some(self.narrowed(chosen));
            let side = self.side(*region);
            self.mask = outer;
            sides.push(side?);
        }
        for (number, result) in data.results.iter().enumerate() {
            let chosen = self.b.select(condition, sides[0][number], sides[1][number]);
            self.bind(*result, Shape::Varying(chosen));
        }
        Ok(())
    }

    /// One side of a branch under the mask: as it is when that is cheap and does nothing, else only if any
    /// lane wants it.
    fn side(&mut self, region: Block) -> Result<Vec<Value>, Unfit> {
        if self.cost_of_computing(region).is_some_and(|cost| cost <= CHEAP) {
            self.ops(region)?;
            return Ok(self.vectors(region));
        }
        let mask = self.full_mask();
        let any = self.b.value(Opcode::AnyLane, vec![mask], vec![], Type::BOOL);
        self.b.begin_region(&[]);
        let written = self.ops(region);
        let yields = if written.is_ok() { self.vectors(region) } else { vec![] };
        let then = self.b.end_region(yields.clone());
        written?;
        let types: Vec<Type> = yields.iter().map(|value| self.b.func.ty(*value).clone()).collect();
        self.b.begin_region(&[]);
        let nothing = types.iter().map(|ty| self.zeros(ty.element())).collect();
        let otherwise = self.b.end_region(nothing);
        let op = self.b.append(Opcode::If, vec![any], vec![then, otherwise], &types);
        Ok(self.b.func.ops[op].results.clone())
    }

    fn vectors(&mut self, region: Block) -> Vec<Value> {
        self.yields(region).iter().map(|shape| self.vector(shape)).collect()
    }

    fn zeros(&mut self, elem: Scalar) -> Value {
        let zero = self.b.constant(elem, 0);
        self.splat(zero)
    }

    pub(super) fn while_loop(&mut self, data: &OpData) -> Result<(), Unfit> {
        let [cond, body] = [data.regions[0], data.regions[1]];
        if self.divergence.is_varying(self.b.func.yields(cond)[0]) {
            return self.masked_while(data, cond, body);
        }
        let types: Vec<Type> = data.results.iter().map(|result| self.merged_type(*result)).collect();
        let init = self.merged_args(&data.args, &data.results);
        let mut regions = Vec::new();
        for region in [cond, body] {
            let params = self.b.begin_region(&types);
            self.bind_params(region, &params);
            let written = self.ops(region);
            let yields = match &written {
                Err(_) => vec![],
                Ok(()) if region == cond => vec![self.uniform(self.b.func.yields(cond)[0])],
                Ok(()) => self.merged_yields(region, &data.results),
            };
            regions.push(self.b.end_region(yields));
            written?;
        }
        let op = self.b.append(Opcode::While, init, regions, &types);
        self.bind_results(data, op);
        Ok(())
    }

    fn merged_args(&mut self, args: &[Value], targets: &[Value]) -> Vec<Value> {
        let pairs = args.iter().zip(targets);
        pairs
            .map(|(arg, target)| {
                let shape = self.shape(*arg);
                self.merged(&shape, self.divergence.is_varying(*target))
            })
            .collect()
    }

    fn bind_params(&mut self, region: Block, values: &[Value]) {
        let params = self.b.func.blocks[region].params.clone();
        for (param, value) in params.iter().zip(values) {
            self.bind_merged(*param, *value);
        }
    }

    fn bind_results(&mut self, data: &OpData, op: we3_ir::Op) {
        let results = self.b.func.ops[op].results.clone();
        for (source, value) in data.results.iter().zip(results) {
            self.bind_merged(*source, value);
        }
    }

    /// Goes on while any lane does; a lane that has left keeps what it carries.
    fn masked_while(&mut self, data: &OpData, cond: Block, body: Block) -> Result<(), Unfit> {
        self.cost.divergent += 16;
        let outer = self.mask;
        let init = self.merged_args(&data.args, &data.results);
        let live = self.still(cond, &init)?;
        let carried = [init, vec![live]].concat();
        let types: Vec<Type> = carried.iter().map(|value| self.b.func.ty(*value).clone()).collect();
        let head = self.any_live(&types);
        let params = self.b.begin_region(&types);
        let round = self.masked_round(cond, body, &params);
        let region = self.b.end_region(round.clone().unwrap_or_default());
        self.mask = outer;
        round?;
        let op = self.b.append(Opcode::While, carried, vec![head, region], &types);
        self.bind_results(data, op);
        Ok(())
    }

    /// A condition region: whether the mask, carried last, has a lane.
    fn any_live(&mut self, types: &[Type]) -> Block {
        let params = self.b.begin_region(types);
        let any = self.b.value(Opcode::AnyLane, vec![params[types.len() - 1]], vec![], Type::BOOL);
        self.b.end_region(vec![any])
    }

    /// The lanes at work for which the condition holds.
    fn still(&mut self, cond: Block, values: &[Value]) -> Result<Value, Unfit> {
        self.bind_params(cond, values);
        self.ops(cond)?;
        let shape = self.yields(cond)[0].clone();
        let holds = self.vector(&shape);
        Ok(self.narrowed(holds))
    }

    fn masked_round(&mut self, cond: Block, body: Block, params: &[Value]) -> Result<Vec<Value>, Unfit> {
        let (carried, live) = params.split_at(params.len() - 1);
        self.mask = Some(live[0]);
        self.bind_params(body, carried);
        self.ops(body)?;
        let next = self.kept(body, carried, live[0]);
        let live = self.still(cond, &next)?;
        Ok([next, vec![live]].concat())
    }

    /// What a round yields for the lanes in it, what was carried for the others.
    fn kept(&mut self, body: Block, carried: &[Value], live: Value) -> Vec<Value> {
        let yields = self.vectors(body);
        yields.iter().zip(carried).map(|(new, old)| self.b.select(live, *new, *old)).collect()
    }

    pub(super) fn for_loop(&mut self, data: &OpData) -> Result<(), Unfit> {
        if data.args[..3].iter().any(|arg| self.divergence.is_varying(*arg)) {
            return self.masked_for(data);
        }
        let body = data.regions[0];
        let carried: Vec<Type> = data.results.iter().map(|result| self.merged_type(*result)).collect();
        let mut args: Vec<Value> = data.args[..3].iter().map(|arg| self.uniform(*arg)).collect();
        args.extend(self.merged_args(&data.args[3..], &data.results));
        let params = self.b.begin_region(&[&[Type::I64], carried.as_slice()].concat());
        self.bind_params(body, &params);
        let written = self.ops(body);
        let yields = if written.is_ok() { self.merged_yields(body, &data.results) } else { vec![] };
        let region = self.b.end_region(yields);
        written?;
        let op = self.b.append(Opcode::For(ForKind::Serial), args, vec![region], &carried);
        self.bind_results(data, op);
        Ok(())
    }

    /// Lanes count to different ends: carries the index, the values and the lanes that go on.
    fn masked_for(&mut self, data: &OpData) -> Result<(), Unfit> {
        let outer = self.mask;
        let body = data.regions[0];
        let index = self.b.func.blocks[body].params[0];
        let varying_index = self.divergence.is_varying(index);
        let bounds: Vec<Shape> = data.args[..3].iter().map(|arg| self.shape(*arg)).collect();
        let first = self.merged(&bounds[0], varying_index);
        let [low, high] = [self.vector(&bounds[0]), self.vector(&bounds[1])];
        let below = self.b.compare(CompareOp::Lt, low, high);
        let live = self.narrowed(below);
        let init = self.merged_args(&data.args[3..], &data.results);
        let carried = [vec![first], init, vec![live]].concat();
        let types: Vec<Type> = carried.iter().map(|value| self.b.func.ty(*value).clone()).collect();
        let head = self.any_live(&types);
        let params = self.b.begin_region(&types);
        let round = self.counted_round(body, &params, &bounds[2], high);
        let region = self.b.end_region(round.clone().unwrap_or_default());
        self.mask = outer;
        round?;
        let op = self.b.append(Opcode::While, carried, vec![head, region], &types);
        let results = self.b.func.ops[op].results.clone();
        for (source, value) in data.results.iter().zip(&results[1..]) {
            self.bind_merged(*source, *value);
        }
        Ok(())
    }

    fn counted_round(
        &mut self,
        body: Block,
        params: &[Value],
        step: &Shape,
        high: Value,
    ) -> Result<Vec<Value>, Unfit> {
        let live = params[params.len() - 1];
        let carried = &params[1..params.len() - 1];
        self.mask = Some(live);
        self.bind_params(body, &params[..params.len() - 1]);
        self.ops(body)?;
        let kept = self.kept(body, carried, live);
        let is_vector = matches!(self.b.func.ty(params[0]), Type::Vector(..));
        let step = self.merged(step, is_vector);
        let next = self.b.binary(BinaryOp::Add, params[0], step);
        let next_lanes = if is_vector { next } else { self.splat(next) };
        let old_lanes = if is_vector { params[0] } else { self.splat(params[0]) };
        let below = self.b.compare(CompareOp::Lt, next_lanes, high);
        // Past the largest number there is nothing to count.
        let onwards = self.b.compare(CompareOp::Gt, next_lanes, old_lanes);
        let on = self.b.binary(BinaryOp::And, below, onwards);
        let live = self.b.binary(BinaryOp::And, live, on);
        Ok([vec![next], kept, vec![live]].concat())
    }

    /// How many operations a region has, if it only computes, and reads neighbours under a mask.
    fn cost_of_computing(&self, region: Block) -> Option<usize> {
        let mut cost = 0;
        for op in &self.b.func.blocks[region].ops {
            let data = &self.b.func.ops[*op];
            if data.opcode == Opcode::If {
                for nested in &data.regions {
                    cost += self.cost_of_computing(*nested)?;
                }
            } else if is_pure_scalar(&data.opcode) {
                cost += 1;
            } else if self.masks && data.opcode == Opcode::Load && self.reads_neighbours(data) {
                cost += LOAD;
            } else if data.opcode != Opcode::Yield {
                return None;
            }
        }
        Some(cost)
    }

    /// Whether lane after lane reads one element after the other: then a mask keeps lanes that should not read from it.
    fn reads_neighbours(&self, load: &OpData) -> bool {
        let [buffer, index] = load.args[..] else { return false };
        !self.divergence.is_varying(buffer) && self.stride(index) == Some(1)
    }
}
