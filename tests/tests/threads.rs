//! Parallel loops on several threads: the same bits, the same failures, however they are cut and ordered.

use we3_backend_api::{Artifact, Emit, entry_symbol};
use we3_backend_interp::{Limits, RunArray, RunValue, run_entry};
use we3_device::{ArgSlot, CallError, CallLimits, LoadedObject, OutputLayout, Threads, call_entry};
use we3_driver::plan::{BackendChoice, Plan};
use we3_driver::stages::{StageLog, generate};
use we3_ir::text::parse_module;
use we3_ir::{Module, Scalar, Type};

/// Constants, a table, scalars, vectors, `bool`s and buffers go into a body; a step that is not 1; a
/// parallel loop inside one and inside a serial one; scratch too large for a stack.
const CAPTURES: &str = "loop module

entry func @captures(%0: i64, %1: buffer f32, %2: f32, %3: bool) -> (f32) outputs (1, 1) {
  %4: buffer f32 = output.f32 0 %0
  %5: i64 = const 0
  %6: i64 = const 1
  %7: i64 = const 3
  %8: f32x4 = splat.4 %2
  %9: buffer f32 = data.f32[1.5, -2.5, 3.5]
  %10: bool = eq %0, %7
  %11: bool = or %10, %3
  for.parallel %5, %0, %6 {
  b(%12: i64):
    %13: f32 = load %1, %12
    %14: f32 = extract.2 %8
    %15: f32 = mul %13, %14
    %16: f32 = load %9, %6
    %17: f32 = select %11, %15, %16
    %18: f32 = add %17, %16
    store %4, %12, %18
    yield
  }
  %19: buffer f32 = output.f32 1 %0
  for.parallel %5, %0, %6 {
  b(%20: i64):
    store %19, %20, %2
    yield
  }
  for.serial %5, %7, %6 {
  b(%21: i64):
    for.parallel %21, %0, %7 {
    b(%22: i64):
      %23: buffer f32 = stack.f32 40000
      for.parallel %5, %7, %6 {
      b(%24: i64):
        %25: f32 = load %4, %22
        %26: f32 = load %9, %24
        %27: f32 = mul %25, %26
        store %23, %24, %27
        yield
      }
      %28: f32 = load %23, %21
      store %19, %22, %28
      yield
    }
    yield
  }
  return %2
}
";

/// Each iteration has memory of its own.
const ALLOCATES: &str = "loop module

entry func @allocates(%0: i64, %1: i64) -> () outputs (1) {
  %2: buffer i64 = output.i64 0 %0
  %3: i64 = const 0
  %4: i64 = const 1
  for.parallel %3, %0, %4 {
  b(%5: i64):
    %6: bool = ne %5, %1
    check.0 %6
    %7: i64 = add %5, %4
    %8: buffer i64 = alloc.i64 %7
    store %8, %5, %7
    %9: i64 = load %8, %5
    store %2, %5, %9
    free %8
    yield
  }
  return
}
";

fn plans() -> Vec<Plan> {
    let mut plans =
        vec![Plan::host(BackendChoice::Cranelift), Plan::host(BackendChoice::Cranelift).at_level(0)];
    if cfg!(feature = "llvm") {
        plans.extend([Plan::host(BackendChoice::Llvm), Plan::host(BackendChoice::Llvm).at_level(0)]);
    }
    plans
}

fn parsed(text: &str) -> Module {
    parse_module(text).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn load(module: &Module, plan: &Plan) -> LoadedObject {
    let artifact = generate(module, plan, Emit::Object, &mut StageLog::default())
        .unwrap_or_else(|failure| panic!("{}: {failure:?}", plan.describe()));
    let Artifact::Object(bytes) = artifact else { panic!("{} made no object", plan.describe()) };
    LoadedObject::load(&bytes).unwrap_or_else(|error| panic!("{error}"))
}

fn ways() -> Vec<Threads> {
    let mut ways = vec![Threads::ONE, Threads::default()];
    ways.extend((0..8).map(|seed| Threads::disordered(4, seed)));
    ways
}

/// Scalars and arrays as bits and bytes.
type Results = (Vec<u64>, Vec<Vec<u8>>);

fn run(
    object: &LoadedObject,
    module: &Module,
    args: &[RunValue],
    limits: CallLimits<'_>,
) -> Result<Results, CallError> {
    let func = module.funcs.values().next().expect("one function");
    let slots: Vec<ArgSlot<'_>> = args
        .iter()
        .map(|arg| match arg {
            RunValue::Scalar(bits) => ArgSlot::Scalar(*bits),
            RunValue::Array(array) => ArgSlot::Buffer(&array.data),
        })
        .collect();
    let mut layouts = Vec::new();
    for data in func.ops.values() {
        if let we3_ir::Opcode::Output { index, elem } = data.opcode {
            layouts.push(OutputLayout::dense(index, elem.bytes()));
        }
    }
    let outcome =
        call_entry(object, &entry_symbol(&func.name), &slots, func.results.len(), &layouts, limits)?;
    Ok((outcome.results, outcome.groups.values().map(|memory| memory.as_slice().to_vec()).collect()))
}

fn expected(module: &Module, args: &[RunValue]) -> Results {
    let (id, _) = module.funcs.iter().next().expect("one function");
    let verified = we3_ir::verify::verify(module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let results = run_entry(verified, id, args.to_vec(), &Limits::default()).expect("runs");
    let mut found = Results::default();
    for result in results {
        match result {
            RunValue::Scalar(bits) => found.0.push(bits),
            RunValue::Array(array) => found.1.push(array.data),
        }
    }
    found
}

fn floats(count: usize) -> RunValue {
    let data = (0..count).flat_map(|k| (k as f32 * 0.37 - 5.0).to_le_bytes()).collect();
    RunValue::Array(RunArray { elem: Scalar::F32, sizes: vec![count as i64], data })
}

#[test]
fn bodies_find_what_they_capture() {
    let module = parsed(CAPTURES);
    assert!(module.funcs.values().all(|func| func.results == [Type::Scalar(Scalar::F32)]));
    for plan in plans() {
        let object = load(&module, &plan);
        for count in [0, 1, 3, 10, 301] {
            for flag in [0, 1] {
                let scale = u64::from(0.75f32.to_bits());
                let args = [
                    RunValue::Scalar(count),
                    floats(count as usize),
                    RunValue::Scalar(scale),
                    RunValue::Scalar(flag),
                ];
                let expected = expected(&module, &args);
                for threads in ways() {
                    let limits = CallLimits { threads, ..CallLimits::default() };
                    let found = run(&object, &module, &args, limits).expect("runs");
                    assert_eq!(found, expected, "{} {threads:?} {count}", plan.describe());
                }
            }
        }
    }
}

#[test]
fn a_check_that_fails_in_one_chunk_ends_the_kernel() {
    let module = parsed(ALLOCATES);
    for plan in plans() {
        let object = load(&module, &plan);
        for threads in ways() {
            let limits = CallLimits { threads, ..CallLimits::default() };
            for bad in [0, 1, 57, 299] {
                let args = [RunValue::Scalar(300), RunValue::Scalar(bad)];
                assert_eq!(run(&object, &module, &args, limits), Err(CallError::CheckFailed), "{threads:?}");
            }
            let args = [RunValue::Scalar(300), RunValue::Scalar(300)];
            assert_eq!(run(&object, &module, &args, limits), Ok(expected(&module, &args)));
        }
    }
}

#[test]
fn too_little_memory_in_one_chunk_ends_the_kernel() {
    let module = parsed(ALLOCATES);
    for plan in plans() {
        let object = load(&module, &plan);
        for threads in ways() {
            // Room for the output and for the first iterations, not for the last ones.
            let limits = CallLimits { threads, memory: Some(300 * 8 + 200 * 8), ..CallLimits::default() };
            let args = [RunValue::Scalar(300), RunValue::Scalar(300)];
            assert_eq!(run(&object, &module, &args, limits), Err(CallError::OutOfMemory), "{threads:?}");
        }
    }
}

#[test]
fn many_callers_at_once_do_not_disturb_each_other() {
    let (module, other) = (parsed(ALLOCATES), parsed(CAPTURES));
    for plan in plans() {
        let (object, second) = (load(&module, &plan), load(&other, &plan));
        let args = |caller: u64| [RunValue::Scalar(100 + caller), RunValue::Scalar(1000)];
        let work = |caller: u64| {
            let expected = expected(&module, &args(caller));
            for call in 0..60 {
                let threads = match call % 3 {
                    0 => Threads::default(),
                    _ => Threads::disordered(2 + call as usize % 4, caller + 31 * call),
                };
                let limits = CallLimits { threads, ..CallLimits::default() };
                assert_eq!(run(&object, &module, &args(caller), limits).as_ref(), Ok(&expected));
                let failing = [RunValue::Scalar(90), RunValue::Scalar(call)];
                assert_eq!(run(&object, &module, &failing, limits), Err(CallError::CheckFailed));
                let scale = u64::from(1.25f32.to_bits());
                let args = [RunValue::Scalar(40), floats(40), RunValue::Scalar(scale), RunValue::Scalar(1)];
                assert!(run(&second, &other, &args, limits).is_ok());
            }
        };
        std::thread::scope(|scope| {
            let work = &work;
            for caller in 0..8 {
                scope.spawn(move || work(caller));
            }
        });
    }
}
