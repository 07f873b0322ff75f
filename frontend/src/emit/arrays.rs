//! Arrays: literals, `build`, subscripts, `update`, `scatter`, `reshape`.

use we3_ir::{BinaryOp, CompareOp, Opcode, Schedule, Type as IrType, Value};

use super::function::Emitter;
use super::value::{Val, leaves_of};
use crate::typed::{Axis, Const, Expr, ExprKind, LoopAxis, Size, Sub, Type};

impl Emitter<'_> {
    /// The number of rounds of a loop axis, at least 0.
    pub fn count(&mut self, axis: &LoopAxis) -> Result<Value, String> {
        let count = self.scalar(&axis.count)?;
        if matches!(&axis.count.kind, ExprKind::Size(size) if size.as_constant().is_some_and(|n| n >= 0)) {
            return Ok(count);
        }
        let zero = self.b.i64(0);
        Ok(self.b.binary(BinaryOp::Max, count, zero))
    }

    /// The numbers of rounds of several axes.
    pub fn counts(&mut self, axes: &[LoopAxis]) -> Result<Vec<Value>, String> {
        axes.iter().map(|axis| self.count(axis)).collect()
    }

    /// `[body for …]`.
    pub fn build(
        &mut self,
        axes: &[Axis],
        body: &Expr,
        schedule: Option<&Schedule>,
        ty: &Type,
    ) -> Result<Val, String> {
        let leaves = leaves_of(self.program, ty);
        let mut types = Vec::new();
        for leaf in &leaves {
            types.push(IrType::Array(leaf.elem, self.all_sizes(&leaf.sizes)?));
        }
        let mut domain = Vec::new();
        for axis in axes {
            domain.push(self.size(&axis.size)?);
        }
        let bound = self.bound();
        let indices = self.open_region(&vec![IrType::I64; axes.len()]);
        for (axis, index) in axes.iter().zip(indices) {
            self.bind(axis.index, Val::Scalar(index));
        }
        let val = self.in_array_form(|emitter| emitter.expr(body))?;
        let mut yields = Vec::new();
        val.leaves(&mut yields);
        if yields.len() != types.len() {
            return Err(format!("a build of {} leaves yields {}", types.len(), yields.len()));
        }
        for (value, ty) in yields.iter_mut().zip(&types) {
            let inner = ty.sizes().get(axes.len()..).unwrap_or_default().to_vec();
            if !inner.is_empty() {
                *value = self.resized(*value, &IrType::Array(ty.element(), inner));
            }
        }
        let region = self.close_region(yields);
        self.unbind_except(&bound);
        let op = self.b.append(Opcode::Build { rank: axes.len() as u32 }, domain, vec![region], &types);
        if let Some(schedule) = schedule {
            self.b.func.schedules[op] = Some(Box::new(schedule.clone()));
        }
        let results = self.b.func.ops[op].results.clone();
        self.rebuild(ty, &mut results.as_slice())
    }

    /// Runs code of an array form's region, which control cannot leave.
    pub fn in_array_form<T>(
        &mut self,
        run: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        let exit = self.exit.take();
        let result = run(self)?;
        self.exit = exit;
        Ok(result)
    }

    /// One element.
    pub fn index(&mut self, base: &Expr, subs: &[Sub]) -> Result<Val, String> {
        let array = self.expr(base)?;
        let indices = subs.iter().map(|sub| self.scalar(&sub.index)).collect::<Result<Vec<_>, _>>()?;
        let Val::Array { dims, leaves } = array else {
            return Err("a subscript of something that is no array".into());
        };
        self.check_subscripts(subs, &indices, &dims);
        let mut values = Vec::new();
        for leaf in leaves {
            values.push(self.element(leaf, &indices));
        }
        self.rebuild(base.ty.elem(), &mut values.as_slice())
    }

    /// Checks those subscripts that have a site.
    pub fn check_subscripts(&mut self, subs: &[Sub], indices: &[Value], dims: &[Value]) {
        for ((sub, index), size) in subs.iter().zip(indices).zip(dims) {
            if let Some(site) = sub.site {
                let zero = self.b.i64(0);
                let not_below = self.b.compare(CompareOp::Ge, *index, zero);
                let not_above = self.b.compare(CompareOp::Lt, *index, *size);
                let inside = self.b.binary(BinaryOp::And, not_below, not_above);
                self.b.check(inside, site.0, &[*index, *size]);
            }
        }
    }

    /// An element of a leaf; a leaf with more axes gives an array.
    fn element(&mut self, leaf: Value, indices: &[Value]) -> Value {
        let ty = self.b.func.ty(leaf).clone();
        let inner = ty.sizes().get(indices.len()..).unwrap_or_default().to_vec();
        if inner.is_empty() {
            return self.b.index(leaf, indices);
        }
        let mut all = indices.to_vec();
        all.extend(self.b.begin_region(&vec![IrType::I64; inner.len()]));
        let element = self.b.index(leaf, &all);
        let region = self.b.end_region(vec![element]);
        let opcode = Opcode::Build { rank: inner.len() as u32 };
        self.b.value(opcode, inner.clone(), vec![region], IrType::Array(ty.element(), inner))
    }

    /// `[a, b, …]`.
    pub fn array_literal(&mut self, parts: &[Expr], ty: &Type) -> Result<Val, String> {
        let mut data = Vec::new();
        if parts.iter().all(|part| constants(part, &mut data)) && leaves_of(self.program, ty).len() == 1 {
            return self.constant_array(&data, ty);
        }
        let parts = parts.iter().map(|part| self.expr(part)).collect::<Result<Vec<_>, _>>()?;
        let mut leaves = Vec::new();
        for (number, leaf) in leaves_of(self.program, ty).into_iter().enumerate() {
            let sizes = self.all_sizes(&leaf.sizes)?;
            let ty = IrType::Array(leaf.elem, sizes);
            let mut array = self.zero_of(&ty);
            for (position, part) in parts.iter().enumerate() {
                let mut values = Vec::new();
                part.leaves(&mut values);
                let value = *values.get(number).ok_or("too few leaves")?;
                array = self.with_part(array, position, value);
            }
            leaves.push(array);
        }
        self.rebuild(ty, &mut leaves.as_slice())
    }

    /// The array with `value` (an element, or an array of the inner axes) at an outer position.
    fn with_part(&mut self, array: Value, position: usize, value: Value) -> Value {
        let ty = self.b.func.ty(array).clone();
        let inner = ty.sizes().get(1..).unwrap_or_default().to_vec();
        let params = self.b.begin_region(&vec![IrType::I64; inner.len()]);
        let mut yields = vec![self.b.i64(position as i64)];
        yields.extend(&params);
        yields.push(if inner.is_empty() { value } else { self.b.index(value, &params) });
        let region = self.b.end_region(yields);
        let opcode = Opcode::Update { rank: inner.len() as u32, masked: false };
        let mut args = vec![array];
        args.extend(inner);
        self.b.value(opcode, args, vec![region], ty)
    }

    fn constant_array(&mut self, data: &[Const], ty: &Type) -> Result<Val, String> {
        let leaf = leaves_of(self.program, ty).into_iter().next().ok_or("a literal without leaves")?;
        let constants: Option<Vec<i64>> = leaf.sizes.iter().map(Size::as_constant).collect();
        let constants = constants.ok_or("a literal whose size is not known")?;
        let constants: Vec<Value> = constants.into_iter().map(|size| self.b.i64(size)).collect();
        let bits = data.iter().map(|constant| constant.bits).collect();
        let ty_of_data = IrType::Array(leaf.elem, constants.clone());
        let array = self.b.value(Opcode::Data { elem: leaf.elem, bits }, constants, vec![], ty_of_data);
        // A parameter's type may have named the same size before.
        let sizes = self.all_sizes(&leaf.sizes)?;
        let array = self.resized(array, &IrType::Array(leaf.elem, sizes));
        self.rebuild(ty, &mut [array].as_slice())
    }

    /// The same elements under other sizes.
    pub fn reshape(&mut self, base: &Expr, ty: &Type) -> Result<Val, String> {
        let array = self.expr(base)?;
        let mut leaves = Vec::new();
        array.leaves(&mut leaves);
        for (value, leaf) in leaves.iter_mut().zip(leaves_of(self.program, ty)) {
            let sizes = self.all_sizes(&leaf.sizes)?;
            let mut args = vec![*value];
            args.extend(&sizes);
            *value = self.b.value(Opcode::Reshape, args, vec![], IrType::Array(leaf.elem, sizes));
        }
        self.rebuild(ty, &mut leaves.as_slice())
    }
}

/// Collects the constants of a nested literal, row-major; false if something in it is computed.
fn constants(expr: &Expr, out: &mut Vec<Const>) -> bool {
    match &expr.kind {
        ExprKind::Const(constant) => {
            out.push(*constant);
            true
        }
        ExprKind::Array(parts) => parts.iter().all(|part| constants(part, out)),
        ExprKind::Local(_)
        | ExprKind::Size(_)
        | ExprKind::Len(..)
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Compare(..)
        | ExprKind::Fma(..)
        | ExprKind::Select(..)
        | ExprKind::Convert(_)
        | ExprKind::Bitcast(_)
        | ExprKind::Tuple(_)
        | ExprKind::Field(..)
        | ExprKind::Build { .. }
        | ExprKind::Index { .. }
        | ExprKind::Reshape(_)
        | ExprKind::Reduce { .. }
        | ExprKind::Dot { .. }
        | ExprKind::DotBy { .. }
        | ExprKind::Scan { .. }
        | ExprKind::Scatter { .. }
        | ExprKind::Update { .. }
        | ExprKind::If { .. }
        | ExprKind::Block(_)
        | ExprKind::Call { .. }
        | ExprKind::Pending(..)
        | ExprKind::Error => false,
    }
}
