//! The verifier on modules that the text form cannot express. (Everything else: `tests/ir/verify`.)

use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;
use we3_ir::{Block, Func, FuncBuilder, Level, Module, Opcode, Scalar, Type, Value};

fn messages(module: &Module) -> Vec<String> {
    match verify(module) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

fn module_of(func: Func) -> Module {
    let mut module = Module::new(Level::Array);
    module.funcs.push(func);
    module
}

#[test]
fn a_block_inside_itself_is_refused_and_printed() {
    let mut func = Func::new("f");
    let body = func.body;
    let mut builder = FuncBuilder::new(&mut func);
    let condition = builder.bool(true);
    builder.append(Opcode::If, vec![condition], vec![body, body], &[]);
    builder.ret(vec![]);
    let module = module_of(func);
    assert!(messages(&module).iter().any(|message| message.contains("stands in two places")));
    assert!(print_module(&module).contains("printed before"));
}

#[test]
fn ids_out_of_the_arena_are_refused() {
    let mut func = Func::new("f");
    let mut builder = FuncBuilder::new(&mut func);
    builder.append(Opcode::Index, vec![Value::from_u32(77)], vec![Block::from_u32(99)], &[Type::I64]);
    builder.append(
        Opcode::Build { rank: 4_000_000_000 },
        vec![],
        vec![],
        &[Type::Array(Scalar::F32, vec![])],
    );
    builder.ret(vec![]);
    let module = module_of(func);
    let found = messages(&module);
    assert!(found.iter().any(|message| message.contains("%undefined77 is not visible")), "{found:#?}");
    assert!(found.iter().any(|message| message.contains("no block of the function")), "{found:#?}");
    assert!(found.iter().any(|message| message.contains("needs at least one size")), "{found:#?}");
    print_module(&module);
}

#[test]
fn a_good_module_passes() {
    let text = "array module
entry func @rows(%0: i64, %1: i64, %2: f32[%0, %1]) -> (i64, i64, f32[#0, #1]) {
  %3: f32[%0, %1] = build %0 {
  b(%4: i64):
    %5: f32 = reduce.max %1 {
    b(%6: i64):
      %7: f32 = index %2, %4, %6
      yield %7
    }
    %8: f32[%1] = build %1 {
    b(%9: i64):
      %10: f32 = index %2, %4, %9
      %11: f32 = sub %10, %5
      yield %11
    }
    yield %8
  }
  return %0, %1, %3
}
";
    let module = parse_module(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(messages(&module), Vec::<String>::new());
}
