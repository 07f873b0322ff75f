//! Calls: which function, which argument for which parameter, generic arguments and sizes from the
//! arguments' types.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::CompareOp;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast::{self, ExprKind as Ast};

use super::coerce::Wanted;
use super::lambda::{FnVal, Target};
use super::{Body, Pending, PendingCall, VarKind};
use crate::check::consts::const_of_i64;
use crate::check::defs::{ParamType, Signature, TraitId};
use crate::check::suggest::closest;
use crate::codes;
use crate::typed::{Atom, ConstArg, Expr, ExprKind, SiteKind, Size, Stmt, StmtKind, Substitution, Type};

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

/// Const parameters that are not known yet stand in sizes as `Atom::Param` from here on.
const OPEN_CONST: u32 = 1 << 20;

/// What a callee's parameters stand for at a call, as far as known.
struct CallSubst {
    types: Vec<Type>,
    consts: Vec<Option<ConstArg>>,
    sizes: Vec<Option<Size>>,
}

impl Substitution for CallSubst {
    fn type_param(&self, index: u32) -> Option<Type> {
        self.types.get(index as usize).cloned()
    }

    fn const_param(&self, index: u32) -> Option<ConstArg> {
        self.consts.get(index as usize).copied().flatten()
    }

    fn atom(&self, atom: &Atom) -> Option<Size> {
        match atom {
            Atom::Param(index) if *index >= OPEN_CONST => self.const_size(*index - OPEN_CONST),
            Atom::Param(index) => self.sizes.get(*index as usize).cloned().flatten(),
            Atom::Const(index) => {
                Some(self.const_size(*index).unwrap_or_else(|| Size::atom(Atom::Param(OPEN_CONST + index))))
            }
            Atom::Local(_) | Atom::FloorDiv(..) | Atom::Min(..) | Atom::Max(..) | Atom::Fresh(_) => None,
        }
    }
}

impl CallSubst {
    fn const_size(&self, index: u32) -> Option<Size> {
        match self.consts.get(index as usize).copied().flatten()? {
            ConstArg::Value(value) => Some(crate::check::signature::const_size(value)),
            ConstArg::Param(outer) => Some(Size::atom(Atom::Const(outer))),
        }
    }

    /// Fills in what has become known; `Atom::Const` is the caller's by now.
    fn size(&self, size: &Size) -> Size {
        size.subst(&|atom| if matches!(atom, Atom::Const(_)) { None } else { self.atom(atom) })
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
            FnVal::TraitFn { of, name, self_ty } => {
                self.call_trait_fn(*of, name, self_ty.as_ref(), args, hint, span)
            }
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

    /// A trait's function: element-wise over arrays when it takes elements.
    pub fn call_trait_fn(
        &mut self,
        of: Option<TraitId>,
        name: &str,
        self_ty: Option<&Type>,
        args: Vec<CallArg<'a>>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let id = match of {
            Some(of) => self.trait_fn_id(of, name),
            None => self.cx.defs.trait_fns.get(name).copied(),
        };
        let Some(id) = id else { return self.error(span) };
        let signature = self.cx.signature(id);
        if signature.params.len() != args.len() {
            self.arity(&format!("`{name}`"), signature.params.len(), args.len(), span);
            return self.error(span);
        }
        let self_var = match self_ty {
            Some(ty) => ty.clone(),
            None => self.new_var(VarKind::Any, span),
        };
        let fill = |ty: &Type| ty.subst(&SelfSubst(&self_var));
        let elementwise =
            signature.params.iter().all(|param| matches!(&param.ty, ParamType::Value(ty) if ty.rank() == 0));
        let mut values = Vec::new();
        let mut known: Option<Type> = self_ty.cloned();
        for (arg, param) in args.iter().zip(&signature.params) {
            let ParamType::Value(ty) = &param.ty else {
                return self.error(span);
            };
            let hinted = if *ty == Type::Param(0) {
                known.clone().or_else(|| {
                    hint.map(|hint| self.shallow(hint).elem().clone())
                        .filter(|_| signature.result == Type::Param(0))
                })
            } else {
                Some(fill(ty))
            };
            let value = self.arg(arg, hinted.as_ref());
            if *ty == Type::Param(0) && known.is_none() {
                let elem = self.shallow(&value.ty).elem().clone();
                if self.var_kind(&elem).is_none() {
                    known = Some(elem);
                }
            }
            values.push(value);
        }
        let function = |body: &mut Self, elems: Vec<Expr>| {
            let mut coerced = Vec::new();
            let mut pairs = Vec::new();
            for (value, param) in elems.into_iter().zip(&signature.params) {
                let ParamType::Value(ty) = &param.ty else { continue };
                let want = fill(ty);
                if let Err(mismatch) = body.unify(&want, &value.ty, &mut pairs) {
                    let what = format!("the parameter `{}` of `{name}`", param.name);
                    body.mismatch(mismatch, &want, &value.ty, value.span, Wanted { span: None, what: &what });
                    return body.error(span);
                }
                coerced.push(value);
            }
            let result = fill(&signature.result);
            body.trait_fn_typed(of, name, &self_var, result, coerced, span, name)
        };
        if elementwise { self.lift(values, span, &mut { function }) } else { function(self, values) }
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
        let Some(slots) = self.match_args(target, &signature, args, span) else {
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

    /// `f::<f32, 4>`.
    fn explicit_args(
        &mut self,
        target: &Target<'a>,
        signature: &Signature<'a>,
        subst: &mut CallSubst,
        span: Span,
    ) -> bool {
        if target.explicit.is_empty() {
            return true;
        }
        let def = &self.cx.defs.fns[target.id.index()];
        let params = &def.ast.generics.params;
        if params.len() < target.explicit.len() {
            let message = format!(
                "`{}` takes {} generic arguments, {} given",
                def.name,
                params.len(),
                target.explicit.len()
            );
            let declared = def.ast.name.span;
            self.cx.report(
                Diagnostic::error(codes::GENERIC_ARGUMENTS, span, message)
                    .with_label(declared, "declared here"),
            );
            return false;
        }
        let (mut types, mut consts) = signature.generics.outer;
        let mut sizes = 0;
        for (param, arg) in params.iter().zip(target.explicit) {
            match &param.kind {
                ast::GenericParamKind::Type { .. } => {
                    let ty = match arg {
                        ast::GenericArg::Path(path)
                            if path.as_name().is_some_and(|name| name.text == "_") =>
                        {
                            None
                        }
                        ast::GenericArg::Path(path) => Some(self.type_of_path(&path.segments, path.span)),
                        ast::GenericArg::Type(ty) => Some(self.type_of(ty)),
                        ast::GenericArg::Size(size) => {
                            self.cx.report(Diagnostic::error(
                                codes::GENERIC_ARGUMENTS,
                                size.span(),
                                "expected a type here",
                            ));
                            return false;
                        }
                    };
                    if let Some(ty) = ty {
                        if ty == Type::Error || ty.rank() > 0 {
                            if ty.rank() > 0 {
                                self.cx.report(Diagnostic::error(
                                    codes::GENERIC_ARGUMENTS,
                                    arg.span(),
                                    "a type argument is an element type, not an array",
                                ));
                            }
                            return false;
                        }
                        let open = std::mem::replace(&mut subst.types[types], ty.clone());
                        self.unify_elem(&open, &ty);
                    }
                    types += 1;
                }
                ast::GenericParamKind::Const { .. } => {
                    use crate::check::elaborate::TypeEnv;
                    let ty = signature.generics.consts.get(consts).map_or(Scalar::I64, |c| c.ty);
                    let value = match arg {
                        ast::GenericArg::Path(path) => self.const_arg_path(path, ty),
                        ast::GenericArg::Size(ast::Size::Expr(expr)) => self.const_arg(expr, ty),
                        ast::GenericArg::Size(_) | ast::GenericArg::Type(_) => {
                            self.cx.report(Diagnostic::error(
                                codes::GENERIC_ARGUMENTS,
                                arg.span(),
                                "expected a constant here",
                            ));
                            None
                        }
                    };
                    let Some(value) = value else { return false };
                    subst.consts[consts] = Some(value);
                    consts += 1;
                }
                ast::GenericParamKind::Size => {
                    use crate::check::elaborate::TypeEnv;
                    let size = match arg {
                        ast::GenericArg::Path(path) => self.size_path(path),
                        ast::GenericArg::Size(ast::Size::Expr(expr)) => self.size(expr),
                        ast::GenericArg::Size(_) | ast::GenericArg::Type(_) => None,
                    };
                    let Some(size) = size else { return false };
                    subst.sizes[sizes] = Some(size);
                    sizes += 1;
                }
            }
        }
        true
    }

    /// The argument for each parameter; `None` after a report.
    fn match_args(
        &mut self,
        target: &Target<'a>,
        signature: &Signature<'a>,
        args: Vec<CallArg<'a>>,
        span: Span,
    ) -> Option<Vec<Option<CallArg<'a>>>> {
        let name = self.cx.defs.fns[target.id.index()].name.clone();
        let declared = self.cx.defs.fns[target.id.index()].ast.signature;
        let mut slots: Vec<Option<CallArg<'a>>> = vec![None; signature.params.len()];
        let given = args.len();
        let mut next = 0;
        let mut ok = true;
        for arg in args {
            let index = match arg.name {
                Some(arg_name) => {
                    let found = signature.params.iter().position(|param| param.name == arg_name.text);
                    if found.is_none() {
                        self.unknown_argument(&name, signature, arg_name, declared);
                        ok = false;
                        continue;
                    }
                    found.unwrap_or(0)
                }
                None => {
                    next += 1;
                    next - 1
                }
            };
            let Some(slot) = slots.get_mut(index) else {
                let want = signature.params.len();
                let plural = if want == 1 { "" } else { "s" };
                self.cx.report(
                    Diagnostic::error(
                        codes::ARGUMENT_COUNT,
                        arg.span,
                        format!("`{name}` takes {want} argument{plural}, {given} given"),
                    )
                    .with_here("one too many")
                    .with_label(declared, "declared here"),
                );
                return None;
            };
            if slot.is_some() {
                let param = &signature.params[index].name;
                self.cx.report(Diagnostic::error(
                    codes::DUPLICATE_ARGUMENT,
                    arg.span,
                    format!("the argument `{param}` is given twice"),
                ));
                ok = false;
            }
            *slot = Some(arg);
        }
        let missing: Vec<String> = signature
            .params
            .iter()
            .zip(&slots)
            .filter(|(param, slot)| slot.is_none() && param.default.is_none())
            .map(|(param, _)| format!("`{}`", param.name))
            .collect();
        if ok && !missing.is_empty() {
            let plural = if missing.len() == 1 { "" } else { "s" };
            self.cx.report(
                Diagnostic::error(
                    codes::ARGUMENT_COUNT,
                    span,
                    format!("`{name}` lacks the argument{plural} {}", missing.join(", ")),
                )
                .with_label(declared, "declared here"),
            );
            return None;
        }
        ok.then_some(slots)
    }

    fn unknown_argument(
        &mut self,
        function: &str,
        signature: &Signature<'a>,
        name: &ast::Name,
        declared: Span,
    ) {
        let mut error = Diagnostic::error(
            codes::UNKNOWN_ARGUMENT,
            name.span,
            format!("`{function}` has no parameter `{}`", name.text),
        )
        .with_label(declared, "declared here");
        let names = signature.params.iter().map(|param| param.name.as_str());
        if let Some(close) = closest(&name.text, names) {
            error = error.with_fix(format!("did you mean `{close}`?"), name.span, close);
        }
        self.cx.report(error);
    }

    /// Values of the arguments that are no functions, by parameter, in the order written.
    fn eval_args(
        &mut self,
        target: &Target<'a>,
        signature: &Signature<'a>,
        slots: &[Option<CallArg<'a>>],
        subst: &mut CallSubst,
        pre: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<Vec<(usize, Expr)>> {
        let mut values = Vec::new();
        let mut ok = true;
        for (index, param) in signature.params.iter().enumerate() {
            let ParamType::Value(template) = &param.ty else { continue };
            let want = template.subst(subst);
            let mut value = match &slots[index] {
                Some(arg) => self.arg(arg, Some(&want)),
                None => self.default_arg(target, param.default?, &want, span),
            };
            if value.ty == Type::Error {
                ok = false;
                continue;
            }
            // Element types are tied as they come, so that later arguments know them.
            if want.rank() == value.ty.rank() {
                let elem = want.elem().clone();
                let have = self.shallow(&value.ty).elem().clone();
                if matches!(self.shallow(&elem), Type::Infer(_)) {
                    self.unify_elem(&elem, &have);
                }
            }
            let size_index = signature.generics.sizes.iter().position(|size| size.value_param == Some(index));
            if let Some(size_index) = size_index {
                let what = format!("the parameter `{}`", param.name);
                value = self.coerce(value, &Type::I64, Wanted { span: Some(param.span), what: &what });
                if value.ty == Type::Error {
                    ok = false;
                    continue;
                }
                let size = match self.as_size(&value) {
                    Some(size) => size,
                    None => {
                        let name = self.cx.text(value.span);
                        let local = self.hoist_local(pre, value, &name);
                        value = self.read(local, span);
                        Size::local(local)
                    }
                };
                subst.sizes[size_index] = Some(size);
            }
            values.push((index, value));
        }
        ok.then_some(values)
    }

    /// A default is checked where it was written.
    fn default_arg(&mut self, target: &Target<'a>, default: &'a ast::Expr, want: &Type, span: Span) -> Expr {
        let module = std::mem::replace(&mut self.module, self.cx.defs.fns[target.id.index()].module);
        let scopes = std::mem::take(&mut self.scopes);
        let mut value = self.expr(default, Some(want));
        self.module = module;
        self.scopes = scopes;
        if value.ty != Type::Error {
            value.span = span;
        }
        value
    }

    /// Sizes from the axes of the arguments: bare names, then what is linear in one name, then the rest
    /// must agree.
    fn bind_sizes(
        &mut self,
        signature: &Signature<'a>,
        subst: &mut CallSubst,
        pairs: &[Pair],
        checks: &mut Vec<Stmt>,
        span: Span,
    ) {
        let mut bound_by = vec![None; signature.generics.sizes.len()];
        for pair in pairs {
            let want = subst.size(&pair.want);
            match want.as_atom() {
                Some(Atom::Param(index)) if *index >= OPEN_CONST => {
                    self.bind_const(signature, subst, *index - OPEN_CONST, pair);
                }
                Some(Atom::Param(index)) => {
                    if let Some(slot) = subst.sizes.get_mut(*index as usize) {
                        *slot = Some(pair.have.clone());
                        bound_by[*index as usize] = Some(pair.span);
                    }
                }
                _ => {}
            }
        }
        for pair in pairs {
            let want = subst.size(&pair.want);
            if let Some((index, coefficient, rest)) = linear(&want) {
                let solved = self.solve_linear(&pair.have.minus(&rest), coefficient, checks, pair.span);
                // `T[n + 1]` of an empty array would make `n` negative.
                if !self.size_nonneg(&solved) && self.check_size(&solved, checks, pair.span).is_none() {
                    return;
                }
                if let Some(slot) = subst.sizes.get_mut(index as usize) {
                    *slot = Some(solved);
                    bound_by[index as usize] = Some(pair.span);
                }
            }
        }
        for (param, slot) in signature.generics.sizes.iter().zip(&subst.sizes) {
            if slot.is_none() {
                self.cx.report(
                    Diagnostic::error(
                        codes::SIZE_UNKNOWN,
                        span,
                        format!("the size `{}` does not follow from the arguments", param.name),
                    )
                    .with_label(param.span, "this size"),
                );
                return;
            }
        }
        for pair in pairs {
            let want = subst.size(&pair.want);
            let from =
                first_param(&pair.want).and_then(|index| bound_by.get(index as usize).copied().flatten());
            let param = &signature.params[pair.param];
            let (other, what) = match from {
                Some(span) if span != pair.span => (span, "this argument".to_owned()),
                _ => (param.span, format!("the parameter `{}`", param.name)),
            };
            self.same_size(checks, &want, &pair.have, pair.span, Wanted { span: Some(other), what: &what });
        }
    }

    fn bind_const(&mut self, signature: &Signature<'a>, subst: &mut CallSubst, index: u32, pair: &Pair) {
        let Some(param) = signature.generics.consts.get(index as usize) else { return };
        match pair.have.as_constant() {
            Some(value) => {
                subst.consts[index as usize] = Some(ConstArg::Value(const_of_i64(value, param.ty)))
            }
            None => match pair.have.as_atom() {
                Some(Atom::Const(outer)) => subst.consts[index as usize] = Some(ConstArg::Param(*outer)),
                _ => {
                    let have = self.show_size(&pair.have);
                    self.cx.report(
                        Diagnostic::error(
                            codes::NOT_CONST,
                            pair.span,
                            format!("the size `{have}` is not known at compile time"),
                        )
                        .with_label(param.span, format!("the const parameter `{}` needs it", param.name)),
                    );
                }
            },
        }
    }

    /// `have / coefficient`, exact: by form, or with a check.
    fn solve_linear(&mut self, have: &Size, coefficient: i64, checks: &mut Vec<Stmt>, span: Span) -> Size {
        if let Some(size) = have.exact_div(coefficient) {
            return size;
        }
        let (have, coefficient) =
            if coefficient < 0 { (have.scaled(-1), -coefficient) } else { (have.clone(), coefficient) };
        let quotient = have.floor_div(coefficient);
        if let Some(value) = have.as_constant() {
            self.cx.report(Diagnostic::error(
                codes::SIZE_MISMATCH,
                span,
                format!("the size {value} is not a multiple of {coefficient}"),
            ));
            return quotient;
        }
        let site = self.site(span, SiteKind::SizeNotMultiple);
        let left = self.size_expr(have, span);
        let right = self.size_expr(quotient.scaled(coefficient), span);
        let kind = ExprKind::Compare(CompareOp::Eq, Box::new(left.clone()), Box::new(right));
        let cond = Expr { kind, ty: Type::BOOL, span };
        let notes = vec![left, self.int(coefficient, span)];
        checks.push(Stmt { kind: StmtKind::Check { cond, site, notes }, span });
        quotient
    }

    fn fn_args_of(
        &mut self,
        signature: &Signature<'a>,
        slots: &[Option<CallArg<'a>>],
        subst: &CallSubst,
        span: Span,
    ) -> Option<Vec<super::PendingFn>> {
        let mut fns = Vec::new();
        for (param, slot) in signature.params.iter().zip(slots) {
            let ParamType::Fn { params, result } = &param.ty else { continue };
            let Some(arg) = slot else {
                self.cx.report(Diagnostic::error(
                    codes::ARGUMENT_COUNT,
                    span,
                    format!("the function `{}` is missing", param.name),
                ));
                return None;
            };
            let what = format!("the argument `{}`", param.name);
            let function = match &arg.value {
                ArgValue::Ast(expr) => self.fn_value(expr, &what)?,
                ArgValue::Value(value) => {
                    self.cx.report(Diagnostic::error(
                        codes::NEEDS_FUNCTION,
                        value.span,
                        format!("{what} must be a function"),
                    ));
                    return None;
                }
            };
            let params: Vec<Type> = params.iter().map(|ty| ty.subst(subst)).collect();
            let result = result.subst(subst);
            let what = format!("the result of `{}`", param.name);
            let wanted = Wanted { span: Some(param.span), what: &what };
            fns.push(self.pending_fn(&function, &params, &result, arg.span, wanted)?);
        }
        Some(fns)
    }
}

/// An axis of a parameter's type and of its argument's.
struct Pair {
    want: Size,
    have: Size,
    span: Span,
    param: usize,
}

/// `coefficient * name + rest` with one open name.
pub fn linear(size: &Size) -> Option<(u32, i64, Size)> {
    let mut found: Option<(u32, i64)> = None;
    let mut open = 0;
    size.for_each_atom(&mut |atom| {
        open += u32::from(matches!(atom, Atom::Param(index) if *index < OPEN_CONST))
    });
    if open != 1 {
        return None;
    }
    for (atoms, coefficient) in size.terms() {
        if let [Atom::Param(index)] = atoms.as_slice() {
            found = Some((*index, *coefficient));
        }
    }
    let (index, coefficient) = found?;
    let rest = size.minus(&Size::atom(Atom::Param(index)).scaled(coefficient));
    Some((index, coefficient, rest))
}

fn first_param(size: &Size) -> Option<u32> {
    let mut first = None;
    size.for_each_atom(&mut |atom| {
        if let Atom::Param(index) = atom
            && *index < OPEN_CONST
            && first.is_none()
        {
            first = Some(*index);
        }
    });
    first
}

/// Const arguments of records in the argument's type.
fn bind_consts(template: &Type, have: &Type, consts: &mut [Option<ConstArg>]) {
    match (template, have) {
        (Type::Array { elem: a, .. }, Type::Array { elem: b, .. }) => bind_consts(a, b, consts),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.iter().zip(b).for_each(|(a, b)| bind_consts(a, b, consts));
        }
        (Type::Record(a), Type::Record(b)) if a.def == b.def => {
            a.types.iter().zip(&b.types).for_each(|(a, b)| bind_consts(a, b, consts));
            for (a, b) in a.consts.iter().zip(&b.consts) {
                if let ConstArg::Param(index) = a
                    && let Some(slot) = consts.get_mut(*index as usize)
                    && slot.is_none()
                {
                    *slot = Some(*b);
                }
            }
        }
        _ => {}
    }
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
