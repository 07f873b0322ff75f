//! What people type who come from other languages, answered with the we3 spelling.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast;

use super::{BindingKind, Body, builtins};
use crate::check::suggest::closest;
use crate::codes;
use crate::typed::{Expr, Type};

impl<'a> Body<'_, 'a, '_> {
    /// `x.sum()`: there are no methods.
    pub fn method_call(
        &mut self,
        base: &'a ast::Expr,
        field: &'a ast::FieldName,
        args: &'a [ast::Arg],
        span: Span,
    ) -> Expr {
        let ast::FieldName::Named(name) = field else {
            self.cx.report(Diagnostic::error(
                codes::NOT_A_FUNCTION,
                span,
                "a part of a tuple is no function",
            ));
            return self.error(span);
        };
        if let ast::ExprKind::Path(path) = &base.kind
            && let Some(module) = path.as_name()
            && self.lookup(&module.text).is_none()
            && (matches!(module.text.as_str(), "Math" | "np" | "numpy" | "jnp" | "torch" | "math" | "tf")
                || self
                    .cx
                    .own_name(self.module, &module.text)
                    .is_some_and(|def| matches!(def, crate::check::defs::Def::Module(_))))
        {
            let known_module = self.cx.own_name(self.module, &module.text).is_some();
            let spelled = if known_module {
                format!("{}::{}", module.text, name.text)
            } else {
                self.spelling(&name.text)
            };
            self.cx.report(
                Diagnostic::error(
                    codes::METHOD_CALL,
                    span,
                    format!("`{}.{}` is not the we3 spelling", module.text, name.text),
                )
                .with_fix(format!("write `{spelled}(…)`"), base.span.to(name.span), spelled),
            );
            return self.error(span);
        }
        let value = self.expr(base, None);
        if value.ty == Type::Error {
            return value;
        }
        let text = self.cx.sources.slice(base.span).to_owned();
        let rest: Vec<String> = args.iter().map(|arg| self.cx.sources.slice(arg.span).to_owned()).collect();
        let spelled = self.spelling(&name.text);
        let mut all = vec![text];
        all.extend(rest);
        // The function comes first.
        if spelled == "map" {
            all.rotate_left(1);
        }
        let call = format!("{spelled}({})", all.join(", "));
        let error = Diagnostic::error(codes::METHOD_CALL, name.span, "we3 has functions, no methods");
        self.cx.report(match builtins::foreign_name(&name.text) {
            Some(("", note)) => error.with_note(note),
            _ => error.with_fix(format!("write `{call}`"), span, call),
        });
        self.error(span)
    }

    /// The we3 name of a function of another language.
    fn spelling(&self, name: &str) -> String {
        if let Some((text, _)) = builtins::foreign_name(name)
            && !text.is_empty()
        {
            return text.to_owned();
        }
        if builtins::is_builtin(name) || self.cx.defs.trait_fns.contains_key(name) {
            return name.to_owned();
        }
        closest(name, builtins::NAMES.iter().copied()).unwrap_or(name).to_owned()
    }

    /// `x.T`, `x.shape`, `x.size` on arrays.
    pub fn newcomer_field(
        &mut self,
        base: &'a ast::Expr,
        field: &'a ast::FieldName,
        span: Span,
    ) -> Option<Expr> {
        let ast::FieldName::Named(name) = field else { return None };
        if !matches!(
            name.text.as_str(),
            "T" | "shape" | "size" | "ndim" | "len" | "length" | "dtype" | "real" | "imag"
        ) {
            return None;
        }
        let ast::ExprKind::Path(path) = &base.kind else { return None };
        let BindingKind::Local(local) = self.lookup(&path.as_name()?.text)? else { return None };
        let ty = self.shallow(&self.local(local).info.ty.clone());
        if ty.rank() == 0 || matches!(self.shallow(ty.elem()), Type::Record(_)) {
            return None;
        }
        let text = self.cx.sources.slice(base.span).to_owned();
        let error =
            Diagnostic::error(codes::NUMPY_ATTRIBUTE, name.span, format!("an array has no `.{}`", name.text));
        let error = match name.text.as_str() {
            "T" => error.with_fix(format!("write `transpose({text})`"), span, format!("transpose({text})")),
            "shape" => error
                .with_fix(format!("write `len({text}, axis = 0)`"), span, format!("len({text}, axis = 0)"))
                .with_note("in a function, name the sizes in the parameter's type: `x: f32[n, m]`"),
            "len" | "length" => error.with_fix(format!("write `len({text})`"), span, format!("len({text})")),
            "size" => error.with_note("multiply the sizes: `n * m`"),
            "ndim" => error.with_note("the number of axes stands in the type"),
            "dtype" => error.with_note("the element type stands in the type; convert with `x as f32`"),
            _ => error.with_note(
                "complex numbers are the record `std::complex::Complex`, with the fields `re` and `im`",
            ),
        };
        self.cx.report(error);
        Some(self.error(span))
    }

    /// A field of something that has none.
    pub fn no_fields(&mut self, ty: &Type, field: &ast::FieldName, base_span: Span) {
        let shown = self.show(ty);
        let text = match field {
            ast::FieldName::Named(name) => name.text.clone(),
            ast::FieldName::Index { index, .. } => index.to_string(),
        };
        let mut error =
            Diagnostic::error(codes::NOT_A_RECORD, field.span(), format!("`{shown}` has no `.{text}`"))
                .with_label(base_span, format!("this is `{shown}`"));
        if matches!(self.shallow(ty.elem()), Type::Tuple(_)) {
            error = error.with_note("parts of a tuple are numbered: `.0`, `.1`");
        } else if builtins::is_builtin(&text) || self.cx.defs.trait_fns.contains_key(&text) {
            let base = self.cx.sources.slice(base_span);
            let call = format!("{text}({base})");
            error = error.with_fix(format!("write `{call}`"), base_span.to(field.span()), call);
        }
        self.cx.report(error);
    }
}
