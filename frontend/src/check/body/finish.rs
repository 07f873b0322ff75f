//! The end of a body: variables get their types, what was pending becomes literals, operations and
//! calls, lambdas given away become functions.

use std::collections::BTreeSet;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;

use super::{Body, Pending, PendingCall, PendingFn, VarKind};
use crate::check::defs::{FnId, Owner, TraitId};
use crate::check::instances::{FnArg, Item};
use crate::codes;
use crate::typed::{
    Atom, Block, ConstArg, Expr, ExprKind, Func, FuncId, Local, LocalInfo, Numerics, Returned, Type, walk,
};

impl Body<'_, '_, '_> {
    /// Gives every variable its type; reports what stays open and bounds that do not hold.
    pub fn settle(&mut self) {
        for index in 0..self.vars.len() {
            let ty = Type::Infer(index as u32);
            if let Type::Infer(open) = self.shallow(&ty) {
                match self.vars[open as usize].kind {
                    VarKind::Int | VarKind::Float => self.default_var(&ty),
                    VarKind::Any => {
                        let span = self.vars[open as usize].span;
                        self.vars[open as usize].value = Some(Type::Error);
                        // What would have named the type may be what was wrong before.
                        if self.cx.errors > self.errors_before {
                            continue;
                        }
                        self.cx.report(
                            Diagnostic::error(
                                codes::CANNOT_INFER,
                                span,
                                "the element type cannot be inferred here",
                            )
                            .with_note("write a type: `let x: f32[n] = …;`"),
                        );
                    }
                }
            }
        }
        for (local, value) in self.holes.clone() {
            if value.is_none() {
                let (name, span) = (self.local(local).info.name.clone(), self.local(local).info.span);
                self.cx.report(
                    Diagnostic::error(
                        codes::SIZE_UNKNOWN,
                        span,
                        format!("the size `{name}` of this record follows from none of its fields"),
                    )
                    .with_note("write the record's arguments: `S::<…> { … }`"),
                );
            }
        }
        let obligations = std::mem::take(&mut self.obligations);
        let generics = self.generics.clone();
        for (ty, of, span) in obligations {
            let ty = self.resolve(&ty);
            if !self.cx.implements(&ty, of, &generics) {
                self.report_bound(&ty, of, span);
            }
        }
    }

    fn report_bound(&mut self, ty: &Type, of: TraitId, span: Span) {
        let shown = self.show(ty);
        let name = self.cx.trait_name(of);
        let error = match ty {
            Type::Param(index) => {
                let at = super::Checker::param_span(&self.generics, *index);
                Diagnostic::error(
                    codes::MISSING_BOUND,
                    span,
                    format!("`{shown}` may be a type without `{name}`"),
                )
                .with_label(at, format!("require it: `{shown}: {name}`"))
            }
            Type::Scalar(scalar) if scalar.is_int() && name == "Float" => {
                Diagnostic::error(codes::NOT_IMPLEMENTED_TRAIT, span, format!("`{shown}` is not a float"))
                    .with_note("convert the arguments first: `x as f64`")
            }
            Type::Scalar(_)
            | Type::Array { .. }
            | Type::Tuple(_)
            | Type::Record(_)
            | Type::Infer(_)
            | Type::Error => Diagnostic::error(
                codes::NOT_IMPLEMENTED_TRAIT,
                span,
                format!("`{shown}` does not implement `{name}`"),
            )
            .with_note(format!("write `impl {name} for {shown} {{ … }}`")),
        };
        self.cx.report(error);
    }

    /// Fills in an expression and all it holds.
    pub fn finish_expr(&mut self, expr: &mut Expr) {
        walk::exprs_mut(expr, &mut |inner| self.finish_one(inner));
    }

    /// Fills in a block.
    pub fn finish_block(&mut self, block: &mut Block) {
        walk::block_mut(block, &mut |inner| self.finish_one(inner));
    }

    /// One expression whose parts are finished.
    fn finish_one(&mut self, expr: &mut Expr) {
        expr.ty = self.resolve(&expr.ty);
        if !self.holes.is_empty() {
            self.fill_expr(expr);
        }
        if let ExprKind::Pending(index, args) = &mut expr.kind {
            let (index, args) = (*index, std::mem::take(args));
            let made = self.finish_pending(index, args, &expr.ty, expr.span);
            let ty = std::mem::replace(&mut expr.ty, Type::Error);
            *expr = Expr { ty, ..made };
        }
    }

    /// Replaces open sizes in an expression itself.
    fn fill_expr(&self, expr: &mut Expr) {
        expr.ty = self.fill_type(&expr.ty);
        match &mut expr.kind {
            ExprKind::Size(size) => *size = self.fill_holes(size),
            ExprKind::Build { axes, .. } => {
                axes.iter_mut().for_each(|axis| axis.size = self.fill_holes(&axis.size))
            }
            ExprKind::Scan { axis, .. } => axis.size = self.fill_holes(&axis.size),
            ExprKind::Const(_)
            | ExprKind::Local(_)
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
            | ExprKind::Index { .. }
            | ExprKind::Reshape(_)
            | ExprKind::Reduce { .. }
            | ExprKind::Dot { .. }
            | ExprKind::DotBy { .. }
            | ExprKind::Scatter { .. }
            | ExprKind::Update { .. }
            | ExprKind::If { .. }
            | ExprKind::Block(_)
            | ExprKind::Call { .. }
            | ExprKind::Pending(..)
            | ExprKind::Error => {}
        }
    }

    fn fill_type(&self, ty: &Type) -> Type {
        if self.holes.is_empty() { ty.clone() } else { ty.subst(&Holes(self)) }
    }

    fn finish_pending(&mut self, index: u32, args: Vec<Expr>, ty: &Type, span: Span) -> Expr {
        if index == u32::MAX {
            return self.blank_of(ty, span);
        }
        let Some(pending) = self.pending.get(index as usize).cloned() else { return self.error(span) };
        let mut made = match pending {
            Pending::Literal(literal) => self.literal_of(&literal, ty, span),
            Pending::TraitFn { of, name, self_ty } => {
                let self_ty = self.resolve(&self_ty);
                self.finish_trait_fn(of, &name, &self_ty, args, span)
            }
            Pending::TraitConst { of, name, self_ty } => {
                let self_ty = self.resolve(&self_ty);
                self.finish_trait_const(of, &name, &self_ty, span)
            }
            Pending::Call(call) => self.finish_call_pending(call, args, span),
        };
        // What was made may itself hold pending parts (a literal of a record type).
        if matches!(&made.kind, ExprKind::Pending(inner, _) if *inner != index) {
            self.finish_expr(&mut made);
        }
        made
    }

    /// A value of a type that nobody looks at: zeros.
    fn blank_of(&mut self, ty: &Type, span: Span) -> Expr {
        match self.resolve(ty) {
            Type::Scalar(scalar) => self.constant(scalar, 0, span),
            Type::Tuple(parts) => {
                let values = parts.iter().map(|part| self.blank_of(part, span)).collect();
                Expr { kind: ExprKind::Tuple(values), ty: ty.clone(), span }
            }
            Type::Record(record) => {
                let fields = self.fields(&record);
                let values = fields.iter().map(|field| self.blank_of(&field.ty, span)).collect();
                Expr { kind: ExprKind::Tuple(values), ty: ty.clone(), span }
            }
            Type::Array { elem, sizes } => {
                let mut value = self.build(sizes, span, &mut |body, _| body.blank_value(&elem, span));
                self.finish_expr(&mut value);
                value
            }
            Type::Infer(_) | Type::Param(_) | Type::Error => self.error(span),
        }
    }

    fn finish_trait_fn(
        &mut self,
        of: Option<TraitId>,
        name: &str,
        self_ty: &Type,
        args: Vec<Expr>,
        span: Span,
    ) -> Expr {
        if self.abstract_mode && contains_param(self_ty) || *self_ty == Type::Error {
            return self.error(span);
        }
        if let Type::Scalar(scalar) = self_ty
            && of.is_none_or(|of| self.cx.scalar_implements(*scalar, of))
        {
            if let Some(value) = self.native(name, *scalar, &args, span) {
                return value;
            }
            self.report_no_fn(name, self_ty, span);
            return self.error(span);
        }
        let Some(of) = self.trait_of(of, name, self_ty) else {
            self.report_no_fn(name, self_ty, span);
            return self.error(span);
        };
        let holder = self.holder_of(of, name).unwrap_or(of);
        let (item, types, consts) = match self.cx.impl_item_for(self_ty, holder, name) {
            Some((id, outer)) => {
                let Some(item) = self.cx.defs.impls[id.index()].fns.get(name).copied() else {
                    return self.error(span);
                };
                (item, outer.types, outer.consts)
            }
            None => {
                let Some(item) = self.cx.defs.traits[holder.index()].fns.get(name).copied() else {
                    return self.error(span);
                };
                (item, vec![self_ty.clone()], Vec::new())
            }
        };
        let func = self.request(item, types, consts, Vec::new(), span);
        let kind = ExprKind::Call { func, sizes: Vec::new(), args, fresh: Vec::new() };
        Expr { kind, ty: self_ty.clone(), span }
    }

    fn report_no_fn(&mut self, name: &str, ty: &Type, span: Span) {
        let shown = self.show(ty);
        self.cx.report(Diagnostic::error(codes::NOT_A_NUMBER, span, format!("`{shown}` has no `{name}`")));
    }

    /// The trait among `of` and what it builds on that declares an item.
    fn holder_of(&mut self, of: TraitId, name: &str) -> Option<TraitId> {
        let all = self.cx.supers(of);
        self.cx.bound_item(&all, name)
    }

    fn finish_trait_const(&mut self, of: Option<TraitId>, name: &str, self_ty: &Type, span: Span) -> Expr {
        if self.abstract_mode && contains_param(self_ty) || *self_ty == Type::Error {
            return self.error(span);
        }
        if let Type::Scalar(scalar) = self_ty
            && of.is_none_or(|of| self.cx.scalar_implements(*scalar, of))
            && let Some(value) = self.native_const(name, *scalar, span)
        {
            return value;
        }
        let Some(of) = self.trait_of(of, name, self_ty) else {
            let shown = self.show(self_ty);
            self.cx.report(
                Diagnostic::error(codes::NOT_IMPLEMENTED_TRAIT, span, format!("`{shown}` has no `{name}`"))
                    .with_note("it comes from an `impl Semiring` or `impl Num`"),
            );
            return self.error(span);
        };
        let holder = self.holder_of(of, name).unwrap_or(of);
        let (item, types, consts) = match self.cx.impl_item_for(self_ty, holder, name) {
            Some((id, outer)) => {
                let Some(item) = self.cx.defs.impls[id.index()].consts.get(name).copied() else {
                    return self.error(span);
                };
                (item, outer.types, outer.consts)
            }
            None => {
                let Some(item) = self.cx.defs.traits[holder.index()].consts.get(name).copied() else {
                    return self.error(span);
                };
                (item, vec![self_ty.clone()], Vec::new())
            }
        };
        let origin = self.origin;
        let func = self.cx.request_item(Item::Const(item), types, consts, Vec::new(), origin, span);
        let kind = ExprKind::Call { func, sizes: Vec::new(), args: Vec::new(), fresh: Vec::new() };
        Expr { kind, ty: self_ty.clone(), span }
    }

    fn finish_call_pending(&mut self, call: PendingCall, args: Vec<Expr>, span: Span) -> Expr {
        let types: Vec<Type> = call.types.iter().map(|ty| self.resolve(ty)).collect();
        // A generic definition is checked for its errors only; nothing of it is instantiated.
        if self.abstract_mode || types.contains(&Type::Error) {
            call.fns.into_iter().for_each(|mut function| self.finish_expr(&mut function.body));
            return self.error(span);
        }
        // After an error here the callee's instance could be blamed for it.
        if self.cx.errors > self.errors_before {
            call.fns.into_iter().for_each(|mut function| self.finish_expr(&mut function.body));
            return self.error(span);
        }
        let mut fns = Vec::new();
        let mut all = Vec::new();
        for function in call.fns {
            let commutative = function.commutative;
            let (func, captures) = self.lambda_func(function, span);
            fns.push(FnArg { func, captures: captures.len(), commutative });
            for local in captures {
                let ty = self.resolve(&self.local(local).info.ty);
                all.push(Expr { kind: ExprKind::Local(local), ty, span });
            }
        }
        all.extend(args);
        let Some((id, types, consts)) = self.implementation(call.id, types, call.consts) else {
            return self.error(span);
        };
        let func = self.request(id, types, consts, fns, span);
        let sizes = call.sizes.iter().map(|size| self.fill_holes(size)).collect();
        let kind = ExprKind::Call { func, sizes, args: all, fresh: call.fresh };
        Expr { kind, ty: Type::Error, span }
    }

    /// For a function of a trait: that of the type's `impl`, or the trait's own body.
    fn implementation(
        &mut self,
        id: FnId,
        types: Vec<Type>,
        consts: Vec<ConstArg>,
    ) -> Option<(FnId, Vec<Type>, Vec<ConstArg>)> {
        let def = &self.cx.defs.fns[id.index()];
        let Owner::Trait(of) = def.owner else { return Some((id, types, consts)) };
        let name = def.name.clone();
        let (self_ty, own) = types.split_first()?;
        let Some((owner, outer)) = self.cx.impl_item_for(self_ty, of, &name) else {
            return Some((id, types, consts));
        };
        let item = *self.cx.defs.impls[owner.index()].fns.get(&name)?;
        let types = outer.types.into_iter().chain(own.iter().cloned()).collect();
        let consts = outer.consts.into_iter().chain(consts).collect();
        Some((item, types, consts))
    }

    /// A lambda as a function of its own: captured variables are parameters in front of its own.
    fn lambda_func(&mut self, function: PendingFn, span: Span) -> (FuncId, Vec<Local>) {
        let mut body = function.body;
        self.finish_expr(&mut body);
        let mut used = BTreeSet::new();
        let mut bound: BTreeSet<Local> = function.params.iter().copied().collect();
        walk::locals(
            &body,
            &mut |local| {
                used.insert(local);
            },
            &mut |local| {
                bound.insert(local);
            },
        );
        let mut sizes = BTreeSet::new();
        let mut note = |size: &crate::typed::Size| {
            size.for_each_atom(&mut |atom| {
                if let Atom::Local(local) = atom {
                    sizes.insert(*local);
                }
            });
        };
        function.returned.iter().for_each(&mut note);
        function.result.for_each_size(&mut note);
        for local in used.iter().chain(&function.params) {
            self.local(*local).info.ty.for_each_size(&mut note);
        }
        used.extend(sizes);
        let mut captures: Vec<Local> = used.difference(&bound).copied().collect();
        // Sizes first: types of the others may name them.
        captures.sort_by_key(|local| (self.resolve(&self.local(*local).info.ty) != Type::I64, *local));
        let mut params = captures.clone();
        params.extend(&function.params);
        let mut locals = self.finished_locals();
        for local in &captures {
            locals[local.0 as usize].mutable = false;
        }
        let result = self.resolve(&function.result);
        let tail = Some(Returned { fresh: function.returned, value: *body });
        let func = Func {
            name: String::new(),
            span,
            locals,
            sizes: Vec::new(),
            params,
            fresh: function.fresh,
            result,
            body: Block::default(),
            tail,
            numerics: Numerics::Strict,
        };
        let id = self.cx.add_lambda(func, self.origin);
        (id, captures)
    }

    /// Every variable with its final type.
    pub fn finished_locals(&self) -> Vec<LocalInfo> {
        self.locals
            .iter()
            .map(|data| LocalInfo { ty: self.fill_type(&self.resolve(&data.info.ty)), ..data.info.clone() })
            .collect()
    }

    /// Warnings about variables.
    pub fn warn_unused(&mut self) {
        // A binder is several variables where its clause is gone over more than once.
        let used: BTreeSet<Span> =
            self.locals.iter().filter(|data| data.used).map(|data| data.info.span).collect();
        let unused: Vec<(String, Span)> = self
            .locals
            .iter()
            .filter(|data| {
                !data.used && !data.hidden && !data.info.name.starts_with('_') && !data.info.span.is_empty()
            })
            .filter(|data| data.info.ty != Type::Error && !used.contains(&data.info.span))
            .map(|data| (data.info.name.clone(), data.info.span))
            .collect();
        for (name, span) in unused {
            self.cx.report(
                Diagnostic::warning(codes::UNUSED_VARIABLE, span, format!("`{name}` is never used"))
                    .with_fix(format!("if that is meant, write `_{name}`"), span, format!("_{name}")),
            );
        }
    }

    /// Warnings about variables that could be immutable.
    pub fn warn_unchanged(&mut self) {
        let unchanged: Vec<(String, Span)> = self
            .locals
            .iter()
            .filter(|data| data.info.mutable && !data.assigned && data.used && !data.hidden)
            .map(|data| (data.info.name.clone(), data.info.span))
            .collect();
        for (name, span) in unchanged {
            self.cx.report(Diagnostic::warning(
                codes::UNUSED_MUT,
                span,
                format!("`{name}` never changes: it needs no `mut`"),
            ));
        }
    }
}

/// Open sizes by what was found for them.
struct Holes<'b, 'c, 'a, 's>(&'b Body<'c, 'a, 's>);

impl crate::typed::Substitution for Holes<'_, '_, '_, '_> {
    fn type_param(&self, _: u32) -> Option<Type> {
        None
    }

    fn const_param(&self, _: u32) -> Option<ConstArg> {
        None
    }

    fn atom(&self, atom: &Atom) -> Option<crate::typed::Size> {
        let Atom::Local(local) = atom else { return None };
        let hole = self.0.holes.iter().any(|(hole, _)| hole == local);
        hole.then(|| self.0.fill_holes(&crate::typed::Size::local(*local)))
    }
}

/// Whether a type holds a type parameter.
pub fn contains_param(ty: &Type) -> bool {
    match ty {
        Type::Param(_) => true,
        Type::Scalar(_) | Type::Infer(_) | Type::Error => false,
        Type::Array { elem, .. } => contains_param(elem),
        Type::Tuple(parts) => parts.iter().any(contains_param),
        Type::Record(record) => {
            record.types.iter().any(contains_param)
                || record.consts.iter().any(|value| matches!(value, ConstArg::Param(_)))
        }
    }
}
