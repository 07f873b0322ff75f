//! What is emitted for small programs, to be read: LLVM IR, launch plans, PTX.

mod harness;

use std::fmt::Write;

use we3_backend_api::launch::Step;
use we3_backend_api::{Artifact, Emit, Target};

const SCALE: &str = "loop module

entry func @scale(%0: i64, %1: buffer f32, %2: f32) -> (i64) outputs (1) {
  %3: buffer f32 = output.f32 0 %0
  %4: i64 = const 0
  %5: i64 = const 1
  for.parallel %4, %0, %5 {
  b(%6: i64):
    %7: f32 = load %1, %6
    %8: f32 = mul %7, %2
    store %3, %6, %8
    yield
  }
  return %0
}
";

const ROWS: &str = "loop module

entry func @rows(%0: i64, %1: i64, %2: buffer f32) -> (f32) outputs (1) {
  %3: i64 = const 0
  %4: i64 = const 1
  %5: bool = gt %1, %3
  check.7 %5
  %6: i64 = mul_sat %0, %1
  %7: buffer f32 = output.f32 0 %6
  %8: f32 = const 1.0
  %9: i64, %10: f32 = while %3, %8 {
  b(%11: i64, %12: f32):
    %13: bool = lt %11, %0
    yield %13
  } {
  b(%14: i64, %15: f32):
    for.parallel %3, %0, %4 {
    b(%16: i64):
      for.parallel %3, %1, %4 {
      b(%17: i64):
        %18: i64 = mul %16, %1
        %19: i64 = add %18, %17
        %20: f32 = load %2, %19
        %21: f32 = div %20, %15
        store %7, %19, %21
        yield
      }
      yield
    }
    %22: i64 = add %14, %4
    %23: f32 = add %15, %8
    yield %22, %23
  }
  return %10
}
";

#[test]
fn llvm_ir_of_a_scaling() {
    let artifact = harness::compile(&harness::parse(SCALE), &Target::x86_64_baseline(), Emit::BackendIr, 0);
    let Artifact::Text(text) = artifact else { panic!("no text") };
    insta::assert_snapshot!(text);
}

#[test]
fn ptx_of_a_scaling() {
    let (ptx, _) = harness::ptx::kernels(&harness::parse(SCALE), 75, false, 3);
    insta::assert_snapshot!(ptx);
}

#[test]
fn launch_plan_with_a_loop_around_a_nest() {
    let module = harness::parse(ROWS);
    let (kernels, plan) = we3_backend_llvm::ptx::map_to_grid(&module).expect("a plan");
    let mut text = String::new();
    for entry in &plan.entries {
        let _ = writeln!(text, "{}: parameters {:?}", entry.name, entry.params);
        write_steps(&mut text, &entry.steps, 1);
        let _ = writeln!(text, "  results in cells {:?}\n", entry.results);
    }
    text.push_str(&we3_ir::text::print_module(&kernels));
    insta::assert_snapshot!(text);
}

fn write_steps(text: &mut String, steps: &[Step], depth: usize) {
    let indent = "  ".repeat(depth);
    for step in steps {
        match step {
            Step::If(condition, then, otherwise) => {
                let _ = writeln!(text, "{indent}if {condition:?}");
                write_steps(text, then, depth + 1);
                let _ = writeln!(text, "{indent}else");
                write_steps(text, otherwise, depth + 1);
            }
            Step::Loop(body) => {
                let _ = writeln!(text, "{indent}loop");
                write_steps(text, body, depth + 1);
            }
            Step::Alloc { .. }
            | Step::Output { .. }
            | Step::Free(_)
            | Step::Launch { .. }
            | Step::Bind(_)
            | Step::Break(_)
            | Step::Continue(_) => {
                let _ = writeln!(text, "{indent}{step:?}");
            }
        }
    }
}
