//! The text form: printing and parsing are each other's inverse, and errors have positions.

use we3_ir::text::{parse_module, print_module};

const SAMPLE: &str = r#"array module

entry func @scale(%0: i64, %1: f32[%0] stride 2, %2: f32) -> (i64, f32[#0] stride 3) {
  %3: f32[%0] = build %0 {
  b(%4: i64):
    %5: f32 = index %1, %4
    %6: f32 = mul %5, %2
    yield %6
  }
  return %0, %3
}

func @"a \"name\"\\"(%0: i64, %1: f16[%0, %0]) -> (bool) {
  %2: f32 = const -0.1
  %3: bf16 = const inf
  %4: f64 = const bits(0x7ff8000000000001)
  %5: bool = const true
  %6: i8 = const -128
  %7: i64 = reduce.sum.masked %0 {
  b(%8: i64):
    yield %5, %8
  }
  %9: i64[%7], %10: i64[%7] = scan %7, %0, %0 {
  b(%11: i64):
    yield %11, %11
  } {
  b(%12: i64, %13: i64, %14: i64, %15: i64):
    yield %12, %13
  }
  %16: i64[%7] = scatter.1.lanes %0, %9 {
  b(%17: i64):
    yield %17, %17
  } {
  b(%18: i64, %19: i64):
    %20: i64 = add %18, %19
    yield %20
  }
  %21: i64[%7] = update.masked %16 {
    yield %5, %0, %0
  }
  check.12 %5, %2
  %22: i64, %23: f32[%22] = call @scale %0, %0
  return %5
}
"#;

const LOOPS: &str = r#"loop module

entry func @f(%0: i64, %1: buffer f32) -> (i64) {
  %2: buffer f32 = output.f32 0 %0
  %3: buffer u8 = stack.u8 64
  %4: buffer f32 = alloc.f32 %0
  %5: i64 = const 0
  %6: i64 = const 1
  for.parallel %5, %0, %6 {
  b(%7: i64):
    %8: f32x8 = load %1, %7
    %9: i32x8 = iota
    %10: f32x8 = shuffle.[0, 9, 2, 3, 4, 5, 6, 7] %8, %8
    %11: f32 = extract.3 %10
    %12: f32x8 = splat.8 %11
    %13: f32x8 = insert.2 %12, %11
    store %2, %7, %13
    yield
  }
  %14: i64 = forever %5 {
  b(%15: i64):
    block {
      continue 1 %15
    }
    break 0 %15
  }
  barrier
  copy %4, %2, %0
  free %4
  return %14
}
"#;

#[test]
fn what_prints_reads_back() {
    for text in [SAMPLE, LOOPS] {
        let module = parse_module(text).unwrap_or_else(|errors| panic!("{errors:?}"));
        let printed = print_module(&module);
        assert_eq!(printed, text);
    }
}

#[test]
fn numbers_of_values_in_the_text_do_not_matter() {
    let renamed = SAMPLE.replace('%', "%7");
    let module = parse_module(&renamed).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(print_module(&module), SAMPLE);
}

#[test]
fn errors_name_their_place_and_each_function_reports() {
    let text = "array module\nfunc @a() -> () {\n  %0: f32 = mull %1\n}\nfunc @b() -> (i64[#0]) { return }\n";
    let errors = parse_module(text).err().unwrap_or_default();
    let shown: Vec<String> = errors.iter().map(|error| error.to_string()).collect();
    assert_eq!(shown, ["3:13: `mull` is no operation", "5:19: #0 is no earlier result"]);
}

#[test]
fn deep_nesting_is_an_error() {
    let text = format!("array module\nfunc @a() -> () {{ {} ", "if {".repeat(100_000));
    let errors = parse_module(&text).err().unwrap_or_default();
    assert!(errors[0].message.contains("nest deeper"), "{errors:?}");
}
