//! How fast the interpreter is: `cargo bench -p we3-backend-interp`. (Meaning is tested by `tests/ir`.)
#![expect(clippy::print_stderr, reason = "its times are its result")]

use std::time::Instant;

use we3_backend_interp::{Limits, RunArray, RunValue, run_entry};
use we3_ir::Scalar;
use we3_ir::text::parse_module;
use we3_ir::verify::verify;

const PROGRAMS: &str = "array module
func @mix(%0: i64) -> (i64) {
  %1: i64 = const 1
  %2: i64 = loop %0, %1 {
  b(%3: i64, %4: i64):
    %5: i64 = mul %4, %3
    %6: i64 = add %5, %1
    %7: i64 = xor %6, %3
    %8: bool = lt %7, %3
    %9: i64 = select %8, %7, %6
    yield %9
  }
  return %2
}
func @saxpy(%0: i64, %1: f32[%0]) -> (f32) {
  %2: f32 = reduce.sum %0 {
  b(%3: i64):
    %4: f32 = index %1, %3
    %5: f32 = mul %4, %4
    %6: f32 = add %5, %4
    yield %6
  }
  return %2
}
func @count(%0: i64, %1: f32[%0]) -> (f32[%0]) {
  %2: f32[%0] = loop %0, %1 {
  b(%3: i64, %4: f32[%0]):
    %5: f32 = index %4, %3
    %6: f32[%0] = update %4 {
      %7: f32 = add %5, %5
      yield %3, %7
    }
    yield %6
  }
  return %2
}
";

fn main() {
    let module = parse_module(PROGRAMS).unwrap_or_else(|errors| panic!("{errors:?}"));
    let verified = verify(&module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let n: i64 = 2_000_000;
    let array = RunArray { elem: Scalar::F32, sizes: vec![n], data: vec![0; 4 * n as usize] };
    for (name, args, ops) in [
        ("mix", vec![RunValue::Scalar(n as u64)], 5),
        ("saxpy", vec![RunValue::Scalar(n as u64), RunValue::Array(array.clone())], 4),
        ("count", vec![RunValue::Scalar(n as u64), RunValue::Array(array.clone())], 3),
    ] {
        let func = module.find(name).unwrap_or_else(|| panic!("no {name}"));
        let start = Instant::now();
        let result = run_entry(verified, func, args, &Limits::default());
        let seconds = start.elapsed().as_secs_f64();
        assert!(result.is_ok(), "{result:?}");
        eprintln!("{name}: {:.1} M operations a second", (n * ops) as f64 / seconds / 1e6);
    }
}
