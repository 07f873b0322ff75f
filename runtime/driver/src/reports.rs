//! What is left for run time, on request: subscripts that stay checked, copies that are really made. Both
//! are read off the optimised loop IR, so they say what happens and not what might.

use std::collections::BTreeSet;

use we3_backend_api::Emit;
use we3_frontend::typed::SiteKind;
use we3_ir::diagnostic::{Code, Diagnostic};
use we3_ir::span::Span;
use we3_ir::{Func, Module, Opcode};

use crate::failure::Failure;
use crate::kernel::with_entries;
use crate::plan::{BackendChoice, Plan, target_from_name};
use crate::session::Session;
use crate::stages::{Form, Stage, StageLog, run_to};

/// A subscript that is checked at run time.
pub const CHECKED_SUBSCRIPT: Code = Code("E0861");
/// An array that is copied.
pub const COPY: Code = Code("E0863");

/// `-W bounds`: subscripts and slices of the entries whose checks were not proved.
pub fn bounds(session: &mut Session) -> Result<Vec<Diagnostic>, Failure> {
    let module = lowered(session)?;
    let ir = session.ir()?;
    let mut places = BTreeSet::new();
    for site in module.funcs.values().flat_map(checks) {
        if let Some(found) = ir.sites.get(site as usize)
            && matches!(found.kind, SiteKind::Bounds | SiteKind::SliceBounds)
        {
            places.insert(found.span);
        }
    }
    let note = |span| {
        Diagnostic::note(CHECKED_SUBSCRIPT, span, "this subscript is checked at run time")
            .with_note("its range could not be proved to lie inside the axis")
    };
    Ok(places.into_iter().map(note).collect())
}

/// `-W copies`: places where an array is copied as a whole.
pub fn copies(session: &mut Session) -> Result<Vec<Diagnostic>, Failure> {
    let module = lowered(session)?;
    let mut places = BTreeSet::new();
    for func in module.funcs.values() {
        let is_copy = |op: &we3_ir::Op| matches!(func.ops[*op].opcode, Opcode::Copy);
        places.extend(live_ops(func).into_iter().filter(is_copy).map(|op| func.spans[op]));
    }
    // What no source stands for has an empty span.
    let written = places.into_iter().filter(|span: &Span| !span.is_empty());
    Ok(written.map(|span| Diagnostic::note(COPY, span, "an array is copied here")).collect())
}

fn lowered(session: &mut Session) -> Result<Module, Failure> {
    let entries = session.entries().to_vec();
    let mut names = BTreeSet::new();
    for entry in &entries {
        names.insert(session.ir_name(entry.func)?);
    }
    let ir = session.ir()?;
    let target = target_from_name("x86-64-v3").ok_or_else(|| Failure::bug("a target without a name"))?;
    let plan = Plan::host(BackendChoice::Cranelift).for_target(target);
    let module = with_entries(&ir.module, &|name| names.contains(name));
    match run_to(Form::Array(module), Stage::LoopIr, &plan, Emit::Object, &mut StageLog::default())? {
        Form::Loop(module) => Ok(module),
        Form::Array(_) | Form::Artifact(_) => Err(Failure::bug("lowering made no loop IR")),
    }
}

fn checks(func: &Func) -> Vec<u32> {
    let site = |op| if let Opcode::Check { site } = func.ops[op].opcode { Some(site) } else { None };
    live_ops(func).into_iter().filter_map(site).collect()
}

/// The operations that stand in blocks (an arena also holds what passes took out).
fn live_ops(func: &Func) -> Vec<we3_ir::Op> {
    let mut found = Vec::new();
    let mut blocks = vec![func.body];
    while let Some(block) = blocks.pop() {
        for op in &func.blocks[block].ops {
            found.push(*op);
            blocks.extend(&func.ops[*op].regions);
        }
    }
    found
}
