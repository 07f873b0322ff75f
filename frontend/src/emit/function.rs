//! Emitting one function: parameters in, body, results out.

use std::collections::HashSet;

use we3_ir::{Func as IrFunc, FuncBuilder, Opcode, Type as IrType, Value};

use super::control::EXIT_RETURN;
use super::entry::HostSignature;
use super::signature::{ResultSize, Signature};
use super::sizes::SizeScopes;
use super::state::Item;
use super::value::Val;
use crate::typed::{Func, Local, Program, Returned, Size, Type};

/// The state of emitting one function.
pub struct Emitter<'a> {
    /// The program, for record types and callees.
    pub program: &'a Program,
    /// Signatures of all functions.
    pub signatures: &'a [Signature],
    /// The function of the tree.
    pub source: &'a Func,
    /// Its signature.
    pub signature: Signature,
    /// Where operations go.
    pub b: FuncBuilder<'a>,
    /// Values of variables, by number.
    locals: Vec<Option<Val>>,
    /// Sizes computed so far.
    pub sizes: SizeScopes,
    /// How control left (see `control`); `None`: it has not.
    pub exit: Option<Value>,
    /// What an early return returns: one value per result.
    pub returned: Option<Vec<Value>>,
    /// For entries, the position of each IR parameter of the plain signature.
    host_positions: Option<Vec<usize>>,
}

/// Emits a function of the tree.
pub fn emit_function(
    program: &Program,
    signatures: &[Signature],
    source: &Func,
    index: usize,
    host: Option<&HostSignature>,
) -> Result<IrFunc, String> {
    let mut func = IrFunc::new(source.name.clone());
    let mut emitter = Emitter {
        program,
        signatures,
        source,
        signature: signatures[index].clone(),
        b: FuncBuilder::new(&mut func),
        locals: vec![None; source.locals.len()],
        sizes: SizeScopes::default(),
        exit: None,
        returned: None,
        host_positions: None,
    };
    emitter.b.span = source.span;
    emitter.sizes.push();
    match host {
        Some(host) => emitter.host_parameters(host)?,
        None => emitter.parameters()?,
    }
    let flat = emitter.body()?;
    match host {
        Some(host) => emitter.return_to_host(host, &flat)?,
        None => emitter.return_plain(flat)?,
    }
    if let Some(host) = host {
        func.entry = Some(host.abi.clone());
    }
    Ok(func)
}

impl Emitter<'_> {
    /// A variable's value.
    pub fn local(&self, local: Local) -> Result<&Val, String> {
        let found = self.locals.get(local.0 as usize).and_then(Option::as_ref);
        found.ok_or_else(|| format!("variable {} used before it is bound", local.0))
    }

    /// Binds or replaces a variable.
    pub fn bind(&mut self, local: Local, val: Val) {
        if let Some(place) = self.locals.get_mut(local.0 as usize) {
            *place = Some(val);
        }
    }

    /// Whether a variable is bound at this point.
    pub fn is_bound(&self, local: Local) -> bool {
        self.locals.get(local.0 as usize).is_some_and(Option::is_some)
    }

    /// The numbers of all bound variables.
    pub fn bound(&self) -> HashSet<Local> {
        let bound = self.locals.iter().enumerate().filter(|(_, val)| val.is_some());
        bound.map(|(number, _)| Local(number as u32)).collect()
    }

    /// Forgets everything bound since.
    pub fn unbind_except(&mut self, kept: &HashSet<Local>) {
        for (number, place) in self.locals.iter_mut().enumerate() {
            if !kept.contains(&Local(number as u32)) {
                *place = None;
            }
        }
    }

    /// A variable's declared type.
    pub fn local_type(&self, local: Local) -> Type {
        self.source.locals[local.0 as usize].ty.clone()
    }

    /// Whether a variable's sizes travel with it.
    pub fn is_open(&self, local: Local) -> bool {
        self.source.locals[local.0 as usize].open
    }

    /// Where parameter `position` of the plain signature stands among the IR parameters.
    pub fn param_position(&self, position: usize) -> usize {
        match &self.host_positions {
            Some(positions) => positions[position],
            None => position,
        }
    }

    fn new_param(&mut self, ty: IrType) -> Value {
        let body = self.b.func.body;
        self.b.func.add_param(body, ty)
    }

    fn parameters(&mut self) -> Result<(), String> {
        for size in self.source.sizes.clone() {
            let value = self.new_param(IrType::I64);
            self.bind_size(size, value);
        }
        for extra in self.signature.extra.clone() {
            let value = self.new_param(IrType::I64);
            self.sizes.insert(extra, value);
        }
        for (number, param) in self.source.params.clone().into_iter().enumerate() {
            let leaves = self.leaf_parameters(number)?;
            let val = self.rebuild(&self.local_type(param), &mut leaves.as_slice())?;
            self.bind(param, val);
        }
        Ok(())
    }

    fn bind_size(&mut self, local: Local, value: Value) {
        self.bind(local, Val::Scalar(value));
        self.sizes.insert(Size::local(local), value);
    }

    fn leaf_parameters(&mut self, number: usize) -> Result<Vec<Value>, String> {
        let mut leaves = Vec::new();
        for leaf in self.signature.params[number].clone() {
            let ty = if leaf.sizes.is_empty() {
                IrType::Scalar(leaf.elem)
            } else {
                IrType::Array(leaf.elem, self.all_sizes(&leaf.sizes)?)
            };
            leaves.push(self.new_param(ty));
        }
        Ok(leaves)
    }

    /// Parameters in the order of hosts: the axis sizes of an array right before its leaves.
    fn host_parameters(&mut self, host: &HostSignature) -> Result<(), String> {
        if !self.signature.extra.is_empty() {
            return Err("an entry whose parameter types compute sizes".into());
        }
        let mut positions = Vec::new();
        let mut sizes = self.source.sizes.clone().into_iter();
        let mut position = 0;
        for (number, rank) in host.param_ranks.iter().enumerate() {
            for _ in 0..*rank {
                let size = sizes.next().ok_or("an entry with too few sizes")?;
                let value = self.new_param(IrType::I64);
                self.bind_size(size, value);
                positions.push(position);
                position += 1;
            }
            let param = *self.source.params.get(number).ok_or("an entry with too few parameters")?;
            let leaves = self.leaf_parameters(number)?;
            position += leaves.len();
            let val = self.rebuild(&self.local_type(param), &mut leaves.as_slice())?;
            self.bind(param, val);
        }
        self.host_positions = Some(positions);
        Ok(())
    }

    /// The body; one value per result of the plain signature.
    fn body(&mut self) -> Result<Vec<Value>, String> {
        let source = self.source;
        let (stmts, tail) = (&source.body.stmts, &source.tail);
        let flat = self.guarded(stmts, &mut |emitter| match tail {
            Some(tail) => emitter.flat_result(tail).map(Some),
            None => Ok(None),
        })?;
        match (self.exit, flat) {
            (None, Some(flat)) => Ok(flat),
            (_, flat) => self.choose_result(flat),
        }
    }

    /// After code that may have returned: the early value or the tail's.
    fn choose_result(&mut self, tail: Option<Vec<Value>>) -> Result<Vec<Value>, String> {
        let early_plan = self.plan(vec![Item::Return])?;
        let early = self.flatten(&early_plan, None)?;
        let Some(tail) = tail else {
            return Ok(early);
        };
        let exit = self.exit_value();
        let code = self.b.i64(EXIT_RETURN);
        let has_returned = self.b.compare(we3_ir::CompareOp::Eq, exit, code);
        self.b.begin_region(&[]);
        let then = self.b.end_region(early);
        self.b.begin_region(&[]);
        let otherwise = self.b.end_region(tail);
        let op = self.b.append(Opcode::If, vec![has_returned], vec![then, otherwise], &[]);
        let func = &mut *self.b.func;
        Ok(early_plan.instantiate(|ty| func.add_result(op, ty)))
    }

    /// A returned value as one value per result of the plain signature.
    pub fn flat_result(&mut self, returned: &Returned) -> Result<Vec<Value>, String> {
        let val = self.expr(&returned.value)?;
        let mut flat = Vec::new();
        let fresh = self.all_sizes(&returned.fresh)?;
        flat.extend(fresh);
        for size in self.signature.computed.clone() {
            let known = size.subst(&|atom| match atom {
                crate::typed::Atom::Fresh(number) => returned.fresh.get(*number as usize).cloned(),
                crate::typed::Atom::Local(_)
                | crate::typed::Atom::FloorDiv(..)
                | crate::typed::Atom::Min(..)
                | crate::typed::Atom::Max(..)
                | crate::typed::Atom::Param(_)
                | crate::typed::Atom::Const(_) => None,
            });
            flat.push(self.size(&known)?);
        }
        let mut leaves = Vec::new();
        val.leaves(&mut leaves);
        if leaves.len() != self.signature.results.len() {
            return Err(format!(
                "{} leaves returned, {} declared",
                leaves.len(),
                self.signature.results.len()
            ));
        }
        for (number, leaf) in leaves.into_iter().enumerate() {
            let sizes = self.signature.results[number].sizes.clone();
            let ty = self.result_type(number, &sizes, &flat)?;
            flat.push(self.resized(leaf, &ty));
        }
        Ok(flat)
    }

    /// The type of result leaf `number`, its sizes taken from parameters and from `integers`.
    fn result_type(&self, number: usize, sizes: &[Size], integers: &[Value]) -> Result<IrType, String> {
        let elem = self.signature.results[number].elem;
        if sizes.is_empty() {
            return Ok(IrType::Scalar(elem));
        }
        let mut dims = Vec::new();
        for size in sizes {
            dims.push(match self.signature.result_size(self.source, size) {
                Some(ResultSize::Param(position)) => self.b.func.params()[self.param_position(position)],
                Some(ResultSize::Result(result)) => integers[result],
                None => return Err("a result size that is neither parameter nor result".into()),
            });
        }
        Ok(IrType::Array(elem, dims))
    }

    fn return_plain(&mut self, flat: Vec<Value>) -> Result<(), String> {
        let integers = self.signature.fresh + self.signature.computed.len();
        for _ in 0..integers {
            self.b.func.declare_result(IrType::I64);
        }
        for leaf in self.signature.results.clone() {
            let mut dims = Vec::new();
            for size in &leaf.sizes {
                dims.push(match self.signature.result_size(self.source, size) {
                    Some(ResultSize::Param(position)) => self.b.func.params()[position],
                    Some(ResultSize::Result(number)) => self.b.func.result_ref(number),
                    None => return Err("a result size that is neither parameter nor result".into()),
                });
            }
            let ty = if dims.is_empty() { IrType::Scalar(leaf.elem) } else { IrType::Array(leaf.elem, dims) };
            self.b.func.declare_result(ty);
        }
        self.b.ret(flat);
        Ok(())
    }

    /// Results in the order of hosts: all axis sizes of an array, then its leaves.
    fn return_to_host(&mut self, host: &HostSignature, flat: &[Value]) -> Result<(), String> {
        let integers = self.signature.fresh + self.signature.computed.len();
        let mut leaves = flat[integers..].iter();
        let mut values = Vec::new();
        for (rank, count) in &host.result_groups {
            let group: Vec<Value> = leaves.by_ref().take(*count).copied().collect();
            let first_size = values.len();
            if let Some(first) = group.first() {
                values.extend(self.b.func.ty(*first).sizes().iter().take(*rank));
            }
            for _ in 0..*rank {
                self.b.func.declare_result(IrType::I64);
            }
            for leaf in group {
                let elem = self.b.func.ty(leaf).element();
                let dims: Vec<Value> =
                    (first_size..first_size + rank).map(|k| self.b.func.result_ref(k)).collect();
                let ty = if *rank == 0 { IrType::Scalar(elem) } else { IrType::Array(elem, dims) };
                self.b.func.declare_result(ty);
                values.push(leaf);
            }
        }
        self.b.ret(values);
        Ok(())
    }
}
