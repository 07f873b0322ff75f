//! `canon-sizes`: `i64` values with equal polynomials become one value, so that sizes written in
//! several ways are one size and `resize` between them goes away.
//!
//! Before: `%3 = mul_sat %n, %m … %7 = mul_sat %m, %n` · after: `%3` in every use of `%7`.

use std::collections::HashMap;

use we3_ir::{Block, Func, Level, Module, Type, Value};

use crate::analysis::forms::{Form, Forms, is_saturating};
use crate::manager::{Pass, PassContext};
use crate::rewrite::{Replacements, compact};

/// The pass.
pub const CANON_SIZES: Pass = Pass {
    name: "canon-sizes",
    about: "one value for sizes with equal polynomials",
    from: Some(Level::Array),
    to: Some(Level::Array),
    run,
};

fn run(mut module: Module, _: &PassContext) -> Module {
    for func in module.funcs.values_mut() {
        let replacements = {
            let mut walk = Walk {
                func,
                forms: Forms::default(),
                known: HashMap::new(),
                replacements: Replacements::default(),
            };
            walk.block(func.body);
            walk.replacements
        };
        if !replacements.is_empty() {
            replacements.apply(func);
            *func = compact(func);
        }
    }
    module
}

/// Wrapping and saturating arithmetic with the same form may differ where it overflows.
type Key = (Form, bool);

struct Walk<'a> {
    func: &'a Func,
    forms: Forms,
    known: HashMap<Key, Value>,
    replacements: Replacements,
}

impl Walk<'_> {
    fn block(&mut self, block: Block) {
        let mut entered = Vec::new();
        for param in &self.func.blocks[block].params {
            self.value(*param, &mut entered);
        }
        for op in &self.func.blocks[block].ops {
            for region in &self.func.ops[*op].regions {
                self.block(*region);
            }
            for result in &self.func.ops[*op].results {
                self.value(*result, &mut entered);
            }
        }
        for key in entered {
            self.known.remove(&key);
        }
    }

    fn value(&mut self, value: Value, entered: &mut Vec<Key>) {
        if *self.func.ty(value) != Type::I64 {
            return;
        }
        let form = self.forms.of(self.func, value);
        if form.as_constant().is_some() {
            return;
        }
        let key = (form, is_saturating(self.func, value));
        match self.known.get(&key) {
            Some(known) => self.replacements.replace(value, *known),
            None => {
                self.known.insert(key.clone(), value);
                entered.push(key);
            }
        }
    }
}
