//! `bind-sizes`: integer parameters of an entry become the numbers of the one call that it is compiled for, so that
//! sizes, trip counts and checks of them are constants for the passes that follow.
//!
//! Before: `for.serial %zero, %n, %one` · after, where the call has n = 3: `for.serial %zero, %three, %one`.

use std::collections::BTreeMap;

use we3_ir::op::Const;
use we3_ir::span::Span;
use we3_ir::{Func, Level, Module, Opcode, Scalar, Type, Value};

use crate::manager::{Pass, PassContext};
use crate::rewrite::Replacements;

/// The pass.
pub const BIND_SIZES: Pass = Pass {
    name: "bind-sizes",
    about: "integer parameters of entries become the numbers of the only call, where that is known",
    from: Some(Level::Loop),
    to: None,
    run,
};

/// The only call of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnlyCall {
    /// The entry.
    pub entry: String,
    /// The bits of each parameter that is a scalar.
    pub arguments: Vec<Option<u64>>,
}

fn run(mut module: Module, ctx: &PassContext) -> Module {
    let Some(call) = &ctx.only_call else { return module };
    for func in module.funcs.values_mut() {
        if func.entry.is_some() && func.name == call.entry {
            bind(func, &call.arguments);
        }
    }
    module
}

fn bind(func: &mut Func, arguments: &[Option<u64>]) {
    let params = func.params().to_vec();
    let mut constants: BTreeMap<u64, Value> = BTreeMap::new();
    let mut ops = Vec::new();
    let mut replacements = Replacements::default();
    for (param, bits) in params.into_iter().zip(arguments) {
        let Some(bits) = bits.filter(|_| *func.ty(param) == Type::I64) else { continue };
        let constant = *constants.entry(bits).or_insert_with(|| {
            let opcode = Opcode::Const(Const { ty: Scalar::I64, bits });
            let op = func.make_op(opcode, vec![], vec![], Span::default());
            ops.push(op);
            func.add_result(op, Type::I64)
        });
        replacements.replace(param, constant);
    }
    func.blocks[func.body].ops.splice(0..0, ops);
    replacements.apply(func);
}

#[cfg(test)]
mod tests {
    use we3_ir::text::{parse_module, print_module};
    use we3_ir::verify::verify;

    use super::*;

    const LOOP: &str = "loop module

entry func @f(%0: i64, %1: i64, %2: buffer f32) -> (i64) {
  %3: i64 = const 0
  %4: i64 = const 1
  for.serial %3, %0, %4 {
  b(%5: i64):
    %6: i64 = mul %5, %1
    %7: f32 = load %2, %6
    store %2, %5, %7
    yield
  }
  return %1
}
";

    fn bound(entry: &str, arguments: Vec<Option<u64>>) -> String {
        let module = parse_module(LOOP).unwrap_or_else(|errors| panic!("{errors:?}"));
        let only_call = Some(OnlyCall { entry: entry.into(), arguments });
        let bound = run(module, &PassContext { only_call, ..PassContext::default() });
        assert!(verify(&bound).is_ok(), "{}", print_module(&bound));
        print_module(&bound)
    }

    #[test]
    fn known_integers_become_constants_and_nothing_else_does() {
        let text = bound("f", vec![Some(3), None, Some(9)]);
        assert_eq!(text.matches("const 3").count(), 1, "{text}");
        assert_eq!(text.matches("const 9").count(), 0, "{text}");
        assert!(text.contains("return %1"), "{text}");
        // Equal numbers are one constant.
        let text = bound("f", vec![Some(7), Some(7), None]);
        assert_eq!(text.matches("const 7").count(), 1, "{text}");
        assert!(!text.contains("return %1"), "{text}");
        // No entry but the one that is called.
        assert_eq!(bound("g", vec![Some(3), Some(3), None]), LOOP);
        assert_eq!(bound("f", vec![]), LOOP);
    }
}
