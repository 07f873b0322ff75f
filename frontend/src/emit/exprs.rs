//! Expressions: scalars, tuples, calls; arrays and reductions are in files of their own.

use we3_ir::{CompareOp, FuncId as IrFuncId, Opcode, Scalar, Type as IrType, Value};

use super::function::Emitter;
use super::signature::ResultSize;
use super::value::{Val, leaf_count, parts_of};
use crate::typed::{Atom, Expr, ExprKind, FuncId, Local, SiteId, Size, Type};

impl Emitter<'_> {
    /// The value of an expression, computed here.
    pub fn expr(&mut self, expr: &Expr) -> Result<Val, String> {
        let outer = std::mem::replace(&mut self.b.span, expr.span);
        let val = self.expr_kind(expr)?;
        self.b.span = outer;
        Ok(val)
    }

    /// The value of a scalar expression.
    pub fn scalar(&mut self, expr: &Expr) -> Result<Value, String> {
        self.expr(expr)?.scalar()
    }

    fn expr_kind(&mut self, expr: &Expr) -> Result<Val, String> {
        match &expr.kind {
            ExprKind::Const(constant) => Ok(Val::Scalar(self.b.constant(constant.ty, constant.bits))),
            ExprKind::Local(local) => self.local(*local).cloned(),
            ExprKind::Size(size) => self.size(size).map(Val::Scalar),
            ExprKind::Len(local, axis) => self.open_length(*local, *axis),
            ExprKind::Unary(op, a) => {
                let a = self.scalar(a)?;
                Ok(Val::Scalar(self.b.unary(*op, a)))
            }
            ExprKind::Binary(op, a, b, site) => self.binary(*op, a, b, *site),
            ExprKind::Compare(op, a, b) => {
                let (a, b) = (self.scalar(a)?, self.scalar(b)?);
                Ok(Val::Scalar(self.b.compare(*op, a, b)))
            }
            ExprKind::Fma(a, b, c) => {
                let (a, b, c) = (self.scalar(a)?, self.scalar(b)?, self.scalar(c)?);
                Ok(Val::Scalar(self.b.fma(a, b, c)))
            }
            ExprKind::Select(c, a, b) => {
                let c = self.scalar(c)?;
                let (a, b) = (self.expr(a)?, self.expr(b)?);
                self.select(c, &a, &b)
            }
            ExprKind::Convert(a) => {
                let to = scalar_type(&expr.ty)?;
                let a = self.scalar(a)?;
                Ok(Val::Scalar(self.b.convert(to, a)))
            }
            ExprKind::Bitcast(a) => {
                let to = scalar_type(&expr.ty)?;
                let a = self.scalar(a)?;
                Ok(Val::Scalar(self.b.bitcast(to, a)))
            }
            ExprKind::Tuple(parts) => {
                Ok(Val::Tuple(parts.iter().map(|part| self.expr(part)).collect::<Result<_, _>>()?))
            }
            ExprKind::Field(base, part) => {
                let val = self.expr(base)?;
                self.field(&val, &base.ty, *part as usize)
            }
            ExprKind::Array(parts) => self.array_literal(parts, &expr.ty),
            ExprKind::Build { axes, body, schedule } => self.build(axes, body, schedule.as_deref(), &expr.ty),
            ExprKind::Index { base, subs } => self.index(base, subs),
            ExprKind::Reshape(base) => self.reshape(base, &expr.ty),
            ExprKind::Reduce { op, axis, mask, body } => self.reduce(op, axis, mask.as_deref(), body),
            ExprKind::Dot { axes, a, b } => self.dot(axes, a, b),
            ExprKind::DotBy { axes, zero, body, step, join } => self.dot_by(axes, zero, body, step, join),
            ExprKind::Scan { exclusive, axis, init, body, combine } => {
                self.scan(*exclusive, axis, init, body, combine, &expr.ty)
            }
            ExprKind::Scatter { op, dest, axis, mask, prelude, subs, value } => {
                let update = super::writes::Write { mask: mask.as_deref(), prelude, subs, value };
                self.scatter(op, dest, axis, &update)
            }
            ExprKind::Update { dest, axes, mask, prelude, subs, value } => {
                let update = super::writes::Write { mask: mask.as_deref(), prelude, subs, value };
                self.update(dest, axes, &update)
            }
            ExprKind::If { cond, then, otherwise } => self.if_expr(cond, then, otherwise, &expr.ty),
            ExprKind::Block(block) => Ok(self.block(block)?.unwrap_or(Val::UNIT)),
            ExprKind::Call { func, sizes, args, fresh } => self.call(*func, sizes, args, fresh),
            ExprKind::Pending(..) | ExprKind::Error => Err("an unfinished expression".into()),
        }
    }

    fn open_length(&mut self, local: Local, axis: u32) -> Result<Val, String> {
        match self.local(local)? {
            Val::Array { dims, .. } => {
                dims.get(axis as usize).copied().map(Val::Scalar).ok_or_else(|| "no such axis".into())
            }
            Val::Scalar(_) | Val::Tuple(_) => Err("the length of something that is no array".into()),
        }
    }

    fn binary(
        &mut self,
        op: we3_ir::BinaryOp,
        a: &Expr,
        b: &Expr,
        site: Option<SiteId>,
    ) -> Result<Val, String> {
        let (a, b) = (self.scalar(a)?, self.scalar(b)?);
        if let Some(site) = site {
            let zero = self.b.constant(self.b.func.ty(b).element(), 0);
            let nonzero = self.b.compare(CompareOp::Ne, b, zero);
            self.b.check(nonzero, site.0, &[]);
        }
        Ok(Val::Scalar(self.b.binary(op, a, b)))
    }

    fn select(&mut self, condition: Value, a: &Val, b: &Val) -> Result<Val, String> {
        match (a, b) {
            (Val::Scalar(a), Val::Scalar(b)) => Ok(Val::Scalar(self.b.select(condition, *a, *b))),
            (Val::Tuple(a), Val::Tuple(b)) => {
                let parts = a.iter().zip(b).map(|(a, b)| self.select(condition, a, b));
                Ok(Val::Tuple(parts.collect::<Result<_, _>>()?))
            }
            (Val::Scalar(_) | Val::Array { .. } | Val::Tuple(_), _) => Err("select on arrays".into()),
        }
    }

    /// Part `part` of a tuple or record, or the array of that part.
    pub fn field(&mut self, val: &Val, ty: &Type, part: usize) -> Result<Val, String> {
        match val {
            Val::Tuple(parts) => parts.get(part).cloned().ok_or_else(|| "no such part".into()),
            Val::Scalar(_) => Err("a part of a scalar".into()),
            Val::Array { dims, leaves } => {
                let parts = parts_of(self.program, ty.elem());
                let (first, count) = self.leaf_range(&parts, part)?;
                let own = leaves.get(first..first + count).ok_or("too few leaves")?.to_vec();
                let mut dims = dims.clone();
                if let Type::Array { sizes, .. } = &parts[part] {
                    let leaf = own.first().ok_or("an array without leaves")?;
                    let all = self.b.func.ty(*leaf).sizes();
                    dims = all.get(..dims.len() + sizes.len()).ok_or("too few axes")?.to_vec();
                }
                Ok(Val::Array { dims, leaves: own })
            }
        }
    }

    /// First leaf and number of leaves of a part.
    pub fn leaf_range(&self, parts: &[Type], part: usize) -> Result<(usize, usize), String> {
        let ty = parts.get(part).ok_or("no such part")?;
        let first = parts[..part].iter().map(|part| leaf_count(self.program, part)).sum();
        Ok((first, leaf_count(self.program, ty)))
    }

    /// A value with the part that a path names replaced.
    pub fn replaced(&mut self, old: &Val, ty: &Type, path: &[u32], new: Val) -> Result<Val, String> {
        let Some((part, rest)) = path.split_first() else {
            return Ok(new);
        };
        let part = *part as usize;
        let parts = parts_of(self.program, ty.elem());
        let part_ty = parts.get(part).ok_or("no such part")?.clone();
        match old {
            Val::Tuple(values) => {
                let mut values = values.clone();
                let place = values.get_mut(part).ok_or("no such part")?;
                *place = self.replaced(&place.clone(), &part_ty, rest, new)?;
                Ok(Val::Tuple(values))
            }
            Val::Array { dims, leaves } => {
                let (first, count) = self.leaf_range(&parts, part)?;
                let inner = self.field(old, ty, part)?;
                let array_ty = part_ty.with_axes(ty.sizes().to_vec());
                let replaced = self.replaced(&inner, &array_ty, rest, new)?;
                let mut own = Vec::new();
                replaced.leaves(&mut own);
                let mut leaves = leaves.clone();
                for (place, leaf) in leaves.iter_mut().skip(first).take(count).zip(own) {
                    let ty = self.b.func.ty(*place).clone();
                    *place = self.resized(leaf, &ty);
                }
                Ok(Val::Array { dims: dims.clone(), leaves })
            }
            Val::Scalar(_) => Err("a part of a scalar".into()),
        }
    }

    fn call(
        &mut self,
        callee: FuncId,
        sizes: &[Size],
        args: &[Expr],
        fresh: &[Local],
    ) -> Result<Val, String> {
        let program = self.program;
        let func = program.func(callee).ok_or("a call of an unknown function")?;
        let signature =
            self.signatures.get(callee.0 as usize).ok_or("a call of an unknown function")?.clone();
        // An argument may be a call itself and bind sizes that this one needs.
        let args = args.iter().map(|arg| self.expr(arg)).collect::<Result<Vec<_>, _>>()?;
        let size_values = self.all_sizes(sizes)?;
        let known = |atom: &Atom| match atom {
            Atom::Local(local) => {
                if let Some(position) = func.sizes.iter().position(|size| size == local) {
                    return Some(Known::Size(sizes[position].clone()));
                }
                func.params.iter().position(|param| param == local).map(Known::Arg)
            }
            Atom::FloorDiv(..)
            | Atom::Min(..)
            | Atom::Max(..)
            | Atom::Fresh(_)
            | Atom::Param(_)
            | Atom::Const(_) => None,
        };
        let mut ir_args = size_values.clone();
        for extra in &signature.extra {
            ir_args.push(self.callee_size(extra, &known, &args)?);
        }
        for (leaves, arg) in signature.params.iter().zip(&args) {
            let mut values = Vec::new();
            arg.leaves(&mut values);
            if values.len() != leaves.len() {
                return Err(format!("{} leaves passed to {} of `{}`", values.len(), leaves.len(), func.name));
            }
            for (leaf, value) in leaves.iter().zip(values) {
                let dims = leaf.sizes.iter().map(|size| match position_of(func, &signature.extra, size) {
                    Some(position) => Ok(ir_args[position]),
                    None => Err("a parameter size that is no parameter".to_owned()),
                });
                let dims = dims.collect::<Result<Vec<_>, _>>()?;
                let ty =
                    if dims.is_empty() { IrType::Scalar(leaf.elem) } else { IrType::Array(leaf.elem, dims) };
                ir_args.push(self.resized(value, &ty));
            }
        }
        let op = self.b.append(Opcode::Call(IrFuncId::from_u32(callee.0)), ir_args.clone(), vec![], &[]);
        let integers = signature.fresh + signature.computed.len();
        let mut results: Vec<Value> =
            (0..integers).map(|_| self.b.func.add_result(op, IrType::I64)).collect();
        for leaf in &signature.results {
            let dims = leaf.sizes.iter().map(|size| match signature.result_size(func, size) {
                Some(ResultSize::Param(position)) => Ok(ir_args[position]),
                Some(ResultSize::Result(number)) => Ok(results[number]),
                None => Err("a result size that is neither parameter nor result".to_owned()),
            });
            let dims = dims.collect::<Result<Vec<_>, _>>()?;
            let ty = if dims.is_empty() { IrType::Scalar(leaf.elem) } else { IrType::Array(leaf.elem, dims) };
            let value = self.b.func.add_result(op, ty);
            results.push(value);
        }
        for (local, value) in fresh.iter().zip(&results) {
            self.bind(*local, Val::Scalar(*value));
            self.sizes.insert(Size::local(*local), *value);
        }
        self.rebuild(&func.result, &mut &results[integers..])
    }

    /// A size of the callee's signature in terms of the caller.
    fn callee_size(
        &mut self,
        size: &Size,
        known: &dyn Fn(&Atom) -> Option<Known>,
        args: &[Val],
    ) -> Result<Value, String> {
        if let Some(Known::Arg(number)) = size.as_atom().and_then(known) {
            return args[number].scalar();
        }
        let uses_args = {
            let mut found = false;
            size.for_each_atom(&mut |atom| found |= matches!(known(atom), Some(Known::Arg(_))));
            found
        };
        if uses_args {
            return self.mixed_size(size, known, args);
        }
        let substituted = size.subst(&|atom| match known(atom) {
            Some(Known::Size(size)) => Some(size),
            Some(Known::Arg(_)) | None => None,
        });
        self.size(&substituted)
    }

    /// A size over size parameters and `i64` arguments: the atoms are bound for the moment.
    fn mixed_size(
        &mut self,
        size: &Size,
        known: &dyn Fn(&Atom) -> Option<Known>,
        args: &[Val],
    ) -> Result<Value, String> {
        let mut atoms: Vec<Atom> = Vec::new();
        size.for_each_atom(&mut |atom| {
            if known(atom).is_some() && !atoms.contains(atom) {
                atoms.push(atom.clone());
            }
        });
        let mut values = Vec::new();
        for atom in &atoms {
            values.push(match known(atom) {
                Some(Known::Size(size)) => self.size(&size)?,
                Some(Known::Arg(number)) => args[number].scalar()?,
                None => return Err("a size of an unknown atom".into()),
            });
        }
        // The callee's variables are bound in a scope of their own, so that they cannot be taken for the caller's.
        let hidden = std::mem::take(&mut self.sizes);
        self.sizes.push();
        for (atom, value) in atoms.into_iter().zip(values) {
            self.sizes.insert(Size::atom(atom), value);
        }
        let value = self.closed_polynomial(size);
        self.sizes = hidden;
        value
    }
}

/// What a callee's variable is at a call.
enum Known {
    /// A size argument.
    Size(Size),
    /// An `i64` argument, by position.
    Arg(usize),
}

/// The position of the IR parameter that holds a size of a parameter type.
fn position_of(func: &crate::typed::Func, extra: &[Size], size: &Size) -> Option<usize> {
    if let Some(Atom::Local(local)) = size.as_atom()
        && let Some(position) = func.sizes.iter().position(|param| param == local)
    {
        return Some(position);
    }
    extra.iter().position(|known| known == size).map(|position| func.sizes.len() + position)
}

fn scalar_type(ty: &Type) -> Result<Scalar, String> {
    ty.as_scalar().ok_or_else(|| "a scalar type was expected".into())
}
