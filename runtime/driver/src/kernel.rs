//! An entry as a host calls it: names and types of parameters, the type of the result, and both flattened.

use std::collections::{BTreeMap, BTreeSet};

use we3_frontend::typed::{Entry, HostParam};
use we3_ir::{Func, FuncId, Level, Module, Opcode};

use crate::failure::Failure;
use crate::flatten::{Slot, abi_of, slots_of};
use crate::value::HostType;

/// A callable function of a compiled program.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Its name in the IR.
    pub name: String,
    /// Parameters with the names of the source.
    pub params: Vec<HostParam>,
    /// The type of the result.
    pub result: HostType,
    /// The parameters of the IR function.
    pub param_slots: Vec<Slot>,
    /// The results of the IR function.
    pub result_slots: Vec<Slot>,
}

impl Kernel {
    /// From an entry of the checker and its function in the array IR.
    pub fn new(entry: &Entry, func: &Func) -> Result<Kernel, Failure> {
        let types: Vec<HostType> = entry.params.iter().map(|param| param.ty.clone()).collect();
        let slots = |types: &[HostType]| {
            slots_of(types).ok_or_else(|| {
                Failure::bug(format!("`{}` takes or returns an array whose elements hold arrays", entry.name))
            })
        };
        let kernel = Kernel {
            name: func.name.clone(),
            params: entry.params.clone(),
            result: entry.result.clone(),
            param_slots: slots(&types)?,
            result_slots: slots(std::slice::from_ref(&entry.result))?,
        };
        kernel.check_against(func)?;
        Ok(kernel)
    }

    /// Checker and emitter must agree with us about the flattening.
    fn check_against(&self, func: &Func) -> Result<(), Failure> {
        let expected = abi_of(&self.param_slots, &self.result_slots);
        let params: Vec<_> = func.params().iter().map(|param| func.ty(*param).element()).collect();
        let results: Vec<_> = func.results.iter().map(|ty| ty.element()).collect();
        let scalars = |slots: &[Slot]| slots.iter().map(Slot::scalar).collect::<Vec<_>>();
        let fits = func.entry.as_ref() == Some(&expected)
            && params == scalars(&self.param_slots)
            && results == scalars(&self.result_slots);
        match fits {
            true => Ok(()),
            false => {
                Err(Failure::bug(format!("the entry `{}` is flattened in two different ways", self.name)))
            }
        }
    }

    /// The signature as the source would write it.
    pub fn signature(&self) -> String {
        let params: Vec<String> =
            self.params.iter().map(|param| format!("{}: {}", param.name, param.ty)).collect();
        format!("{}({}) -> {}", self.name, params.join(", "), self.result)
    }
}

/// The module with only these functions as entries, and only what they call.
pub fn with_entries(module: &Module, wanted: &dyn Fn(&str) -> bool) -> Module {
    if module.level != Level::Array {
        return module.clone();
    }
    let entries = module.funcs.iter().filter(|(_, func)| func.entry.is_some() && wanted(&func.name));
    let mut reached: BTreeSet<FuncId> = BTreeSet::new();
    let mut open: Vec<FuncId> = entries.map(|(id, _)| id).collect();
    let chosen: BTreeSet<FuncId> = open.iter().copied().collect();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(callees(&module.funcs[id]));
        }
    }
    let renamed: BTreeMap<FuncId, FuncId> =
        reached.iter().enumerate().map(|(number, id)| (*id, FuncId::from_u32(number as u32))).collect();
    let mut pruned = Module::new(module.level);
    for id in &reached {
        let mut func = module.funcs[*id].clone();
        if !chosen.contains(id) {
            func.entry = None;
        }
        for op in func.ops.values_mut() {
            if let Opcode::Call(callee) = &mut op.opcode {
                // Operations that passes took out of their block may call what nobody reaches.
                *callee = renamed.get(callee).copied().unwrap_or(*callee);
            }
        }
        pruned.funcs.push(func);
    }
    pruned
}

fn callees(func: &Func) -> Vec<FuncId> {
    let callee = |opcode: &Opcode| if let Opcode::Call(callee) = opcode { Some(*callee) } else { None };
    func.ops.values().filter_map(|op| callee(&op.opcode)).collect()
}
