//! How the nests of a program are arranged, as text: `--emit schedule` and `--report`.

use std::fmt::Write as _;

use we3_frontend::codes;
use we3_frontend::source::SourceMap;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::schedule::Vector;
use we3_ir::span::{FileId, Span};
use we3_ir::{Module, Schedule};
use we3_parser::ast::{ExprKind, FnBody, ItemKind};
use we3_parser::parse_module;
use we3_passes::TargetFacts;
pub use we3_passes::lower::nests::NestNote;
use we3_passes::lower::nests::{Work, nests};
use we3_passes::lower::schedule::{NestSchedule, refusals};
use we3_passes::manager::PassContext;

use crate::failure::Failure;
use crate::plan::Plan;
use crate::stages::optimised;
use crate::tuned;

/// The nests of each entry as the optimised program has them.
pub fn of_entries(module: Module, plan: &Plan) -> Result<Vec<(String, Vec<NestNote>)>, Failure> {
    let mut module = optimised(module, plan)?;
    tuned::choose(&mut module, plan);
    refused(&module)?;
    Ok(nests(&module, &PassContext::for_target(plan.facts())))
}

/// Fails if the program asks for what cannot be done.
pub fn refused(module: &Module) -> Result<(), Failure> {
    let found = refusals(module);
    if found.is_empty() {
        return Ok(());
    }
    let error = |(span, reason): (Span, String)| {
        Diagnostic::error(codes::BAD_SCHEDULE, span, "this schedule cannot be followed")
            .with_note(reason)
            .with_note("without `vectorise` the compiler finds what fits")
    };
    Err(Failure::Diagnostics(found.into_iter().map(error).collect()))
}

/// Whether the program says anywhere how a nest is to run.
pub fn any_asked(module: &Module) -> bool {
    module.funcs.values().any(|func| func.schedules.values().any(Option::is_some))
}

/// The nests as `--emit schedule` prints them: each schedule as the attribute that asks for it.
pub fn schedule_text(entries: &[(String, Vec<NestNote>)], sources: Option<&SourceMap>) -> String {
    let mut text = String::new();
    for (entry, notes) in entries {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{entry}:");
        for note in notes {
            let names = axis_names(note, sources);
            let _ = writeln!(
                text,
                "  {}{}  #[schedule({})]{}",
                place(note.span, sources),
                domain(note, &names),
                attribute(&note.schedule, &names).join(", "),
                extras(&note.schedule)
            );
        }
        if notes.is_empty() {
            text.push_str("  no nest\n");
        }
    }
    text
}

/// The nests as `--report` prints them.
pub fn report_text(
    entries: &[(String, Vec<NestNote>)],
    sources: Option<&SourceMap>,
    facts: &TargetFacts,
) -> String {
    let mut text = String::new();
    for (entry, notes) in entries {
        let nests = if notes.len() == 1 { "nest" } else { "nests" };
        let _ = writeln!(text, "{entry}: {} {nests}", notes.len());
        for note in notes {
            let names = axis_names(note, sources);
            let asked = if note.asked { " (asked for)" } else { "" };
            let inside = if note.inside { ", inside the nest above" } else { "" };
            let _ = writeln!(text, "  {}{}{inside}", place(note.span, sources), domain(note, &names));
            let said = attribute(&note.schedule, &names).join(", ");
            let _ = writeln!(text, "    schedule   {said}{}{asked}", extras(&note.schedule));
            let _ = writeln!(text, "    an element {}", work(&note.work));
            let _ = writeln!(text, "    limit      {}", limit(note, facts));
            if let (Some(reason), None) = (note.no_lanes, note.schedule.packed.as_ref()) {
                let _ = writeln!(text, "    no lanes   {reason}");
            }
        }
    }
    text
}

/// `file:line:column` of a span.
pub fn place(span: Span, sources: Option<&SourceMap>) -> String {
    match sources {
        Some(sources) if !span.is_empty() => {
            let (line, column) = sources.line_column(span);
            format!("{}:{line}:{column}", sources.name(span.file))
        }
        Some(_) | None => String::from("(no source)"),
    }
}

/// ` [i, j in 0..3]`.
fn domain(note: &NestNote, names: &[String]) -> String {
    let axis = |(name, size): (&String, &Option<i64>)| match size {
        Some(size) => format!("{name} in 0..{size}"),
        None => name.clone(),
    };
    format!(" [{}]", names.iter().zip(&note.sizes).map(axis).collect::<Vec<_>>().join(", "))
}

/// The binders of the comprehension that a nest was written as; axes without one are called by their numbers.
pub fn axis_names(note: &NestNote, sources: Option<&SourceMap>) -> Vec<String> {
    let mut names = sources.map_or_else(Vec::new, |sources| binders(sources.slice(note.span)));
    names.truncate(note.sizes.len());
    (0..note.sizes.len())
        .map(|axis| names.get(axis).cloned().flatten().unwrap_or_else(|| axis.to_string()))
        .collect()
}

fn binders(expression: &str) -> Vec<Option<String>> {
    let (module, _) = parse_module(FileId(0), &format!("fn f() = {expression};"));
    let Some(ItemKind::Fn(function)) = module.items.first().map(|item| &item.kind) else { return Vec::new() };
    let Some(FnBody::Expr(value)) = &function.body else { return Vec::new() };
    let ExprKind::Comprehension { clause, .. } = &value.kind else { return Vec::new() };
    clause.binders.iter().map(|binder| binder.pattern.as_name().map(|name| name.text.clone())).collect()
}

/// What the attribute says, part by part.
fn attribute(schedule: &NestSchedule, names: &[String]) -> Vec<String> {
    let name = |axis: &u32| names.get(*axis as usize).cloned().unwrap_or_else(|| axis.to_string());
    let list = |axes: &[u32]| axes.iter().map(&name).collect::<Vec<_>>().join(", ");
    let sizes = |pairs: &[(u32, u32)]| {
        pairs.iter().map(|(axis, size)| format!("{} = {size}", name(axis))).collect::<Vec<_>>().join(", ")
    };
    let mut parts = Vec::new();
    if !schedule.tiles.is_empty() {
        parts.push(format!("tile({})", sizes(&schedule.tiles)));
    }
    if !schedule.order.is_sorted() {
        parts.push(format!("order({})", list(&schedule.order)));
    }
    parts.push(match schedule.parallel.is_empty() {
        true => String::from("serial"),
        false => format!("parallel({})", list(&schedule.parallel)),
    });
    match schedule.vector {
        Some((axis, lanes)) => parts.push(format!("vectorise({} = {lanes})", name(&axis))),
        None => parts.push(String::from("scalar")),
    }
    if !schedule.unroll.is_empty() {
        parts.push(format!("unroll({})", sizes(&schedule.unroll)));
    }
    parts
}

/// What a program writes to ask for a schedule, with the names of the axes.
pub fn words(schedule: &Schedule, names: &[String]) -> String {
    let nest = NestSchedule {
        order: schedule.order.clone(),
        parallel: schedule.parallel.clone().unwrap_or_default(),
        tiles: schedule.tiles.clone(),
        unroll: schedule.unroll.clone(),
        ..NestSchedule::default()
    };
    let mut parts = attribute(&nest, names);
    // Those two are always said of a nest, and here only where they were asked for.
    parts.retain(|part| part != "scalar" && (part != "serial" || schedule.parallel.is_some()));
    match schedule.vector {
        Vector::Open => {}
        Vector::Scalar => parts.push(String::from("scalar")),
        Vector::Axis(axis, lanes) => {
            let name = names.get(axis as usize).cloned().unwrap_or_else(|| axis.to_string());
            parts.push(if lanes == 0 {
                format!("vectorise({name})")
            } else {
                format!("vectorise({name} = {lanes})")
            });
        }
    }
    parts.join(", ")
}

/// What no attribute asks for.
fn extras(schedule: &NestSchedule) -> String {
    let mut text = String::new();
    if let Some(packed) = &schedule.packed {
        let _ = write!(text, ", packed in tiles of {} x {}", packed.rows, packed.width());
    }
    if let Some(rows) = &schedule.rows {
        let _ = write!(text, ", {} rows turned in registers", rows.lanes);
    }
    if let Some((axis, size)) = schedule.written_out {
        let _ = write!(text, ", axis {axis} written out {size} times");
    }
    text
}

fn work(work: &Work) -> String {
    let loops = if work.loops { ", each round of its loops counted once" } else { "" };
    format!(
        "{} flops, {} other operations, {} bytes read, {} written{loops}",
        work.flops, work.others, work.bytes_read, work.bytes_written
    )
}

/// Which resource an element keeps busy, by the rates of a core with such vectors: two operations on a vector a cycle, and
/// memory that brings about four bytes a cycle.
fn limit(note: &NestNote, facts: &TargetFacts) -> String {
    let (work, packed) = (&note.work, note.schedule.packed.is_some());
    let lanes = f64::from(facts.vector_bytes.max(4)) / 4.0;
    let cycles_computing = (work.flops as f64 / 2.0 + work.others as f64) / (2.0 * lanes);
    // What is packed is read from the caches many times.
    let bytes = if packed { 0 } else { work.bytes_read + work.bytes_written };
    let cycles_of_memory = bytes as f64 / 4.0;
    let unit = if work.loops { "round" } else { "element" };
    let (what, least) = if cycles_computing > cycles_of_memory {
        ("arithmetic", cycles_computing)
    } else {
        ("memory, when the arrays are larger than the caches", cycles_of_memory)
    };
    format!("{what}: about {least:.2} cycles for each {unit}")
}
