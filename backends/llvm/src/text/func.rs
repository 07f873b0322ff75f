//! The text of one function under construction: blocks, phis and fresh names.

use std::fmt::Write;

use we3_ir::Op;

use super::debug::Scope;
use super::module::ModuleText;
use super::ty::{Ty, Val};

/// A basic block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(usize);

impl std::fmt::Display for Label {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "b{}", self.0)
    }
}

/// A phi whose incoming values are still being collected.
#[derive(Clone, Copy, Debug)]
pub struct PhiId {
    block: Label,
    number: usize,
}

struct Phi {
    name: Val,
    incoming: Vec<(Val, Label)>,
}

#[derive(Default)]
struct BlockText {
    phis: Vec<Phi>,
    body: String,
}

/// A function under construction.
pub struct FuncText<'module> {
    /// The module it will stand in.
    pub module: &'module mut ModuleText,
    blocks: Vec<BlockText>,
    order: Vec<Label>,
    current: Label,
    allocas: String,
    next_name: usize,
    scope: Scope,
}

impl<'module> FuncText<'module> {
    /// Starts with one block, the entry.
    pub fn new(module: &'module mut ModuleText) -> FuncText<'module> {
        FuncText {
            scope: Scope::default(),
            module,
            blocks: vec![BlockText::default()],
            order: vec![Label(0)],
            current: Label(0),
            allocas: String::new(),
            next_name: 0,
        }
    }

    /// The function has this symbol; its instructions come from where it begins, until `at` says otherwise.
    pub fn begin(&mut self, symbol: &str) {
        self.scope = self.module.scope(symbol);
    }

    /// What follows comes from this operation.
    pub fn at(&mut self, op: Op) {
        if let Some(place) = self.module.place(op) {
            self.scope.at(place, self.module);
        }
    }

    /// A new block that stands nowhere yet.
    pub fn make_block(&mut self) -> Label {
        self.blocks.push(BlockText::default());
        Label(self.blocks.len() - 1)
    }

    /// Places a block and continues in it.
    pub fn start(&mut self, block: Label) {
        self.order.push(block);
        self.current = block;
    }

    /// A fresh name.
    pub fn fresh(&mut self, ty: Ty) -> Val {
        let name = format!("%t{}", self.next_name);
        self.next_name += 1;
        Val::new(ty, name)
    }

    /// Writes a line into the current block.
    pub fn line(&mut self, text: std::fmt::Arguments<'_>) {
        let body = &mut self.blocks[self.current.0].body;
        let _ = writeln!(body, "  {text}{}", self.scope.here);
    }

    /// Writes an instruction with a result.
    pub fn inst(&mut self, ty: Ty, text: std::fmt::Arguments<'_>) -> Val {
        let name = self.fresh(ty);
        let body = &mut self.blocks[self.current.0].body;
        let _ = writeln!(body, "  {} = {text}{}", name.text, self.scope.here);
        name
    }

    /// Scratch memory of the whole call: in the entry block, so that a loop does not grow the stack.
    pub fn alloca(&mut self, elem: Ty, len: u32) -> Val {
        let name = self.fresh(Ty::PTR);
        let _ = writeln!(self.allocas, "  {} = alloca [{len} x {elem}], align 64", name.text);
        name
    }

    /// Memory of the whole call for a structure (`{ i64, ptr }`), aligned as its fields need.
    pub fn alloca_record(&mut self, record: &str) -> Val {
        let name = self.fresh(Ty::PTR);
        let _ = writeln!(self.allocas, "  {} = alloca {record}", name.text);
        name
    }

    /// A phi at the head of a block.
    pub fn phi(&mut self, block: Label, ty: Ty) -> (Val, PhiId) {
        let name = self.fresh(ty);
        let phis = &mut self.blocks[block.0].phis;
        phis.push(Phi { name: name.clone(), incoming: Vec::new() });
        (name, PhiId { block, number: phis.len() - 1 })
    }

    /// What a phi is when control comes from the current block.
    pub fn incoming(&mut self, phi: PhiId, value: &Val) {
        let from = self.current;
        self.blocks[phi.block.0].phis[phi.number].incoming.push((value.clone(), from));
    }

    /// Jumps.
    pub fn jump(&mut self, to: Label) {
        self.line(format_args!("br label %{to}"));
    }

    /// Takes the phis of a block that nothing jumps to away.
    pub fn drop_phis(&mut self, block: Label) {
        self.blocks[block.0].phis.clear();
    }

    /// Branches.
    pub fn branch(&mut self, condition: &Val, if_true: Label, if_false: Label) {
        self.line(format_args!("br {condition}, label %{if_true}, label %{if_false}"));
    }

    /// Branches to a loop's head, with the loop's metadata node, or out of it.
    pub fn branch_back(&mut self, again: &Val, head: Label, exit: Label, metadata: Option<usize>) {
        match metadata {
            Some(node) => {
                self.line(format_args!("br {again}, label %{head}, label %{exit}, !llvm.loop !{node}"));
            }
            None => self.branch(again, head, exit),
        }
    }

    /// The function's definition under this head (`define i32 @f(ptr %x)`).
    pub fn finish(self, head: &str) -> String {
        let mut text = format!("{head} #{}{} {{\n", self.module.group(), self.scope.head());
        for label in &self.order {
            let _ = writeln!(text, "{label}:");
            let block = &self.blocks[label.0];
            for phi in &block.phis {
                let incoming: Vec<String> =
                    phi.incoming.iter().map(|(value, from)| format!("[ {}, %{from} ]", value.text)).collect();
                let _ = writeln!(text, "  {} = phi {} {}", phi.name.text, phi.name.ty, incoming.join(", "));
            }
            if label.0 == 0 {
                text.push_str(&self.allocas);
            }
            text.push_str(&block.body);
        }
        text.push_str("}\n");
        text
    }
}
