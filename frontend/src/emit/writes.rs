//! Arrays with cells replaced: updates and scatters.

use we3_ir::{Opcode, ReduceKind, Type as IrType, Value};

use super::function::Emitter;
use super::value::Val;
use crate::typed::{Expr, LoopAxis, ScatterOp, Stmt, Sub};

/// One write of an update or scatter.
pub struct Write<'a> {
    /// Whether it happens.
    pub mask: Option<&'a Expr>,
    /// Bound before.
    pub prelude: &'a [Stmt],
    /// Where.
    pub subs: &'a [Sub],
    /// What.
    pub value: &'a Expr,
}

impl Emitter<'_> {
    /// `dest` with cells replaced. One operation per leaf; each evaluates the write for itself.
    pub fn update(&mut self, dest: &Expr, axes: &[LoopAxis], write: &Write<'_>) -> Result<Val, String> {
        let array = self.expr(dest)?;
        let Val::Array { dims, leaves } = array else {
            return Err("an update of something that is no array".into());
        };
        let counts = self.counts(axes)?;
        if axes.is_empty() && write.mask.is_none() {
            return self.update_one(&dims, &leaves, write);
        }
        let mut results = Vec::new();
        for (number, leaf) in leaves.iter().enumerate() {
            let ty = self.b.func.ty(*leaf).clone();
            if ty.sizes().len() != dims.len() {
                return Err("an update of records that hold arrays".into());
            }
            let bound = self.bound();
            let indices = self.open_region(&vec![IrType::I64; axes.len()]);
            for (axis, index) in axes.iter().zip(indices) {
                self.bind(axis.index, Val::Scalar(index));
            }
            let yields = self.in_array_form(|emitter| emitter.write(write, &dims, Some(number)))?;
            let region = self.close_region(yields);
            self.unbind_except(&bound);
            let mut args = vec![*leaf];
            args.extend(&counts);
            let opcode = Opcode::Update { rank: axes.len() as u32, masked: write.mask.is_some() };
            results.push(self.b.value(opcode, args, vec![region], ty));
        }
        Ok(Val::Array { dims, leaves: results })
    }

    /// A single cell: the write is evaluated once, here.
    fn update_one(&mut self, dims: &[Value], leaves: &[Value], write: &Write<'_>) -> Result<Val, String> {
        for stmt in write.prelude {
            self.stmt(stmt)?;
        }
        let indices = write.subs.iter().map(|sub| self.scalar(&sub.index)).collect::<Result<Vec<_>, _>>()?;
        let val = self.expr(write.value)?;
        self.check_subscripts(write.subs, &indices, dims);
        let mut values = Vec::new();
        val.leaves(&mut values);
        let mut results = Vec::new();
        for (leaf, value) in leaves.iter().zip(values) {
            let ty = self.b.func.ty(*leaf).clone();
            let inner = ty.sizes().get(dims.len()..).unwrap_or_default().to_vec();
            let params = self.b.begin_region(&vec![IrType::I64; inner.len()]);
            let mut yields = indices.clone();
            yields.extend(&params);
            yields.push(if inner.is_empty() { value } else { self.b.index(value, &params) });
            let region = self.b.end_region(yields);
            let mut args = vec![*leaf];
            args.extend(&inner);
            let opcode = Opcode::Update { rank: inner.len() as u32, masked: false };
            results.push(self.b.value(opcode, args, vec![region], ty));
        }
        Ok(Val::Array { dims: dims.to_vec(), leaves: results })
    }

    /// What a write's region yields: `[present,] index…, value…` (one leaf of the value, or all).
    fn write(
        &mut self,
        write: &Write<'_>,
        dims: &[Value],
        leaf: Option<usize>,
    ) -> Result<Vec<Value>, String> {
        let Some(mask) = write.mask else {
            return self.write_now(write, dims, leaf);
        };
        let present = self.scalar(mask)?;
        self.open_region(&[]);
        let yields = self.write_now(write, dims, leaf)?;
        let types: Vec<IrType> = yields.iter().map(|value| self.b.func.ty(*value).clone()).collect();
        let then = self.close_region(yields);
        let otherwise = self.zeros_region(&types);
        let op = self.b.append(Opcode::If, vec![present], vec![then, otherwise], &types);
        let mut all = vec![present];
        all.extend(&self.b.func.ops[op].results);
        Ok(all)
    }

    /// A region that yields zeros of scalar types.
    pub fn zeros_region(&mut self, types: &[IrType]) -> we3_ir::Block {
        self.open_region(&[]);
        let zeros = types.iter().map(|ty| self.zero_of(ty)).collect();
        self.close_region(zeros)
    }

    fn write_now(
        &mut self,
        write: &Write<'_>,
        dims: &[Value],
        leaf: Option<usize>,
    ) -> Result<Vec<Value>, String> {
        for stmt in write.prelude {
            self.stmt(stmt)?;
        }
        let mut yields =
            write.subs.iter().map(|sub| self.scalar(&sub.index)).collect::<Result<Vec<_>, _>>()?;
        let val = self.expr(write.value)?;
        self.check_subscripts(write.subs, &yields.clone(), dims);
        let mut values = Vec::new();
        val.leaves(&mut values);
        match leaf {
            Some(number) => yields.push(*values.get(number).ok_or("too few leaves")?),
            None => yields.extend(values),
        }
        Ok(yields)
    }

    /// `scatter(op, dest, …)`.
    pub fn scatter(
        &mut self,
        op: &ScatterOp,
        dest: &Expr,
        axis: &LoopAxis,
        write: &Write<'_>,
    ) -> Result<Val, String> {
        let array = self.expr(dest)?;
        let Val::Array { dims, leaves } = array else {
            return Err("a scatter into something that is no array".into());
        };
        let count = self.count(axis)?;
        let bound = self.bound();
        let index = self.open_region(&[IrType::I64])[0];
        self.bind(axis.index, Val::Scalar(index));
        let yields = self.in_array_form(|emitter| emitter.write(write, &dims, None))?;
        let mut regions = vec![self.close_region(yields)];
        self.unbind_except(&bound);
        let kind = match op {
            ScatterOp::Sum => ReduceKind::Sum,
            ScatterOp::Prod => ReduceKind::Prod,
            ScatterOp::Min => ReduceKind::Min,
            ScatterOp::Max => ReduceKind::Max,
            ScatterOp::Combine { order, combine } => {
                regions.push(self.combine_region(combine, dest.ty.elem())?);
                ReduceKind::Combine(*order)
            }
        };
        let mut args = vec![count];
        args.extend(&leaves);
        let types: Vec<IrType> = leaves.iter().map(|leaf| self.b.func.ty(*leaf).clone()).collect();
        let opcode = Opcode::Scatter { kind, rank: dims.len() as u32, masked: write.mask.is_some() };
        let op = self.b.append(opcode, args, regions, &types);
        Ok(Val::Array { dims, leaves: self.b.func.ops[op].results.clone() })
    }
}
