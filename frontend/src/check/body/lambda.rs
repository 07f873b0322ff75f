//! Functions as values: lambdas, names, operators; applying them in place, or making an instance's
//! argument of them.

use std::rc::Rc;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::{self, BinOp, ExprKind as Ast};

use super::call::CallArg;
use super::coerce::Wanted;
use super::probe::free_names;
use super::{Around, BindingKind, Body, PendingFn};
use crate::check::defs::{FnId, TraitId};
use crate::check::session::Checker;
use crate::check::traits::ImplArgs;
use crate::codes;
use crate::typed::{Atom, Expr, ExprKind, FuncId, Local, Size, Stmt, Type};

/// A function a name or expression stands for.
#[derive(Clone)]
pub enum FnVal<'a> {
    /// A lambda with the number of names that were in scope, and what its `mut` variables were.
    Lambda {
        params: &'a [ast::LambdaParam],
        body: &'a ast::Expr,
        scope: usize,
        captured: Rc<[(String, Local)]>,
    },
    /// A function of the source.
    Def(Target<'a>),
    /// A function of a trait; `None`: of whichever trait of the prelude has it.
    TraitFn {
        of: Option<TraitId>,
        name: String,
        self_ty: Option<Type>,
        /// What stands between `::<` and `>`.
        explicit: &'a [ast::GenericArg],
    },
    Operator(BinOp),
    Builtin(&'static str, &'a [ast::GenericArg]),
    /// A function parameter of this instance.
    Given {
        func: FuncId,
        captures: Vec<Local>,
        params: Vec<Type>,
        result: Type,
        commutative: bool,
    },
    /// A function parameter in a generic definition.
    Abstract {
        params: Vec<Type>,
        result: Type,
    },
}

/// A function of the source with what is known of its arguments.
#[derive(Clone)]
pub struct Target<'a> {
    pub id: FnId,
    /// Arguments of the `impl` around it.
    pub outer: ImplArgs,
    /// What stands between `::<` and `>`.
    pub explicit: &'a [ast::GenericArg],
}

/// Lambdas being applied inside each other.
const MAX_APPLYING: u32 = 50;
/// Applications of lambdas in one function.
const MAX_APPLIED: u32 = 10_000;

impl<'a> Body<'_, 'a, '_> {
    /// The function an expression is, if it is one. Reports nothing.
    pub fn fn_value_if_function(&mut self, expr: &'a ast::Expr) -> Option<FnVal<'a>> {
        match &expr.kind {
            Ast::Paren(inner) => self.fn_value_if_function(inner),
            Ast::Lambda { params, body } => {
                let (scope, captured) = (self.scopes.len(), Rc::default());
                Some(FnVal::Lambda { params, body, scope, captured })
            }
            Ast::Operator(op) => Some(FnVal::Operator(*op)),
            Ast::Path(path) => self.path_fn(path),
            Ast::Int(_)
            | Ast::Float(_)
            | Ast::Bool(_)
            | Ast::Str(_)
            | Ast::Unary { .. }
            | Ast::Binary { .. }
            | Ast::Cast { .. }
            | Ast::Call { .. }
            | Ast::Field { .. }
            | Ast::Index { .. }
            | Ast::Tuple(_)
            | Ast::Array(_)
            | Ast::Comprehension { .. }
            | Ast::Record { .. }
            | Ast::If { .. }
            | Ast::Block(_)
            | Ast::Precompute(_)
            | Ast::Error => None,
        }
    }

    /// Keeps the values that a lambda's `mut` variables have now: a capture is a value.
    pub fn capture(&mut self, function: &mut FnVal<'a>, lambda: &'a ast::Expr, out: &mut Vec<Stmt>) {
        let FnVal::Lambda { captured, .. } = function else { return };
        let mut kept = Vec::new();
        for name in free_names(lambda) {
            if let Some(BindingKind::Local(local)) = self.lookup(name)
                && self.local(local).info.mutable
            {
                let value = self.variable(local, lambda.span);
                kept.push((name.to_owned(), self.hoist_local(out, value, name)));
            }
        }
        *captured = kept.into();
    }

    /// The function an argument is; reports anything else.
    pub fn fn_value(&mut self, expr: &'a ast::Expr, what: &str) -> Option<FnVal<'a>> {
        let function = self.fn_value_if_function(expr);
        if function.is_none() {
            if let Ast::Path(path) = &expr.kind
                && let Some(name) = path.as_name()
                && self.lookup(&name.text).is_none()
                && self.cx.own_name(self.module, &name.text).is_none()
            {
                self.unknown_name(name);
            } else {
                self.cx.report(
                    Diagnostic::error(codes::NEEDS_FUNCTION, expr.span, format!("{what} must be a function"))
                        .with_note("write a lambda, `|x, y| x + y`, or the name of a function"),
                );
            }
        }
        function
    }

    /// Whether a function's author says it is commutative.
    pub fn is_commutative(&self, function: &FnVal<'a>) -> bool {
        match function {
            FnVal::Operator(_) => true,
            FnVal::Builtin(name, _) => matches!(*name, "min" | "max"),
            FnVal::Def(target) => Checker::has_attr(self.cx.defs.fns[target.id.index()].attrs, "commutative"),
            FnVal::TraitFn { name, .. } => {
                matches!(name.as_str(), "add" | "mul" | "min" | "max" | "and" | "or" | "xor")
            }
            FnVal::Given { commutative, .. } => *commutative,
            FnVal::Lambda { .. } | FnVal::Abstract { .. } => false,
        }
    }

    /// Applies a function to values.
    pub fn apply(&mut self, function: &FnVal<'a>, args: Vec<Expr>, span: Span) -> Expr {
        if args.iter().any(|arg| arg.ty == Type::Error) {
            return self.error(span);
        }
        match function {
            FnVal::Lambda { params, body, scope, captured } => {
                self.apply_lambda(params, body, *scope, captured, args, span)
            }
            FnVal::Def(target) => {
                let args = args.into_iter().map(CallArg::value).collect();
                self.call_def(target, args, None, span)
            }
            FnVal::TraitFn { .. } => {
                let args = args.into_iter().map(CallArg::value).collect();
                self.call_trait_fn(function, args, None, span)
            }
            FnVal::Operator(op) => {
                let mut args = args;
                match (args.pop(), args.pop(), args.pop()) {
                    (Some(b), Some(a), None) if matches!(op, BinOp::And | BinOp::Or) => {
                        self.trait_fn(super::ops::operator_fn(*op), vec![a, b], span, op.symbol())
                    }
                    (Some(b), Some(a), None) => self.binary_values(*op, span, a, b, span),
                    _ => {
                        self.arity("an operator", 2, 1, span);
                        self.error(span)
                    }
                }
            }
            FnVal::Builtin(name, explicit) => {
                let args = args.into_iter().map(CallArg::value).collect();
                let given = self.builtin_type(explicit);
                self.builtin(name, args, None, given.as_ref(), span)
            }
            FnVal::Given { func, captures, params, result, .. } => {
                if params.len() != args.len() {
                    self.arity("this function", params.len(), args.len(), span);
                    return self.error(span);
                }
                let mut all: Vec<Expr> = captures.iter().map(|local| self.read(*local, span)).collect();
                for (arg, want) in args.into_iter().zip(params) {
                    all.push(self.coerce(arg, want, Self::plain("the parameter of the function")));
                }
                let (result, fresh) = self.fresh_result(result, span);
                let kind = ExprKind::Call { func: *func, sizes: Vec::new(), args: all, fresh };
                Expr { kind, ty: result, span }
            }
            FnVal::Abstract { params, result } => {
                if params.len() != args.len() {
                    self.arity("this function", params.len(), args.len(), span);
                    return self.error(span);
                }
                for (arg, want) in args.into_iter().zip(params) {
                    self.coerce(arg, want, Self::plain("the parameter of the function"));
                }
                let (result, _) = self.fresh_result(result, span);
                Expr { kind: ExprKind::Error, ty: result, span }
            }
        }
    }

    /// A result type with its `?k` as new hidden sizes.
    pub fn fresh_result(&mut self, result: &Type, span: Span) -> (Type, Vec<Local>) {
        let mut count = 0;
        result.for_each_size(&mut |size| {
            size.for_each_atom(&mut |atom| {
                if let Atom::Fresh(index) = atom {
                    count = count.max(index + 1);
                }
            });
        });
        let fresh: Vec<Local> = (0..count).map(|_| self.hidden_index("?", None, span)).collect();
        let ty = result.subst(&FreshSubst(&fresh));
        (ty, fresh)
    }

    pub fn arity(&mut self, what: &str, want: usize, have: usize, span: Span) {
        let plural = if want == 1 { "" } else { "s" };
        self.cx.report(Diagnostic::error(
            codes::ARGUMENT_COUNT,
            span,
            format!("{what} takes {want} argument{plural}, {have} given"),
        ));
    }

    /// A lambda's body is written out wherever it is applied: that must stay in bounds.
    pub fn report_applications(&mut self, span: Span) {
        // Once; what follows is no news.
        if self.applied != u32::MAX {
            self.applied = u32::MAX;
            self.cx.report(
                Diagnostic::error(codes::TOO_MANY_INSTANCES, span, "this function applies too many lambdas")
                    .with_note(format!(
                        "at most {MAX_APPLIED} times in one function, and {MAX_APPLYING} inside each other: a lambda is \
                         written out wherever it is applied; make it a `fn`"
                    )),
            );
        } else {
            self.cx.errors += 1;
        }
    }

    fn apply_lambda(
        &mut self,
        params: &'a [ast::LambdaParam],
        body: &'a ast::Expr,
        scope: usize,
        captured: &[(String, Local)],
        args: Vec<Expr>,
        span: Span,
    ) -> Expr {
        if params.len() != args.len() {
            self.arity("this lambda", params.len(), args.len(), span);
            return self.error(span);
        }
        if self.applying >= MAX_APPLYING || self.applied >= MAX_APPLIED {
            self.report_applications(span);
            return self.error(span);
        }
        self.applying += 1;
        self.applied += 1;
        let later = self.scopes.split_off(scope.min(self.scopes.len()));
        for (name, local) in captured {
            self.bind_name(name, *local);
        }
        let inferred = std::mem::replace(&mut self.result.inferred, true);
        let mut stmts = Vec::new();
        for (param, arg) in params.iter().zip(args) {
            let arg = match &param.ty {
                Some(ty) => {
                    let mut pre = Vec::new();
                    let want = self.let_type(ty, &arg.ty, &mut pre);
                    let arg = if pre.is_empty() { arg } else { self.hoist(&mut stmts, arg, "argument") };
                    stmts.append(&mut pre);
                    self.coerce(arg, &want, Wanted { span: Some(ty.span), what: "the parameter" })
                }
                None => arg,
            };
            let arg_span = arg.span;
            self.bind_pattern(&param.pattern, arg, arg_span, &mut stmts);
        }
        let value = self.expr(body, None);
        self.scopes.truncate(scope);
        self.scopes.extend(later);
        self.result.inferred = inferred;
        self.applying -= 1;
        if value.ty == Type::Error {
            return value;
        }
        self.wrap(stmts, value)
    }

    /// A function for a parameter of function type: a lambda of its own, checked here.
    pub fn pending_fn(
        &mut self,
        function: &FnVal<'a>,
        params: &[Type],
        result: &Type,
        span: Span,
        wanted: Wanted<'_>,
    ) -> Option<PendingFn> {
        let commutative = self.is_commutative(function);
        let depth = self.depth;
        self.in_region(|body| {
            let locals: Vec<Local> = params
                .iter()
                .enumerate()
                .map(|(index, ty)| {
                    let local = body.new_local(&format!("arg{index}"), ty.clone(), span);
                    body.local_mut(local).hidden = true;
                    local
                })
                .collect();
            let args = locals.iter().map(|local| body.read(*local, span)).collect();
            body.around.push((Around::ArrayForm, depth));
            let value = body.apply(function, args, span);
            body.around.pop();
            if value.ty == Type::Error {
                return None;
            }
            let mut fresh = 0;
            result.for_each_size(&mut |size| {
                if let Some(Atom::Fresh(index)) = size.as_atom() {
                    fresh = fresh.max(index + 1);
                }
            });
            let (value, returned, result) = body.lambda_result(value, result, fresh, wanted)?;
            Some(PendingFn { params: locals, body: Box::new(value), fresh, result, returned, commutative })
        })
    }

    fn lambda_result(
        &mut self,
        value: Expr,
        result: &Type,
        fresh: u32,
        wanted: Wanted<'_>,
    ) -> Option<(Expr, Vec<Size>, Type)> {
        if fresh == 0 {
            let value = self.coerce(value, result, wanted);
            return (value.ty != Type::Error).then(|| (value, Vec::new(), result.clone()));
        }
        let mut pairs = Vec::new();
        if let Err(mismatch) = self.unify(result, &value.ty, &mut pairs) {
            self.mismatch(mismatch, result, &value.ty, value.span, wanted);
            return None;
        }
        let mut returned = vec![Size::default(); fresh as usize];
        for (want, have) in &pairs {
            if let Some(Atom::Fresh(index)) = want.as_atom() {
                returned[*index as usize] = have.clone();
            }
        }
        Some((value, returned, result.clone()))
    }

    /// A binary function as a region: two variables of a type and their combination.
    pub fn combine(&mut self, function: &FnVal<'a>, ty: &Type, span: Span) -> Option<crate::typed::Combine> {
        let ty = ty.clone();
        self.combine_with(&ty, span, &mut |body, a, b| {
            let value = body.apply(function, vec![a, b], span);
            body.coerce(value, &ty.clone(), Self::plain("the accumulator"))
        })
    }

    /// A region that combines two values of a type.
    pub fn combine_with(
        &mut self,
        ty: &Type,
        span: Span,
        make: &mut dyn FnMut(&mut Self, Expr, Expr) -> Expr,
    ) -> Option<crate::typed::Combine> {
        let depth = self.depth;
        self.in_region(|body| {
            let a = body.new_local("a", ty.clone(), span);
            let b = body.new_local("b", ty.clone(), span);
            body.local_mut(a).hidden = true;
            body.local_mut(b).hidden = true;
            let (left, right) = (body.read(a, span), body.read(b, span));
            body.around.push((Around::ArrayForm, depth));
            let value = make(body, left, right);
            body.around.pop();
            (value.ty != Type::Error).then(|| crate::typed::Combine { a, b, body: Box::new(value) })
        })
    }
}

/// `?k` as variables.
pub struct FreshSubst<'l>(pub &'l [Local]);

impl crate::typed::Substitution for FreshSubst<'_> {
    fn type_param(&self, _: u32) -> Option<Type> {
        None
    }

    fn const_param(&self, _: u32) -> Option<crate::typed::ConstArg> {
        None
    }

    fn atom(&self, atom: &Atom) -> Option<Size> {
        let Atom::Fresh(index) = atom else { return None };
        self.0.get(*index as usize).map(|local| Size::local(*local))
    }
}
