//! The functions the checker itself knows, because their types depend on the rank or number of their
//! arguments. `docs/intrinsics.md` has their rules; everything else is we3 code in the prelude.

mod elements;
mod make;
mod shape;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast;

use super::Body;
use super::call::CallArg;
use crate::check::suggest::closest;
use crate::codes;
use crate::typed::{Expr, Type};

/// Every built-in function.
pub const NAMES: &[&str] = &[
    "add_carry",
    "all",
    "any",
    "argmax",
    "argmin",
    "assert_close",
    "assert_eq",
    "bitcast",
    "concat",
    "count",
    "dot",
    "exscan",
    "fold",
    "full",
    "grad",
    "jvp",
    "len",
    "like",
    "map",
    "max",
    "mean",
    "min",
    "mul_wide",
    "pad",
    "prod",
    "put",
    "reduce",
    "reshape",
    "reverse",
    "roll",
    "scan",
    "scatter",
    "select",
    "sort",
    "stack",
    "std",
    "stop_gradient",
    "sum",
    "transpose",
    "value_and_grad",
    "vjp",
    "zeros",
    "zip",
];

/// Arguments by position and by name.
pub struct Args<'a> {
    pub positional: Vec<CallArg<'a>>,
    named: Vec<CallArg<'a>>,
}

impl<'a> Args<'a> {
    /// A named argument.
    pub fn named(&self, name: &str) -> Option<CallArg<'a>> {
        self.named.iter().find(|arg| arg.name.is_some_and(|n| n.text == name)).cloned()
    }
}

/// Whether a name is a built-in function.
pub fn is_builtin(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The built-in function of this name.
pub fn builtin_name(name: &str) -> Option<&'static str> {
    NAMES.iter().copied().find(|known| *known == name)
}

/// Names of other languages with the we3 spelling and a note.
pub fn foreign_name(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "arange" | "range" => ("iota", "`iota(n)` is 0, 1, …, n − 1; a `for` takes a range: `for i in 0..n`"),
        "ones" => ("full", "`full(1.0, n, m)` is an array of one value"),
        "empty" | "zeros_like" => ("zeros", "`zeros(n, m)`"),
        "ones_like" | "full_like" => {
            ("like", "`like(x, v)` has the shape of `x` and the value `v` everywhere")
        }
        "where" | "where_" | "ifelse" => ("select", "`select(c, a, b)` chooses element by element"),
        "cumsum" => ("scan", "`scan(+, 0.0, x)`"),
        "cumprod" => ("scan", "`scan(*, 1.0, x)`"),
        "concatenate" | "append" | "hstack" | "vstack" => ("concat", "`concat(a, b, axis = 0)`"),
        "flip" => ("reverse", ""),
        "average" => ("mean", ""),
        "amax" | "maximum" => ("max", ""),
        "amin" | "minimum" => ("min", ""),
        "product" => ("prod", ""),
        "power" => ("pow", ""),
        "fabs" | "absolute" => ("abs", ""),
        "ln" => ("log", ""),
        "arctan2" => ("atan2", ""),
        "arcsin" => ("asin", ""),
        "arccos" => ("acos", ""),
        "arctan" => ("atan", ""),
        "round" | "rint" => ("round_even", "ties go to the even neighbour"),
        "matmul_" | "mm" => ("matmul", "`a @ b`, or `use std::linalg::{matmul};`"),
        "length" | "lenght" | "size" | "numel" => ("len", ""),
        "print" | "println" => ("", "kernels do no I/O: return the value"),
        "int" | "float" | "double" | "bool" => ("", "`x as i64` converts; so do `as f64`, `as u8`, …"),
        "clip" | "clamp" => ("", "`min(max(x, lo), hi)`; on arrays `map(|v| min(max(v, lo), hi), x)`"),
        "relu" => ("", "`max(x, 0.0)`; on arrays `map(|v| max(v, 0.0), x)`"),
        "square" | "sqr" | "sq" => ("", "`x * x`"),
        "None" | "null" | "nil" => ("zero", "we3 has no null"),
        "True" => ("true", ""),
        "False" => ("false", ""),
        "PI" => ("pi", ""),
        "infinity" | "INFINITY" | "Inf" => ("inf", ""),
        "NaN" | "NAN" => ("nan", ""),
        _ => return None,
    })
}

/// Names an argument of a built-in may have.
fn named_of(name: &str) -> &'static [&'static str] {
    match name {
        "min" | "max" => &["axis", "init"],
        "sum" | "prod" | "any" | "all" | "count" | "argmin" | "argmax" | "len" | "reverse" | "sort"
        | "mean" | "std" | "concat" | "stack" | "roll" => &["axis"],
        "assert_close" => &["rtol", "atol"],
        "transpose" => &["axes"],
        _ => &[],
    }
}

/// Built-ins that take a `for` clause.
fn takes_clause(name: &str) -> bool {
    matches!(
        name,
        "sum"
            | "prod"
            | "min"
            | "max"
            | "any"
            | "all"
            | "count"
            | "argmin"
            | "argmax"
            | "dot"
            | "reduce"
            | "scan"
            | "exscan"
            | "fold"
            | "scatter"
            | "put"
    )
}

impl<'a> Body<'_, 'a, '_> {
    /// A call of a built-in function.
    pub fn builtin(
        &mut self,
        name: &'static str,
        args: Vec<CallArg<'a>>,
        clause: Option<&'a ast::ForClause>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        if let Some(clause) = clause
            && !takes_clause(name)
        {
            self.cx.report(
                Diagnostic::error(
                    codes::NEEDS_CLAUSE,
                    clause.span,
                    format!("`{name}` takes no `for` clause"),
                )
                .with_note(format!("for an array of its values write `[{name}(…) for …]`")),
            );
            return self.error(span);
        }
        let Some(args) = self.split_args(name, args) else { return self.error(span) };
        match name {
            "sum" | "prod" | "min" | "max" | "any" | "all" | "count" | "argmin" | "argmax" => {
                self.reduction(name, args, clause, hint, span)
            }
            "dot" => self.dot_call(args, clause, hint, span),
            "reduce" => self.reduce_call(args, clause, hint, span),
            "scan" => self.scan_call(false, args, clause, hint, span),
            "exscan" => self.scan_call(true, args, clause, hint, span),
            "fold" => self.fold_call(args, clause, hint, span),
            "scatter" => self.scatter_call(false, args, clause, hint, span),
            "put" => self.scatter_call(true, args, clause, hint, span),
            "zeros" => self.zeros(&args, hint, span),
            "full" => self.full(&args, hint, span),
            "like" => self.like(&args, hint, span),
            "len" => self.len(&args, span),
            "map" => self.map(&args, span),
            "zip" => self.zip(&args, span),
            "select" => self.select(&args, hint, span),
            "mean" | "std" => self.mean_std(name, &args, span),
            "assert_close" => self.assert_close(&args, span),
            "assert_eq" => self.assert_eq(&args, span),
            "stop_gradient" => match args.positional.as_slice() {
                [only] => self.arg(only, hint),
                _ => {
                    self.arity("`stop_gradient`", 1, args.positional.len(), span);
                    self.error(span)
                }
            },
            "bitcast" => self.bitcast(&args, hint, span),
            "mul_wide" | "add_carry" => self.wide(name, &args, span),
            "transpose" => self.transpose(&args, hint, span),
            "reshape" => self.reshape(&args, hint, span),
            "concat" => self.concat(&args, hint, span),
            "stack" => self.stack(&args, hint, span),
            "pad" => self.pad(&args, hint, span),
            "reverse" => self.reverse(&args, hint, span),
            "roll" => self.roll(&args, hint, span),
            "sort" => self.sort(&args, hint, span),
            _ => {
                self.cx.report(
                    Diagnostic::error(codes::NOT_YET, span, format!("`{name}` is not available yet"))
                        .with_note("derivatives come with a later version"),
                );
                self.error(span)
            }
        }
    }

    fn split_args(&mut self, name: &str, args: Vec<CallArg<'a>>) -> Option<Args<'a>> {
        let known = named_of(name);
        let mut out = Args { positional: Vec::new(), named: Vec::new() };
        for arg in args {
            match arg.name {
                None => out.positional.push(arg),
                Some(arg_name) if known.contains(&arg_name.text.as_str()) => out.named.push(arg),
                Some(arg_name) => {
                    let mut error = Diagnostic::error(
                        codes::UNKNOWN_ARGUMENT,
                        arg_name.span,
                        format!("`{name}` has no argument `{}`", arg_name.text),
                    );
                    let foreign = matches!(arg_name.text.as_str(), "dim" | "dims" | "axes").then_some("axis");
                    let close = foreign
                        .filter(|name| known.contains(name))
                        .or_else(|| closest(&arg_name.text, known.iter().copied()));
                    if let Some(close) = close {
                        error = error.with_fix(format!("did you mean `{close}`?"), arg_name.span, close);
                    }
                    self.cx.report(error);
                    return None;
                }
            }
        }
        Some(out)
    }
}
