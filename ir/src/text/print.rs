//! Printing. Values are numbered in order of definition, so equal programs print equally.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use crate::entity::{Block, FuncId, Op, Value};
use crate::module::{Func, Level, Module, ValueDef};
use crate::op::{Opcode, ReduceKind};
use crate::text::MAX_NESTING;
use crate::text::constant::print_constant;
use crate::text::lex::is_plain_name;
use crate::text::names::{for_name, reduce_name};
use crate::types::Type;

/// The text of a module.
pub fn print_module(module: &Module) -> String {
    let level = match module.level {
        Level::Array => "array",
        Level::Loop => "loop",
    };
    let mut text = format!("{level} module\n");
    for func in module.funcs.keys() {
        text.push('\n');
        text.push_str(&print_func(module, func));
    }
    text
}

/// The text of one function.
pub fn print_func(module: &Module, id: FuncId) -> String {
    let func = &module.funcs[id];
    let mut printer = Printer::new(module, func, Naming::default());
    printer.function();
    printer.text
}

/// The numbers that a function's values have in its text.
#[derive(Default)]
pub(crate) struct Naming {
    numbers: HashMap<Value, usize>,
}

impl Naming {
    /// Numbers all values of a function.
    pub(crate) fn new(func: &Func) -> Naming {
        let module = Module::new(Level::Array);
        let mut printer = Printer::new(&module, func, Naming::default());
        printer.function();
        printer.naming
    }

    /// A value as the text shows it.
    pub(crate) fn value(&self, func: &Func, value: Value) -> String {
        match (self.numbers.get(&value), func.values.get(value).map(|data| data.def)) {
            (Some(number), _) => format!("%{number}"),
            (None, Some(ValueDef::ResultRef(number))) => format!("#{number}"),
            // Used before its definition, which the verifier refuses.
            (None, Some(ValueDef::Param(..) | ValueDef::Result(..)) | None) => {
                format!("%undefined{}", value.as_u32())
            }
        }
    }

    /// A type as the text shows it.
    pub(crate) fn ty(&self, func: &Func, ty: &Type) -> String {
        match ty {
            Type::Scalar(scalar) => scalar.name().into(),
            Type::Buffer(elem) => format!("buffer {elem}"),
            Type::Vector(elem, lanes) => format!("{elem}x{lanes}"),
            Type::Array(elem, sizes) => {
                let sizes: Vec<String> = sizes.iter().map(|size| self.value(func, *size)).collect();
                format!("{elem}[{}]", sizes.join(", "))
            }
        }
    }

    /// The text of an operation without its regions.
    pub(crate) fn op_head(&self, module: &Module, func: &Func, op: Op) -> String {
        let naming = Naming { numbers: self.numbers.clone() };
        let mut printer = Printer::new(module, func, naming);
        printer.op_head(op);
        printer.text
    }
}

fn quoted(name: &str) -> String {
    if is_plain_name(name) {
        return format!("@{name}");
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("@\"{escaped}\"")
}

struct Printer<'a> {
    module: &'a Module,
    func: &'a Func,
    naming: Naming,
    text: String,
    depth: usize,
    /// Blocks that were begun: in a malformed function one may stand in two places, or inside itself.
    begun: HashSet<Block>,
}

impl<'a> Printer<'a> {
    fn new(module: &'a Module, func: &'a Func, naming: Naming) -> Printer<'a> {
        Printer { module, func, naming, text: String::new(), depth: 0, begun: HashSet::new() }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(text);
    }

    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.push("  ");
        }
    }

    fn function(&mut self) {
        let func = self.func;
        if func.entry.is_some() {
            self.push("entry ");
        }
        self.push("func ");
        self.push(&quoted(&func.name));
        let strides = func.entry.as_ref().map_or(&[][..], |abi| &abi.param_strides);
        self.params(func.body, strides);
        self.push(" -> (");
        for (number, ty) in func.results.iter().enumerate() {
            self.separate(number);
            self.ty(ty);
            self.stride(func.entry.as_ref().and_then(|abi| abi.result_strides.get(number)));
        }
        self.push(")");
        self.output_strides();
        self.push(" {\n");
        self.ops(func.body);
        self.push("}\n");
    }

    /// Strides past those of the results belong to the arrays that go through `output`.
    fn output_strides(&mut self) {
        let Some(abi) = &self.func.entry else { return };
        let strides = abi.result_strides.get(self.func.results.len()..).unwrap_or(&[]);
        if !strides.is_empty() {
            let list: Vec<String> = strides.iter().map(u32::to_string).collect();
            self.add(format_args!(" outputs ({})", list.join(", ")));
        }
    }

    fn params(&mut self, block: Block, strides: &[u32]) {
        let func = self.func;
        self.push("(");
        for (number, value) in func.blocks[block].params.iter().enumerate() {
            self.separate(number);
            self.define(*value);
            self.stride(strides.get(number));
        }
        self.push(")");
    }

    fn stride(&mut self, stride: Option<&u32>) {
        if let Some(stride) = stride.filter(|stride| **stride != 1) {
            self.add(format_args!(" stride {stride}"));
        }
    }

    fn separate(&mut self, number: usize) {
        if number > 0 {
            self.push(", ");
        }
    }

    /// Numbers a value and prints it with its type.
    fn define(&mut self, value: Value) {
        let next = self.naming.numbers.len();
        self.naming.numbers.entry(value).or_insert(next);
        self.value(value);
        self.push(": ");
        let func = self.func;
        match func.values.get(value) {
            Some(data) => self.ty(&data.ty),
            None => self.push("?"),
        }
    }

    fn value(&mut self, value: Value) {
        let shown = self.naming.value(self.func, value);
        self.push(&shown);
    }

    fn ty(&mut self, ty: &Type) {
        let shown = self.naming.ty(self.func, ty);
        self.push(&shown);
    }

    fn values(&mut self, values: &[Value]) {
        for (number, value) in values.iter().enumerate() {
            self.separate(number);
            self.value(*value);
        }
    }

    fn ops(&mut self, block: Block) {
        let func = self.func;
        self.depth += 1;
        if self.depth > MAX_NESTING + 1 || !self.begun.insert(block) {
            self.indent();
            self.push("; too deep, or printed before\n");
        } else {
            for op in &func.blocks[block].ops {
                self.op(*op);
            }
        }
        self.depth -= 1;
    }

    fn op(&mut self, op: Op) {
        let func = self.func;
        self.indent();
        self.op_head(op);
        for region in func.ops.get(op).map_or(&[][..], |data| &data.regions) {
            self.region(*region);
        }
        self.push("\n");
    }

    fn op_head(&mut self, op: Op) {
        let func = self.func;
        let Some(data) = func.ops.get(op) else { return };
        for (number, result) in data.results.iter().enumerate() {
            self.separate(number);
            self.define(*result);
        }
        if !data.results.is_empty() {
            self.push(" = ");
        }
        self.push(data.opcode.name());
        self.attributes(&data.opcode);
        if let Some(Some(schedule)) = func.schedules.get(op) {
            self.add(format_args!("({schedule})"));
        }
        if !data.args.is_empty() {
            self.push(" ");
            self.values(&data.args);
        }
    }

    fn region(&mut self, block: Block) {
        let func = self.func;
        self.push(" {\n");
        if let Some(data) = func.blocks.get(block) {
            if !data.params.is_empty() {
                self.indent();
                self.push("b");
                self.params(block, &[]);
                self.push(":\n");
            }
            self.ops(block);
        }
        self.indent();
        self.push("}");
    }

    fn reduction(&mut self, kind: ReduceKind, masked: bool) {
        self.add(format_args!(".{}", reduce_name(kind)));
        self.mask(masked);
    }

    fn mask(&mut self, masked: bool) {
        if masked {
            self.push(".masked");
        }
    }

    /// What follows the opcode's word: attributes after dots, then numbers and names.
    fn attributes(&mut self, opcode: &Opcode) {
        match opcode {
            Opcode::Const(constant) => self.add(format_args!(" {}", print_constant(*constant))),
            Opcode::Convert(to) | Opcode::Bitcast(to) => self.add(format_args!(".{to}")),
            Opcode::Check { site } => self.add(format_args!(".{site}")),
            Opcode::Call(func) => {
                let name = self.module.funcs.get(*func).map_or("?", |func| &func.name);
                self.add(format_args!(" {}", quoted(name)));
            }
            Opcode::Reduce { kind, masked } => self.reduction(*kind, *masked),
            Opcode::DotBy { rank } => self.add(format_args!(".{rank}")),
            Opcode::Scatter { kind, rank, masked } => {
                self.add(format_args!(".{rank}"));
                self.reduction(*kind, *masked);
            }
            Opcode::Update { masked, .. } => self.mask(*masked),
            Opcode::Data { elem, bits } => {
                self.add(format_args!(".{elem}["));
                for (number, bits) in bits.iter().enumerate() {
                    let separator = if number == 0 { "" } else { ", " };
                    let constant = print_constant(crate::op::Const { ty: *elem, bits: *bits });
                    self.add(format_args!("{separator}{constant}"));
                }
                self.add(format_args!("]"));
            }
            Opcode::Alloc(elem) => self.add(format_args!(".{elem}")),
            Opcode::Stack { elem, len } => self.add(format_args!(".{elem} {len}")),
            Opcode::Output { index, elem } => self.add(format_args!(".{elem} {index}")),
            Opcode::For(kind) => {
                self.add(format_args!(".{}", for_name(*kind)));
            }
            Opcode::Break(levels) | Opcode::Continue(levels) => self.add(format_args!(" {levels}")),
            Opcode::Splat(number) | Opcode::Extract(number) | Opcode::Insert(number) => {
                self.add(format_args!(".{number}"));
            }
            Opcode::Shuffle(lanes) => self.add(format_args!(".{lanes:?}")),
            Opcode::Probe { nest, leave } => {
                let side = if *leave { "leave" } else { "enter" };
                self.add(format_args!(".{side}.{nest}"));
            }
            Opcode::Unary(_)
            | Opcode::Binary(_)
            | Opcode::Compare(_)
            | Opcode::Select
            | Opcode::Fma
            | Opcode::If
            | Opcode::While
            | Opcode::Yield
            | Opcode::Return
            | Opcode::Build { .. }
            | Opcode::Index
            | Opcode::Dot { .. }
            | Opcode::Scan { .. }
            | Opcode::Loop
            | Opcode::Reshape
            | Opcode::Resize
            | Opcode::Free
            | Opcode::Offset
            | Opcode::Load
            | Opcode::Store
            | Opcode::Stream
            | Opcode::Copy
            | Opcode::Block
            | Opcode::Forever
            | Opcode::Iota { .. }
            | Opcode::LoadLanes
            | Opcode::StoreLanes
            | Opcode::AnyLane
            | Opcode::AllLanes
            | Opcode::Barrier => {}
        }
    }
}
