//! Calls: which function, which argument for which parameter, generic arguments and sizes from the
//! arguments' types.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::{self, ExprKind as Ast};

use super::coerce::Wanted;
use super::lambda::{FnVal, Target};
use super::solve_sizes::{CallSubst, Pair, bind_consts};
use super::{Body, Pending, PendingCall, VarKind};
use crate::check::defs::{ParamType, Signature, TraitId};
use crate::check::traits::ImplArgs;
use crate::codes;
use crate::typed::{Atom, ConstArg, Expr, ExprKind, Size, Stmt, Substitution, Type};

/// An argument: as written, or already a value.
#[derive(Clone)]
pub struct CallArg<'a> {
    pub name: Option<&'a ast::Name>,
    pub value: ArgValue<'a>,
    pub span: Span,
}

#[derive(Clone)]
pub enum ArgValue<'a> {
    Ast(&'a ast::Expr),
    Value(Expr),
}

impl CallArg<'_> {
    /// A value as an argument without a name.
    pub fn value(value: Expr) -> Self {
        let span = value.span;
        CallArg { name: None, value: ArgValue::Value(value), span }
    }
}

impl<'a> Body<'_, 'a, '_> {
    /// `callee(args clause)`.
    pub fn call(
        &mut self,
        callee: &'a ast::Expr,
        args: &'a [ast::Arg],
        clause: Option<&'a ast::ForClause>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        if let Ast::Field { base, field } = &callee.without_parens().kind {
            return self.method_call(base, field, args, span);
        }
        let Some(function) = self.fn_value_if_function(callee) else {
            self.not_a_function(callee);
            for arg in args {
                if !matches!(arg.value.kind, Ast::Lambda { .. } | Ast::Operator(_)) {
                    self.cx.quiet += 1;
                    self.expr(&arg.value, None);
                    self.cx.quiet -= 1;
                }
            }
            return self.error(span);
        };
        let args: Vec<CallArg<'a>> = args
            .iter()
            .map(|arg| CallArg { name: arg.name.as_ref(), value: ArgValue::Ast(&arg.value), span: arg.span })
            .collect();
        if let FnVal::Builtin(name, explicit) = &function {
            let given = self.builtin_type(explicit);
            return self.builtin(name, args, clause, given.as_ref().or(hint), span);
        }
        if let Some(clause) = clause {
            let text = self.cx.text(callee.span);
            self.cx.report(
                Diagnostic::error(
                    codes::NEEDS_CLAUSE,
                    clause.span,
                    format!("`{text}` takes no `for` clause"),
                )
                .with_note(format!("for one call per element write `[{text}(…) for …]`")),
            );
            return self.error(span);
        }
        match &function {
            FnVal::Def(target) => self.call_def(target, args, hint, span),
            FnVal::TraitFn { .. } => self.call_trait_fn(&function, args, hint, span),
            FnVal::Builtin(..) => self.error(span),
            FnVal::Lambda { .. } | FnVal::Operator(_) | FnVal::Given { .. } | FnVal::Abstract { .. } => {
                let values: Vec<Expr> = args.iter().map(|arg| self.arg(arg, None)).collect();
                self.apply(&function, values, span)
            }
        }
    }

    /// The type after a built-in's `::<`.
    pub fn builtin_type(&mut self, explicit: &'a [ast::GenericArg]) -> Option<Type> {
        match explicit.first()? {
            ast::GenericArg::Path(path) => Some(self.type_of_path(&path.segments, path.span)),
            ast::GenericArg::Type(ty) => Some(self.type_of(ty)),
            ast::GenericArg::Size(_) => None,
        }
    }

    fn not_a_function(&mut self, callee: &'a ast::Expr) {
        match callee.as_name() {
            Some(name)
                if self.lookup(&name.text).is_none()
                    && self.cx.own_name(self.module, &name.text).is_none() =>
            {
                self.unknown_name(name);
            }
            _ => {
                let value = self.expr(callee, None);
                if value.ty != Type::Error {
                    let shown = self.show(&value.ty);
                    self.cx.report(
                        Diagnostic::error(
                            codes::NOT_A_FUNCTION,
                            callee.span,
                            format!("this is `{shown}`, not a function"),
                        )
                        .with_note("subscripts take brackets: `x[i]`"),
                    );
                }
            }
        }
    }

    /// The value of an argument.
    pub fn arg(&mut self, arg: &CallArg<'a>, hint: Option<&Type>) -> Expr {
        match &arg.value {
            ArgValue::Ast(expr) => self.expr(expr, hint),
            ArgValue::Value(value) => value.clone(),
        }
    }

    /// A trait's function: element-wise over arrays when it takes elements and nothing else is to be found out.
    pub fn call_trait_fn(
        &mut self,
        function: &FnVal<'a>,
        args: Vec<CallArg<'a>>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let FnVal::TraitFn { of, name, self_ty, explicit } = function else { return self.error(span) };
        let id = match of {
            Some(of) => self.trait_fn_id(*of, name),
            None => self.cx.defs.trait_fns.get(name).copied(),
        };
        let Some(id) = id else { return self.error(span) };
        let signature = self.cx.signature(id);
        if !explicit.is_empty() || !is_element_wise(&signature, args.len()) {
            let self_ty = self_ty.clone().unwrap_or_else(|| self.new_var(VarKind::Any, span));
            let outer = ImplArgs { types: vec![self_ty], consts: Vec::new() };
            return self.call_def(&Target { id, outer, explicit }, args, hint, span);
        }
        if signature.params.len() != args.len() {
            self.arity(&format!("`{name}`"), signature.params.len(), args.len(), span);
            return self.error(span);
        }
        let Some(slots) = self.match_args(id, &signature, args, span) else { return self.error(span) };
        let self_var = match self_ty {
            Some(ty) => ty.clone(),
            None => self.new_var(VarKind::Any, span),
        };
        let mut pre = Vec::new();
        let Some(values) = self.element_args(&signature, &slots, self_ty.clone(), &self_var, hint, &mut pre)
        else {
            return self.error(span);
        };
        let result = signature.result.subst(&SelfSubst(&self_var));
        let value = self.lift(values, span, &mut |body: &mut Self, elems: Vec<Expr>| {
            let mut pairs = Vec::new();
            for (value, param) in elems.iter().zip(&signature.params) {
                let ParamType::Value(ty) = &param.ty else { continue };
                let want = ty.subst(&SelfSubst(&self_var));
                if let Err(mismatch) = body.unify(&want, &value.ty, &mut pairs) {
                    let what = format!("the parameter `{}` of `{name}`", param.name);
                    let wanted = Wanted { span: None, what: &what };
                    body.mismatch(mismatch, &want, &value.ty, value.span, wanted);
                    return body.error(span);
                }
            }
            body.trait_fn_typed(*of, name, &self_var, result.clone(), elems, span, name)
        });
        if value.ty == Type::Error { value } else { self.wrap(pre, value) }
    }

    /// The arguments of an element-wise function in the order of its parameters, evaluated as they are written.
    fn element_args(
        &mut self,
        signature: &Signature<'a>,
        slots: &[Option<CallArg<'a>>],
        mut known: Option<Type>,
        self_var: &Type,
        hint: Option<&Type>,
        pre: &mut Vec<Stmt>,
    ) -> Option<Vec<Expr>> {
        let mut values = Vec::new();
        for (index, (arg, param)) in slots.iter().zip(&signature.params).enumerate() {
            let ParamType::Value(ty) = &param.ty else { return None };
            let hinted = if *ty == Type::Param(0) {
                known.clone().or_else(|| {
                    hint.map(|hint| self.shallow(hint).elem().clone())
                        .filter(|_| signature.result == Type::Param(0))
                })
            } else {
                Some(ty.subst(&SelfSubst(self_var)))
            };
            let value = self.arg(arg.as_ref()?, hinted.as_ref());
            if *ty == Type::Param(0) && known.is_none() {
                let elem = self.shallow(&value.ty).elem().clone();
                if self.var_kind(&elem).is_none() {
                    known = Some(elem);
                }
            }
            values.push((index, value));
        }
        if values.iter().all(|(_, value)| value.ty != Type::Error) {
            self.in_written_order(slots, &mut values, pre);
        }
        Some(values.into_iter().map(|(_, value)| value).collect())
    }

    /// The function of a trait or of what it builds on.
    pub fn trait_fn_id(&mut self, of: TraitId, name: &str) -> Option<crate::check::defs::FnId> {
        let all = self.cx.supers(of);
        all.iter().find_map(|of| self.cx.defs.traits[of.index()].fns.get(name).copied())
    }

    /// A call of a function of the source.
    pub fn call_def(
        &mut self,
        target: &Target<'a>,
        args: Vec<CallArg<'a>>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let signature = self.cx.signature(target.id);
        let generics = signature.generics.clone();
        let mut subst = CallSubst {
            types: Vec::new(),
            consts: vec![None; generics.consts.len()],
            sizes: vec![None; generics.sizes.len()],
        };
        for index in 0..generics.types.len() {
            let ty = match target.outer.types.get(index) {
                Some(ty) => ty.clone(),
                None => self.new_var(VarKind::Any, span),
            };
            subst.types.push(ty);
        }
        for (slot, value) in subst.consts.iter_mut().zip(&target.outer.consts) {
            *slot = Some(*value);
        }
        if !self.explicit_args(target, &signature, &mut subst, span) {
            return self.error(span);
        }
        let Some(slots) = self.match_args(target.id, &signature, args, span) else {
            return self.error(span);
        };
        let errors = self.cx.errors;
        let mut pre = Vec::new();
        let Some(values) = self.eval_args(target, &signature, &slots, &mut subst, &mut pre, span) else {
            return self.error(span);
        };
        let mut pairs = Vec::new();
        for (index, value) in &values {
            let ParamType::Value(template) = &signature.params[*index].ty else { continue };
            bind_consts(template, &self.resolve(&value.ty), &mut subst.consts);
            let want = template.subst(&subst);
            let mut sizes = Vec::new();
            if let Err(mismatch) = self.unify(&want, &value.ty, &mut sizes) {
                let param = &signature.params[*index];
                let what = format!("the parameter `{}`", param.name);
                self.mismatch(
                    mismatch,
                    &want,
                    &value.ty,
                    value.span,
                    Wanted { span: Some(param.span), what: &what },
                );
                continue;
            }
            pairs.extend(sizes.into_iter().map(|(want, have)| Pair {
                want,
                have,
                span: value.span,
                param: *index,
            }));
        }
        if self.cx.errors > errors {
            return self.error(span);
        }
        // Checks come after all arguments: these are bound first if there is any check.
        let mut checks = Vec::new();
        self.bind_sizes(&signature, &mut subst, &pairs, &mut checks, span);
        if self.cx.errors > errors {
            return self.error(span);
        }
        if let Some(hint) = hint {
            let result = self.shallow(signature.result.subst(&subst).elem());
            let hint = self.shallow(hint).elem().clone();
            if matches!(result, Type::Infer(_)) && hint != Type::Error {
                self.unify_elem(&result, &hint);
            }
        }
        let mut args = Vec::new();
        for (_, value) in values {
            args.push(if checks.is_empty() { value } else { self.hoist(&mut pre, value, "argument") });
        }
        pre.append(&mut checks);
        let Some(fns) = self.fn_args_of(&signature, &slots, &subst, span) else {
            return self.error(span);
        };
        self.finish_call(target, &signature, subst, args, fns, pre, span)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one call, used once")]
    fn finish_call(
        &mut self,
        target: &Target<'a>,
        signature: &Signature<'a>,
        subst: CallSubst,
        args: Vec<Expr>,
        fns: Vec<super::PendingFn>,
        pre: Vec<Stmt>,
        span: Span,
    ) -> Expr {
        let generics = &signature.generics;
        for (param, ty) in generics.types.iter().zip(&subst.types) {
            for bound in &param.bounds {
                self.obligations.push((ty.clone(), *bound, span));
            }
        }
        let mut consts = Vec::new();
        for (param, value) in generics.consts.iter().zip(&subst.consts) {
            match value {
                Some(value) => consts.push(*value),
                None => {
                    let name = &self.cx.defs.fns[target.id.index()].name;
                    let message =
                        format!("the const parameter `{}` of `{name}` is not known here", param.name);
                    self.cx.report(
                        Diagnostic::error(codes::CANNOT_INFER, span, message)
                            .with_note(format!("write it: `{name}::<…>(…)`")),
                    );
                    return self.error(span);
                }
            }
        }
        let sizes: Vec<Size> = generics
            .sizes
            .iter()
            .zip(&subst.sizes)
            .filter(|(param, _)| param.value_param.is_none())
            .map(|(_, size)| size.clone().unwrap_or_default())
            .collect();
        let result = signature.result.subst(&subst);
        let (ty, fresh) = self.fresh_result(&result, span);
        let call = PendingCall { id: target.id, types: subst.types, consts, fns, sizes, fresh };
        self.pending.push(Pending::Call(call));
        let kind = ExprKind::Pending(self.pending.len() as u32 - 1, args);
        let value = Expr { kind, ty, span };
        self.wrap(pre, value)
    }
}

/// Whether a trait's function takes elements only, and all of them are given: then it works on arrays too.
fn is_element_wise(signature: &Signature<'_>, given: usize) -> bool {
    let generics = &signature.generics;
    let own = (generics.types.len(), generics.consts.len()) != generics.outer;
    let elements =
        signature.params.iter().all(|param| matches!(&param.ty, ParamType::Value(ty) if ty.rank() == 0));
    let needed = signature.params.iter().filter(|param| param.default.is_none()).count();
    let defaulted = (needed..signature.params.len()).contains(&given);
    elements && !own && !defaulted && generics.sizes.is_empty() && signature.fresh.is_empty()
}

/// `Self` of a trait's signature.
pub struct SelfSubst<'t>(pub &'t Type);

impl Substitution for SelfSubst<'_> {
    fn type_param(&self, index: u32) -> Option<Type> {
        (index == 0).then(|| self.0.clone())
    }

    fn const_param(&self, _: u32) -> Option<ConstArg> {
        None
    }

    fn atom(&self, _: &Atom) -> Option<Size> {
        None
    }
}
