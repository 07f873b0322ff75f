//! Types written inside a body: names are the body's, sizes may be any expression.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::{BinaryOp, Const};
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast::{self, ExprKind as Ast, TypeKind};

use super::coerce::Wanted;
use super::literal::Literal;
use super::{BindingKind, Body, Pending};
use crate::check::defs::{Def, ModuleId};
use crate::check::elaborate::{TypeEnv, elaborate, path_type, read_size};
use crate::check::session::Checker;
use crate::codes;
use crate::typed::{Atom, ConstArg, Expr, ExprKind, Size, Stmt, StmtKind, Type, const_as_i64};

impl<'a, 's> TypeEnv<'a, 's> for Body<'_, 'a, 's> {
    fn checker(&mut self) -> &mut Checker<'a, 's> {
        self.cx
    }

    fn module(&self) -> ModuleId {
        self.module
    }

    fn type_param(&mut self, name: &str) -> Option<Type> {
        if name == "Self" {
            return self.self_ty.clone();
        }
        let index = self.generics.types.iter().rposition(|param| param.name == name)?;
        self.types.get(index).cloned()
    }

    fn type_param_names(&self) -> Vec<String> {
        self.generics.types.iter().map(|param| param.name.clone()).collect()
    }

    fn size(&mut self, expr: &'a ast::Expr) -> Option<Size> {
        let mut pre = Vec::new();
        let size = self.size_of_expr(expr, &mut pre);
        self.type_pre.append(&mut pre);
        size
    }

    fn size_path(&mut self, path: &'a ast::Path) -> Option<Size> {
        let mut pre = Vec::new();
        let value = self.path_value(path, Some(&Type::I64), path.span);
        let value = self.coerce(value, &Type::I64, Wanted { span: None, what: "a size" });
        let size = self.size_of_value(value, &mut pre);
        self.type_pre.append(&mut pre);
        size
    }

    fn fresh(&mut self, name: &ast::Name, span: Span) -> Option<Size> {
        let message = format!("`?{}` may stand in a result type only", name.text);
        self.cx.report(Diagnostic::error(codes::BAD_SIZE, span, message).with_fix(
            format!("write `{}`: a `let` binds new names", name.text),
            span,
            name.text.clone(),
        ));
        None
    }

    fn open(&mut self, span: Span) -> Option<Size> {
        if self.marks.is_some() {
            let mark = self.hidden_index("?", None, span);
            self.marks.get_or_insert_default().push(mark);
            return Some(Size::local(mark));
        }
        self.cx.report(Diagnostic::error(
            codes::BAD_SIZE,
            span,
            "`?` may stand in the type of a `let mut` only",
        ));
        None
    }

    fn const_arg(&mut self, expr: &'a ast::Expr, ty: Scalar) -> Option<ConstArg> {
        if let Ast::Path(path) = &expr.kind {
            return self.const_arg_path(path, ty);
        }
        let value = self.expr(expr, Some(&Type::Scalar(ty)));
        self.const_arg_value(value, ty)
    }

    fn const_arg_path(&mut self, path: &'a ast::Path, ty: Scalar) -> Option<ConstArg> {
        if let Some(name) = path.as_name()
            && let Some(index) = self.generics.consts.iter().rposition(|c| c.name == name.text)
        {
            return self.consts.get(index).copied();
        }
        let value = self.path_value(path, Some(&Type::Scalar(ty)), path.span);
        self.const_arg_value(value, ty)
    }
}

impl<'a> Body<'_, 'a, '_> {
    fn const_arg_value(&mut self, value: Expr, ty: Scalar) -> Option<ConstArg> {
        let span = value.span;
        let wanted = Wanted { span: None, what: "the const parameter" };
        let value = self.coerce(value, &Type::Scalar(ty), wanted);
        if value.ty == Type::Error {
            return None;
        }
        if let Some(value) = self.fold(&value) {
            return Some(ConstArg::Value(value));
        }
        if self.abstract_mode && self.is_const_condition(&value) {
            // Something like `N / 2` of an open parameter.
            return Some(ConstArg::Param(u32::MAX));
        }
        self.cx.report(
            Diagnostic::error(codes::NOT_CONST, span, "this must be known at compile time")
                .with_note("const arguments are made of literals, `const` items and const parameters"),
        );
        None
    }

    /// A type as written.
    pub fn type_of(&mut self, ty: &'a ast::Type) -> Type {
        elaborate(self, ty)
    }

    /// The type a path names.
    pub fn type_of_path(&mut self, segments: &'a [ast::PathSegment], span: Span) -> Type {
        path_type(self, segments, span)
    }

    /// A type as a hint: sizes mean nothing, nothing is reported.
    pub fn type_hint(&mut self, ty: &'a ast::Type) -> Option<Type> {
        match &ty.kind {
            TypeKind::Array { elem, sizes } => {
                let elem = self.type_hint(elem)?;
                Some(elem.with_axes(vec![Size::default(); sizes.len()]))
            }
            TypeKind::Tuple(parts) => {
                let parts: Option<Vec<Type>> = parts.iter().map(|part| self.type_hint(part)).collect();
                parts.map(Type::Tuple)
            }
            TypeKind::Path(_) => {
                self.cx.quiet += 1;
                let (errors, pre) = (self.cx.errors, self.type_pre.len());
                let ty = self.type_of(ty);
                self.cx.errors = errors;
                self.cx.quiet -= 1;
                self.type_pre.truncate(pre);
                (ty != Type::Error).then_some(ty)
            }
            TypeKind::Fn { .. } | TypeKind::Error => None,
        }
    }

    /// The type of a `let`, given its value's: unknown names become the value's sizes.
    pub fn let_type(&mut self, ty: &'a ast::Type, have: &Type, out: &mut Vec<Stmt>) -> Type {
        self.bind_let_sizes(ty, have, out);
        let want = self.type_of(ty);
        out.append(&mut self.type_pre);
        want
    }

    /// Names in a `let`'s type that stand for the value's sizes.
    pub fn bind_let_sizes(&mut self, ty: &ast::Type, have: &Type, out: &mut Vec<Stmt>) {
        let have = self.shallow(have);
        match (&ty.kind, &have) {
            (TypeKind::Array { sizes, .. }, Type::Array { sizes: given, .. })
                if sizes.len() == given.len() =>
            {
                for (size, given) in sizes.iter().zip(given) {
                    if let ast::Size::Expr(expr) = size
                        && let Ast::Path(path) = &expr.kind
                    {
                        self.bind_size_name(path, given, out);
                    }
                }
            }
            (TypeKind::Tuple(parts), Type::Tuple(given)) if parts.len() == given.len() => {
                parts.iter().zip(given).for_each(|(part, given)| self.bind_let_sizes(part, given, out));
            }
            (TypeKind::Path(path), Type::Record(record)) => {
                let args = path.segments.last().and_then(|segment| segment.args.as_deref());
                let sizes = args.unwrap_or(&[]).iter().rev().zip(record.sizes.iter().rev());
                for (arg, given) in sizes {
                    if let ast::GenericArg::Path(path) = arg {
                        self.bind_size_name(path, given, out);
                    }
                }
            }
            _ => {}
        }
    }

    fn bind_size_name(&mut self, path: &ast::Path, given: &Size, out: &mut Vec<Stmt>) {
        let Some(name) = path.as_name() else { return };
        // Functions, modules and types are no sizes: their names are free for one.
        let known = self.lookup(&name.text).is_some()
            || self.generics.consts.iter().any(|c| c.name == name.text)
            || matches!(self.cx.own_name(self.module, &name.text), Some(Def::Const(_)));
        if known {
            return;
        }
        let local = self.new_local(&name.text, Type::I64, name.span);
        let data = self.local_mut(local);
        data.size = Some(given.clone());
        data.nonneg = true;
        data.used = true;
        let value = self.size_expr(given.clone(), name.span);
        out.push(Stmt { kind: StmtKind::Let(local, value), span: name.span });
        self.bind_name(&name.text, local);
    }

    /// An expression as a size; what is no polynomial is bound to a hidden variable in `pre`.
    pub fn size_of_expr(&mut self, expr: &'a ast::Expr, pre: &mut Vec<Stmt>) -> Option<Size> {
        read_size(expr, &mut |leaf| {
            let value = self.expr(leaf, Some(&Type::I64));
            let value = self.coerce(value, &Type::I64, Wanted { span: None, what: "a size" });
            self.size_of_value(value, pre)
        })
    }

    /// An `i64` value as a size.
    pub fn size_of_value(&mut self, value: Expr, pre: &mut Vec<Stmt>) -> Option<Size> {
        if value.ty == Type::Error {
            return None;
        }
        if let Some(size) = self.as_size(&value) {
            return Some(size);
        }
        let name = self.cx.text(value.span);
        let local = self.hoist_local(pre, value, &name);
        Some(Size::local(local))
    }

    /// The size an `i64` expression is, if it is made of sizes.
    pub fn as_size(&self, value: &Expr) -> Option<Size> {
        match &value.kind {
            ExprKind::Size(size) => Some(size.clone()),
            ExprKind::Const(constant) if constant.ty == Scalar::I64 => {
                Some(Size::constant(const_as_i64(*constant)))
            }
            ExprKind::Local(local) => {
                let data = self.local(*local);
                if data.info.mutable {
                    return None;
                }
                if let Some(size) = &data.size {
                    return Some(size.clone());
                }
                (self.shallow(&data.info.ty) == Type::I64).then(|| Size::local(*local))
            }
            ExprKind::Binary(op, a, b, _) if value.ty == Type::I64 => {
                let (a, b) = (self.as_size(a)?, self.as_size(b)?);
                let size = match op {
                    BinaryOp::Add => Some(a.plus(&b)),
                    BinaryOp::Sub => Some(a.minus(&b)),
                    BinaryOp::Mul => Some(a.times(&b)),
                    BinaryOp::Min => Some(a.min_with(&b)),
                    BinaryOp::Max => Some(a.max_with(&b)),
                    BinaryOp::Div => match b.as_constant() {
                        Some(divisor) if divisor > 0 && self.size_nonneg(&a) => Some(a.floor_div(divisor)),
                        _ => None,
                    },
                    BinaryOp::Rem
                    | BinaryOp::And
                    | BinaryOp::Or
                    | BinaryOp::Xor
                    | BinaryOp::Shl
                    | BinaryOp::Shr
                    | BinaryOp::RotateLeft
                    | BinaryOp::MulHi
                    | BinaryOp::CopySign
                    | BinaryOp::AddSat
                    | BinaryOp::SubSat
                    | BinaryOp::MulSat => None,
                };
                // What is larger is a number like any other.
                size.filter(Size::is_small)
            }
            ExprKind::Unary(we3_ir::op::UnaryOp::Neg, a) if value.ty == Type::I64 => {
                Some(self.as_size(a)?.scaled(-1))
            }
            ExprKind::Pending(index, args) if args.is_empty() => match self.pending.get(*index as usize) {
                Some(Pending::Literal(Literal::Int { value, negative })) => {
                    let value = i64::try_from(*value).ok()?;
                    Some(Size::constant(if *negative { -value } else { value }))
                }
                _ => None,
            },
            ExprKind::Block(block) if block.stmts.is_empty() => self.as_size(block.value.as_ref()?),
            ExprKind::Const(_)
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
            | ExprKind::Array(_)
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
            | ExprKind::Error => None,
        }
    }

    /// The constant an expression is, if the checker can tell.
    pub fn fold(&self, value: &Expr) -> Option<Const> {
        crate::check::consts::fold(value, &|expr| {
            if let ExprKind::Local(local) = &expr.kind {
                return self.local(*local).constant;
            }
            let ExprKind::Pending(index, args) = &expr.kind else { return None };
            match self.pending.get(*index as usize) {
                Some(Pending::Literal(literal)) => self.fold_literal(literal, &expr.ty),
                Some(Pending::TraitFn { of: None, name, .. }) => {
                    let args: Option<Vec<Const>> = args.iter().map(|arg| self.fold(arg)).collect();
                    crate::check::consts::fold_named(name, &args?)
                }
                _ => None,
            }
        })
    }

    fn fold_literal(&self, literal: &Literal, ty: &Type) -> Option<Const> {
        let scalar = match self.shallow(ty) {
            Type::Scalar(scalar) => scalar,
            Type::Infer(_) => match literal {
                Literal::Int { .. } => Scalar::I64,
                Literal::Float { .. } | Literal::Named(_) => Scalar::F64,
            },
            Type::Array { .. } | Type::Tuple(_) | Type::Record(_) | Type::Param(_) | Type::Error => {
                return None;
            }
        };
        let Literal::Int { value, negative } = literal else { return None };
        if !scalar.is_int() {
            return None;
        }
        let value = i128::try_from(*value).ok()?;
        let value = if *negative { -value } else { value };
        let mask = if scalar.bits() == 64 { u64::MAX } else { (1 << scalar.bits()) - 1 };
        Some(Const { ty: scalar, bits: value as u64 & mask })
    }

    /// Whether a value depends on constants and const parameters only.
    pub fn is_const_condition(&self, value: &Expr) -> bool {
        match &value.kind {
            ExprKind::Const(_) => true,
            ExprKind::Size(size) => {
                let mut ok = true;
                size.for_each_atom(&mut |atom| ok &= !matches!(atom, Atom::Local(_)));
                ok
            }
            ExprKind::Unary(_, a) | ExprKind::Convert(a) => self.is_const_condition(a),
            ExprKind::Binary(_, a, b, _) | ExprKind::Compare(_, a, b) => {
                self.is_const_condition(a) && self.is_const_condition(b)
            }
            ExprKind::If { cond, then, otherwise } => {
                let arm = |block: &crate::typed::Block| {
                    block.stmts.is_empty() && block.value.as_ref().is_some_and(|v| self.is_const_condition(v))
                };
                self.is_const_condition(cond) && arm(then) && arm(otherwise)
            }
            ExprKind::Pending(_, args) => args.iter().all(|arg| self.is_const_condition(arg)),
            ExprKind::Local(local) => self.local(*local).constant.is_some(),
            ExprKind::Len(..)
            | ExprKind::Fma(..)
            | ExprKind::Select(..)
            | ExprKind::Bitcast(_)
            | ExprKind::Tuple(_)
            | ExprKind::Field(..)
            | ExprKind::Array(_)
            | ExprKind::Build { .. }
            | ExprKind::Index { .. }
            | ExprKind::Reshape(_)
            | ExprKind::Reduce { .. }
            | ExprKind::Dot { .. }
            | ExprKind::DotBy { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Scatter { .. }
            | ExprKind::Update { .. }
            | ExprKind::Block(_)
            | ExprKind::Call { .. }
            | ExprKind::Error => false,
        }
    }

    /// Whether a name is a variable of type `i64` that never changes.
    pub fn immutable_i64(&self, name: &str) -> Option<Size> {
        match self.lookup(name)? {
            BindingKind::Local(local) => {
                let data = self.local(local);
                (!data.info.mutable && self.shallow(&data.info.ty) == Type::I64)
                    .then(|| data.size.clone().unwrap_or_else(|| Size::local(local)))
            }
            BindingKind::Fn(_) => None,
        }
    }
}
