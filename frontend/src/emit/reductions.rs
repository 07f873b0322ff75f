//! Reductions, inner products and scans.

use we3_ir::{Opcode, ReduceKind, Type as IrType, Value};

use super::function::Emitter;
use super::value::{Val, leaves_of};
use crate::typed::{Axis, Combine, Expr, Local, LoopAxis, ReduceOp, Step, Type};

impl Emitter<'_> {
    /// A reduction over one axis.
    pub fn reduce(
        &mut self,
        op: &ReduceOp,
        axis: &LoopAxis,
        mask: Option<&Expr>,
        body: &Expr,
    ) -> Result<Val, String> {
        let count = self.count(axis)?;
        let mut args = vec![count];
        let types = self.scalar_leaves(&body.ty)?;
        let bound = self.bound();
        let mut combine_op = None;
        let kind = match op {
            ReduceOp::Sum => ReduceKind::Sum,
            ReduceOp::Prod => ReduceKind::Prod,
            ReduceOp::Min => ReduceKind::Min,
            ReduceOp::Max => ReduceKind::Max,
            ReduceOp::Any => ReduceKind::Any,
            ReduceOp::All => ReduceKind::All,
            ReduceOp::Combine { order, empty, combine } => {
                self.expr(empty)?.leaves(&mut args);
                combine_op = Some(combine);
                ReduceKind::Combine(*order)
            }
        };
        let index = self.open_region(&[IrType::I64])[0];
        self.bind(axis.index, Val::Scalar(index));
        let yields = self.in_array_form(|emitter| emitter.element_of_reduction(mask, body, &types))?;
        let mut regions = vec![self.close_region(yields)];
        self.unbind_except(&bound);
        if let Some(combine) = combine_op {
            regions.push(self.combine_region(combine, &body.ty)?);
        }
        let op = self.b.append(Opcode::Reduce { kind, masked: mask.is_some() }, args, regions, &types);
        let results = self.b.func.ops[op].results.clone();
        self.rebuild(&body.ty, &mut results.as_slice())
    }

    fn element_of_reduction(
        &mut self,
        mask: Option<&Expr>,
        body: &Expr,
        types: &[IrType],
    ) -> Result<Vec<Value>, String> {
        let Some(mask) = mask else {
            return self.leaves_of_expr(body);
        };
        let present = self.scalar(mask)?;
        self.open_region(&[]);
        let yields = self.leaves_of_expr(body)?;
        let then = self.close_region(yields);
        let otherwise = self.zeros_region(types);
        let op = self.b.append(Opcode::If, vec![present], vec![then, otherwise], types);
        let mut all = vec![present];
        all.extend(&self.b.func.ops[op].results);
        Ok(all)
    }

    fn leaves_of_expr(&mut self, expr: &Expr) -> Result<Vec<Value>, String> {
        let mut leaves = Vec::new();
        self.expr(expr)?.leaves(&mut leaves);
        Ok(leaves)
    }

    /// The leaf types of something without arrays.
    fn scalar_leaves(&self, ty: &Type) -> Result<Vec<IrType>, String> {
        let leaves = leaves_of(self.program, ty);
        if leaves.iter().any(|leaf| !leaf.sizes.is_empty()) {
            return Err("a reduction of arrays".into());
        }
        Ok(leaves.into_iter().map(|leaf| IrType::Scalar(leaf.elem)).collect())
    }

    /// `|a, b| body` as a region over all leaves of `a`, then of `b`.
    pub fn combine_region(&mut self, combine: &Combine, ty: &Type) -> Result<we3_ir::Block, String> {
        self.two_operand_region((combine.a, ty), (combine.b, ty), &combine.body)
    }

    fn two_operand_region(
        &mut self,
        left: (Local, &Type),
        right: (Local, &Type),
        body: &Expr,
    ) -> Result<we3_ir::Block, String> {
        let mut types = self.scalar_leaves(left.1)?;
        let count = types.len();
        types.extend(self.scalar_leaves(right.1)?);
        let bound = self.bound();
        let params = self.open_region(&types);
        let a = self.rebuild(left.1, &mut &params[..count])?;
        self.bind(left.0, a);
        let b = self.rebuild(right.1, &mut &params[count..])?;
        self.bind(right.0, b);
        let yields = self.in_array_form(|emitter| emitter.leaves_of_expr(body))?;
        let region = self.close_region(yields);
        self.unbind_except(&bound);
        Ok(region)
    }

    /// A strict inner product of numbers.
    pub fn dot(&mut self, axes: &[LoopAxis], a: &Expr, b: &Expr) -> Result<Val, String> {
        let args = self.counts(axes)?;
        let region = self.domain_region(axes, |emitter| {
            let left = emitter.scalar(a)?;
            let right = emitter.scalar(b)?;
            Ok(vec![left, right])
        })?;
        let ty = self.scalar_leaves(&a.ty)?.into_iter().next().ok_or("a dot of nothing")?;
        let opcode = Opcode::Dot { rank: axes.len() as u32 };
        Ok(Val::Scalar(self.b.value(opcode, args, vec![region], ty)))
    }

    /// An inner product of other types.
    pub fn dot_by(
        &mut self,
        axes: &[LoopAxis],
        zero: &Expr,
        body: &Expr,
        step: &Step,
        join: &Combine,
    ) -> Result<Val, String> {
        let mut args = self.counts(axes)?;
        self.expr(zero)?.leaves(&mut args);
        let region = self.domain_region(axes, |emitter| emitter.leaves_of_expr(body))?;
        let step_region = self.two_operand_region((step.acc, &zero.ty), (step.elem, &body.ty), &step.body)?;
        let join_region = self.combine_region(join, &zero.ty)?;
        let types = self.scalar_leaves(&zero.ty)?;
        let opcode = Opcode::DotBy { rank: axes.len() as u32 };
        let op = self.b.append(opcode, args, vec![region, step_region, join_region], &types);
        let results = self.b.func.ops[op].results.clone();
        self.rebuild(&zero.ty, &mut results.as_slice())
    }

    fn domain_region(
        &mut self,
        axes: &[LoopAxis],
        body: impl FnOnce(&mut Self) -> Result<Vec<Value>, String>,
    ) -> Result<we3_ir::Block, String> {
        let bound = self.bound();
        let indices = self.open_region(&vec![IrType::I64; axes.len()]);
        for (axis, index) in axes.iter().zip(indices) {
            self.bind(axis.index, Val::Scalar(index));
        }
        let yields = self.in_array_form(body)?;
        let region = self.close_region(yields);
        self.unbind_except(&bound);
        Ok(region)
    }

    /// Prefix results.
    pub fn scan(
        &mut self,
        exclusive: bool,
        axis: &Axis,
        init: &Expr,
        body: &Expr,
        combine: &Combine,
        ty: &Type,
    ) -> Result<Val, String> {
        let size = self.size(&axis.size)?;
        let mut args = vec![size];
        self.expr(init)?.leaves(&mut args);
        let elements = self.scalar_leaves(&body.ty)?;
        let bound = self.bound();
        let index = self.open_region(&[IrType::I64])[0];
        self.bind(axis.index, Val::Scalar(index));
        let yields = self.in_array_form(|emitter| emitter.leaves_of_expr(body))?;
        let region = self.close_region(yields);
        self.unbind_except(&bound);
        let combine = self.combine_region(combine, &body.ty)?;
        let types: Vec<IrType> =
            elements.iter().map(|elem| IrType::Array(elem.element(), vec![size])).collect();
        let op = self.b.append(Opcode::Scan { exclusive }, args, vec![region, combine], &types);
        let results = self.b.func.ops[op].results.clone();
        self.rebuild(ty, &mut results.as_slice())
    }
}
