//! Signatures: names, result types and their sizes, entry ABI, and that calls form no circle.

use std::collections::BTreeSet;

use cranelift_entity::SecondaryMap;

use super::VerifyError;
use super::levels::type_fault;
use crate::entity::{FuncId, Value};
use crate::module::{Func, Level, Module, ValueDef};
use crate::op::Opcode;
use crate::types::Type;

/// Everything about functions that can be said without reading their bodies, and the call graph.
pub(super) fn verify_signatures(module: &Module) -> Vec<VerifyError> {
    let mut errors = Vec::new();
    let mut names = BTreeSet::new();
    for func in module.funcs.values() {
        let mut report = |message: String| errors.push(VerifyError { func: func.name.clone(), message });
        if !names.insert(&func.name) {
            report("another function has the same name".into());
        }
        results(module.level, func, &mut report);
        entry(module.level, func, &mut report);
    }
    for func in functions_in_circles(module) {
        let message = String::from("the function calls itself, directly or through others");
        errors.push(VerifyError { func: module.funcs[func].name.clone(), message });
    }
    errors
}

fn results(level: Level, func: &Func, report: &mut impl FnMut(String)) {
    if func.result_refs.len() != func.results.len() {
        return report("`result_refs` and `results` have different lengths".into());
    }
    for (number, reference) in func.result_refs.iter().enumerate() {
        let Some(value) = reference else { continue };
        let def = func.values.get(*value).map(|data| data.def);
        if def != Some(ValueDef::ResultRef(number as u32)) {
            report(format!("the placeholder of result #{number} is defined as something else"));
        }
    }
    for (number, ty) in func.results.iter().enumerate() {
        if let Some(fault) = type_fault(level, ty) {
            report(format!("type of result #{number}: {fault}"));
        }
        if level == Level::Loop && ty.as_scalar().is_none() {
            report(format!("result #{number}: results are scalars at loop level"));
        }
        for size in ty.sizes() {
            result_size(func, number, *size, report);
        }
    }
}

fn result_size(func: &Func, number: usize, size: Value, report: &mut impl FnMut(String)) {
    if func.blocks.get(func.body).is_some_and(|body| body.params.contains(&size)) {
        // That it is an `i64` is checked where the parameter is defined.
        if func.values.get(size).is_none_or(|data| data.ty != Type::I64) {
            report(format!("a size of result #{number} is a parameter that is no i64"));
        }
        return;
    }
    let named = func.result_refs.iter().position(|reference| *reference == Some(size));
    match named {
        Some(earlier) if earlier < number && func.results[earlier] == Type::I64 => {}
        Some(earlier) if earlier < number => {
            report(format!("a size of result #{number} is result #{earlier}, which is no i64"));
        }
        Some(_) | None => {
            report(format!("a size of result #{number} is neither a parameter nor an earlier result"));
        }
    }
}

fn entry(level: Level, func: &Func, report: &mut impl FnMut(String)) {
    let Some(abi) = &func.entry else {
        if level == Level::Loop {
            report("a function at loop level is an entry".into());
        }
        return;
    };
    let n_params = func.blocks.get(func.body).map_or(0, |body| body.params.len());
    if abi.param_strides.len() != n_params {
        report(format!("{} strides for {n_params} parameters", abi.param_strides.len()));
    }
    let n_results = func.results.len();
    let enough = match level {
        Level::Array => abi.result_strides.len() == n_results,
        Level::Loop => abi.result_strides.len() >= n_results,
    };
    if !enough {
        report(format!("{} strides for {n_results} results", abi.result_strides.len()));
    }
    if abi.param_strides.iter().chain(&abi.result_strides).any(|stride| *stride == 0) {
        report("a stride is at least 1".into());
    }
}

/// Functions that can reach themselves through calls.
fn functions_in_circles(module: &Module) -> Vec<FuncId> {
    #[derive(Clone, Copy, PartialEq, Default)]
    enum Mark {
        #[default]
        New,
        Open,
        Done,
    }
    let mut marks: SecondaryMap<FuncId, Mark> = SecondaryMap::new();
    let mut found = Vec::new();
    for root in module.funcs.keys() {
        if marks[root] != Mark::New {
            continue;
        }
        marks[root] = Mark::Open;
        let mut stack = vec![(root, callees(module, root))];
        while let Some((func, rest)) = stack.last_mut() {
            match rest.pop() {
                Some(callee) if marks[callee] == Mark::New => {
                    marks[callee] = Mark::Open;
                    stack.push((callee, callees(module, callee)));
                }
                Some(callee) if marks[callee] == Mark::Open => {
                    if !found.contains(&callee) {
                        found.push(callee);
                    }
                }
                Some(_) => {}
                None => {
                    marks[*func] = Mark::Done;
                    stack.pop();
                }
            }
        }
    }
    found
}

fn callees(module: &Module, id: FuncId) -> Vec<FuncId> {
    let mut list = Vec::new();
    for data in module.funcs[id].ops.values() {
        if let Opcode::Call(callee) = data.opcode
            && module.funcs.is_valid(callee)
            && !list.contains(&callee)
        {
            list.push(callee);
        }
    }
    list
}
