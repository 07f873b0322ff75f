//! `#[schedule(…)]` before a comprehension: how its loops are to be arranged, with axes by the names of their binders.

use we3_ir::Schedule;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::schedule::{LARGEST, Vector};
use we3_ir::span::Span;
use we3_parser::ast::{self, ExprKind as Ast};

use super::Body;
use crate::check::suggest::closest;
use crate::codes;

/// What may stand in a schedule, for a message.
const DIRECTIVES: [&str; 7] = ["order", "tile", "parallel", "serial", "vectorise", "scalar", "unroll"];

impl<'a> Body<'_, 'a, '_> {
    /// The schedule among the attributes of a comprehension, if there is one.
    pub fn schedule(&mut self, attrs: &'a [ast::Attr], clause: &'a ast::ForClause) -> Option<Box<Schedule>> {
        let attr = attrs.iter().find(|attr| attr.name.text == "schedule")?;
        match self.read_schedule(attr, clause) {
            Ok(schedule) => Some(Box::new(schedule)),
            Err(error) => {
                self.cx.report(*error);
                None
            }
        }
    }

    fn read_schedule(&self, attr: &ast::Attr, clause: &ast::ForClause) -> Result<Schedule, Box<Diagnostic>> {
        if clause.filter.is_some() {
            let error = bad(attr.span, "a comprehension with a filter has no schedule");
            let note = "its elements are counted first, then written one after the other";
            return Err(error.with_note(note).into());
        }
        let mut schedule = Schedule::default();
        for arg in &attr.args {
            directive(arg, clause, &mut schedule)?;
        }
        match schedule.problem(clause.binders.len() as u32) {
            None => Ok(schedule),
            Some(_) if in_lanes_and_copies(&schedule) => {
                let error = bad(attr.span, "an axis that runs in lanes cannot be unrolled too");
                Err(error.with_note("more lanes, as in `vectorise(i = 16)`, do the same").into())
            }
            Some(problem) => Err(bad(attr.span, problem).into()),
        }
    }
}

fn in_lanes_and_copies(schedule: &Schedule) -> bool {
    matches!(schedule.vector, Vector::Axis(axis, _) if schedule.unroll.iter().any(|(other, _)| *other == axis))
}

fn bad(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::BAD_SCHEDULE, span, message)
}

/// Reads one of `DIRECTIVES` into the schedule.
fn directive(
    arg: &ast::Arg,
    clause: &ast::ForClause,
    schedule: &mut Schedule,
) -> Result<(), Box<Diagnostic>> {
    let (name, args): (_, &[ast::Arg]) = if let Ast::Call { callee, args, clause: None } = &arg.value.kind {
        (callee.as_name(), args)
    } else {
        (arg.value.as_name(), &[])
    };
    let Some(name) = name.filter(|_| arg.name.is_none()) else {
        return Err(bad(arg.span, "this is no part of a schedule").with_note(known()).into());
    };
    match name.text.as_str() {
        "serial" | "scalar" if !args.is_empty() => {
            return Err(
                bad(arg.span, format!("`{}` is said of the whole nest, without axes", name.text)).into()
            );
        }
        "order" => schedule.order = axes(args, clause)?,
        "parallel" => schedule.parallel = Some(axes(args, clause)?),
        "serial" => schedule.parallel = Some(Vec::new()),
        "scalar" => schedule.vector = Vector::Scalar,
        "tile" => schedule.tiles = sizes(args, clause)?,
        "unroll" => schedule.unroll = sizes(args, clause)?,
        "vectorise" => {
            let [only] = args else {
                return Err(
                    bad(arg.span, "one axis runs in lanes: `vectorise(j)` or `vectorise(j = 8)`").into()
                );
            };
            schedule.vector = match &only.name {
                Some(_) => sizes(args, clause)?
                    .first()
                    .map_or(Vector::Open, |(axis, lanes)| Vector::Axis(*axis, *lanes)),
                None => Vector::Axis(axis(&only.value, clause)?, 0),
            };
        }
        other => {
            let error = bad(name.span, format!("there is no `{other}` in a schedule")).with_note(known());
            return Err(match closest(other, DIRECTIVES) {
                Some(close) => error.with_fix(format!("did you mean `{close}`?"), name.span, close).into(),
                None => error.into(),
            });
        }
    }
    Ok(())
}

fn known() -> String {
    format!(
        "a schedule is made of {}; for example `#[schedule(tile(i = 32, j = 64), vectorise(j), parallel(i))]`",
        DIRECTIVES.map(|name| format!("`{name}`")).join(", ")
    )
}

/// `(i, j)`.
fn axes(args: &[ast::Arg], clause: &ast::ForClause) -> Result<Vec<u32>, Box<Diagnostic>> {
    let mut found = Vec::new();
    for arg in args {
        let number = axis(&arg.value, clause)?;
        if found.contains(&number) {
            return Err(bad(arg.span, "this axis is named twice").into());
        }
        found.push(number);
    }
    Ok(found)
}

/// `(i = 32, j = 64)`.
fn sizes(args: &[ast::Arg], clause: &ast::ForClause) -> Result<Vec<(u32, u32)>, Box<Diagnostic>> {
    let mut found = Vec::new();
    for arg in args {
        let (Some(name), Ast::Int(number)) = (&arg.name, &arg.value.kind) else {
            return Err(bad(arg.span, "an axis and a number are needed here, as in `i = 32`").into());
        };
        let axis = numbered(name, clause)?;
        let size = u32::try_from(number.value).ok().filter(|size| *size <= LARGEST);
        let Some(size) = size else {
            return Err(bad(arg.value.span, format!("this is more than {LARGEST}")).into());
        };
        if found.iter().any(|(other, _)| *other == axis) {
            return Err(bad(arg.span, "this axis is named twice").into());
        }
        found.push((axis, size));
    }
    Ok(found)
}

fn axis(value: &ast::Expr, clause: &ast::ForClause) -> Result<u32, Box<Diagnostic>> {
    match value.as_name() {
        Some(name) => numbered(name, clause),
        None => Err(bad(value.span, "the name of an axis is needed here").into()),
    }
}

/// The number of the axis whose binder has this name.
fn numbered(name: &ast::Name, clause: &ast::ForClause) -> Result<u32, Box<Diagnostic>> {
    let names =
        || clause.binders.iter().map(|binder| binder.pattern.as_name().map(|name| name.text.as_str()));
    if let Some(number) = names().position(|binder| binder == Some(name.text.as_str())) {
        return Ok(number as u32);
    }
    let error = bad(name.span, format!("this comprehension has no axis `{}`", name.text));
    let all: Vec<String> = names().flatten().map(|name| format!("`{name}`")).collect();
    Err(match closest(&name.text, names().flatten()) {
        Some(close) => error.with_fix(format!("did you mean `{close}`?"), name.span, close).into(),
        None if all.is_empty() => error.into(),
        None => error.with_note(format!("its axes are {}", all.join(", "))).into(),
    })
}
