//! The arguments of a call: which one is for which parameter, their values, functions among them, and what
//! is given explicitly after `::`.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use super::Body;
use super::call::{ArgValue, CallArg};
use super::coerce::Wanted;
use super::lambda::Target;
use super::solve_sizes::CallSubst;
use crate::check::defs::{FnId, ParamType, Signature};
use crate::check::suggest::closest;
use crate::codes;
use crate::typed::{Expr, Size, Stmt, Type};

impl<'a> Body<'_, 'a, '_> {
    /// `f::<f32, 4>`.
    pub fn explicit_args(
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
    pub fn match_args(
        &mut self,
        id: FnId,
        signature: &Signature<'a>,
        args: Vec<CallArg<'a>>,
        span: Span,
    ) -> Option<Vec<Option<CallArg<'a>>>> {
        let name = self.cx.defs.fns[id.index()].name.clone();
        let declared = self.cx.defs.fns[id.index()].ast.signature;
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
    pub fn eval_args(
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
        self.in_written_order(slots, &mut values, pre);
        ok.then_some(values)
    }

    /// Named arguments are evaluated as they are written, so that the first error in the source is the one reported.
    pub fn in_written_order(
        &mut self,
        slots: &[Option<CallArg<'a>>],
        values: &mut [(usize, Expr)],
        pre: &mut Vec<Stmt>,
    ) {
        let place = |index: usize| slots[index].as_ref().map_or(u32::MAX, |arg| arg.span.lo);
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by_key(|position| place(values[*position].0));
        if order.is_sorted() {
            return;
        }
        for position in order {
            let value = values[position].1.clone();
            values[position].1 = self.hoist(pre, value, "argument");
        }
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

    pub fn fn_args_of(
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
