//! Whole kernels: loops, memory, outputs, checks, jumps, each on every target this machine can run.

mod harness;

use harness::{call, load, targets};
use we3_device::{ArgSlot, CallError, CallLimits, OutputLayout, call_entry};

fn bytes_of<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|value| bytes(*value)).collect()
}

fn on_every_target(text: &str, check: impl Fn(&we3_device::LoadedObject)) {
    for target in targets() {
        for opt_level in [0, 3] {
            check(&load(text, &target, opt_level));
        }
    }
}

#[test]
fn a_loop_scales_an_array_into_an_output() {
    let text = "loop module

entry func @scale(%0: i64, %1: buffer f32, %2: f32) -> (i64) {
  %3: buffer f32 = output.f32 0 %0
  %4: i64 = const 0
  %5: i64 = const 1
  for.serial %4, %0, %5 {
  b(%6: i64):
    %7: f32 = load %1, %6
    %8: f32 = mul %7, %2
    store %3, %6, %8
    yield
  }
  return %0
}
";
    on_every_target(text, |object| {
        let input = bytes_of(&[1.0_f32, -2.5, f32::INFINITY], f32::to_le_bytes);
        let args = [ArgSlot::Scalar(3), ArgSlot::Buffer(&input), ArgSlot::Scalar(2.0_f32.to_bits().into())];
        let outcome = call(object, "scale", &args, 1, &[OutputLayout::dense(0, 4)]).expect("runs");
        assert_eq!(outcome.results, [3]);
        assert_eq!(outcome.counts, [Some(3)]);
        let expected = bytes_of(&[2.0_f32, -5.0, f32::INFINITY], f32::to_le_bytes);
        assert_eq!(outcome.groups[&0].as_slice(), expected);
    });
}

#[test]
fn a_carried_sum_gives_the_canonical_nan_and_a_moved_one_keeps_its_payload() {
    let text = "loop module

entry func @sum(%0: i64, %1: buffer f64) -> (f64, f64) {
  %2: i64 = const 0
  %3: i64 = const 1
  %4: f64 = const 0.0
  %5: f64, %6: f64 = for.serial %2, %0, %3, %4, %4 {
  b(%7: i64, %8: f64, %9: f64):
    %10: f64 = load %1, %7
    %11: f64 = add %8, %10
    yield %11, %10
  }
  return %5, %6
}
";
    on_every_target(text, |object| {
        let nan = f64::from_bits(0xfff4_dead_beef_0001);
        let input = bytes_of(&[1.0, nan, 3.0, nan], f64::to_le_bytes);
        let args = |n: u64| [ArgSlot::Scalar(n), ArgSlot::Buffer(&input)];
        let sums = |n| call(object, "sum", &args(n), 2, &[]).expect("runs").results;
        assert_eq!(sums(0), [0, 0]);
        assert_eq!(sums(1), [1.0_f64.to_bits(), 1.0_f64.to_bits()]);
        assert_eq!(sums(4), [0x7ff8_0000_0000_0000, nan.to_bits()]);
    });
}

#[test]
fn a_failed_check_and_a_refused_allocation_end_the_kernel() {
    let text = "loop module

entry func @guarded(%0: i64) -> (i64) {
  %1: i64 = const 10
  %2: bool = lt %0, %1
  check.7 %2, %0
  %3: buffer f64 = alloc.f64 %0
  free %3
  return %0
}
";
    on_every_target(text, |object| {
        let run = |n: i64, memory| {
            let limits = CallLimits { memory, ..CallLimits::default() };
            call_entry(object, "we3_guarded", &[ArgSlot::Scalar(n.cast_unsigned())], 1, &[], limits)
                .map(|outcome| outcome.results)
        };
        assert_eq!(run(9, None), Ok(vec![9]));
        assert_eq!(run(-1, None), Ok(vec![u64::MAX]));
        assert_eq!(run(10, None), Err(CallError::CheckFailed));
        assert_eq!(run(9, Some(71)), Err(CallError::OutOfMemory));
        assert_eq!(run(9, Some(72)), Ok(vec![9]));
    });
}

#[test]
fn memory_that_was_freed_may_be_had_again() {
    let text = "loop module

entry func @again(%0: i64) -> (i64) {
  %1: buffer f64 = alloc.f64 %0
  free %1
  %2: buffer f64 = alloc.f64 %0
  free %2
  return %0
}
";
    on_every_target(text, |object| {
        let limits = CallLimits { memory: Some(100), ..CallLimits::default() };
        let outcome = call_entry(object, "we3_again", &[ArgSlot::Scalar(9)], 1, &[], limits);
        assert_eq!(outcome.map(|outcome| outcome.results), Ok(vec![9]));
    });
}

#[test]
fn an_allocation_whose_size_no_machine_has_is_refused() {
    let text = "loop module

entry func @huge(%0: i64) -> () {
  %1: buffer f64 = alloc.f64 %0
  return
}
";
    on_every_target(text, |object| {
        for count in [1_u64 << 60, 1 << 61, (1 << 61) + 1, i64::MAX as u64] {
            let result = call(object, "huge", &[ArgSlot::Scalar(count)], 0, &[]);
            assert!(matches!(result, Err(CallError::TooLarge)), "{count}: {result:?}");
        }
    });
}

#[test]
fn jumps_leave_the_region_that_they_name() {
    // The smallest divisor of n above 1, or 0.
    let text = "loop module

entry func @divisor(%0: i64) -> (i64) {
  %1: i64 = const 2
  %2: i64 = const 1
  %3: i64 = const 0
  %4: i64 = block {
    %5: i64 = forever %1 {
    b(%6: i64):
      %7: bool = ge %6, %0
      if %7 {
        break 1 %3
      } {
        yield
      }
      %8: i64 = rem %0, %6
      %9: i64 = add %6, %2
      %10: bool = eq %8, %3
      if %10 {
        break 0 %6
      } {
        continue 0 %9
      }
      yield %9
    }
    yield %5
  }
  return %4
}
";
    on_every_target(text, |object| {
        let divisor = |n| call(object, "divisor", &[ArgSlot::Scalar(n)], 1, &[]).expect("runs").results[0];
        assert_eq!([divisor(91), divisor(97), divisor(4), divisor(1)], [7, 0, 2, 0]);
    });
}

#[test]
fn a_loop_near_the_largest_index_ends() {
    let text = "loop module

entry func @count(%0: i64, %1: i64, %2: i64) -> (i64) {
  %3: i64 = const 0
  %4: i64 = const 1
  %5: i64 = for.serial %0, %1, %2, %3 {
  b(%6: i64, %7: i64):
    %8: i64 = add %7, %4
    yield %8
  }
  return %5
}
";
    on_every_target(text, |object| {
        let count = |low: i64, high: i64, step: i64| {
            let args = [low, high, step].map(|number| ArgSlot::Scalar(number.cast_unsigned()));
            call(object, "count", &args, 1, &[]).expect("runs").results[0]
        };
        assert_eq!(count(i64::MAX - 10, i64::MAX, 4), 3);
        assert_eq!(count(i64::MIN, i64::MAX, i64::MAX), 3);
        assert_eq!(count(5, 5, 1), 0);
        assert_eq!(count(5, -5, 1), 0);
        assert_eq!(count(0, 7, 3), 3);
    });
}

#[test]
fn scratch_copies_and_offsets_move_every_byte() {
    let text = "loop module

entry func @rotate(%0: i64, %1: buffer u8, %2: i64) -> () {
  %3: buffer u8 = output.u8 0 %0
  %4: buffer u8 = stack.u8 100000
  %5: i64 = sub %0, %2
  %6: buffer u8 = offset %1, %2
  copy %4, %6, %5
  %7: buffer u8 = offset %4, %5
  copy %7, %1, %2
  copy %3, %4, %0
  return
}
";
    on_every_target(text, |object| {
        let input: Vec<u8> = (0..200).collect();
        for (n, shift) in [(200, 0), (200, 1), (199, 77), (5, 5), (0, 0), (64, 32), (33, 1)] {
            let args = [ArgSlot::Scalar(n), ArgSlot::Buffer(&input), ArgSlot::Scalar(shift)];
            let outcome = call(object, "rotate", &args, 0, &[OutputLayout::dense(3, 1)]).expect("runs");
            let mut expected = input[..n as usize].to_vec();
            expected.rotate_left(shift as usize);
            assert_eq!(outcome.groups[&3].as_slice(), expected);
        }
    });
}

#[test]
fn fields_of_records_share_one_allocation() {
    let text = "loop module

entry func @records() -> () {
  %0: i64 = const 2
  %1: buffer f64 = output.f64 0 %0
  %2: buffer i32 = output.i32 1 %0
  %3: f64 = const 1.5
  %4: i32 = const -7
  %5: i64 = const 0
  %6: i64 = const 2
  %7: i64 = const 4
  store %1, %5, %3
  store %1, %6, %3
  store %2, %5, %4
  store %2, %7, %4
  return
}
";
    on_every_target(text, |object| {
        let layouts = [
            OutputLayout { group: 0, byte_offset: 0, elem_bytes: 8, stride: 2 },
            OutputLayout { group: 0, byte_offset: 8, elem_bytes: 4, stride: 4 },
        ];
        let outcome = call(object, "records", &[], 0, &layouts).expect("runs");
        let mut record = 1.5_f64.to_le_bytes().to_vec();
        record.extend_from_slice(&(-7_i32).to_le_bytes());
        record.extend_from_slice(&[0; 4]);
        assert_eq!(outcome.groups[&0].as_slice(), [record.clone(), record].concat());
    });
}

#[test]
fn an_object_imports_no_symbol() {
    // Everything that needs a routine on the baseline machine.
    let text = "loop module

entry func @soft(%0: f64, %1: f32, %2: buffer f64) -> (f64, f32) {
  %3: f64 = fma %0, %0, %0
  %4: f64 = rem %3, %0
  %5: f64 = floor %4
  %6: f32 = fma %1, %1, %1
  %7: f32 = rem %6, %1
  %8: f32 = round_even %7
  %9: i64 = const 8
  %10: buffer f64 = alloc.f64 %9
  copy %10, %2, %9
  return %5, %8
}
";
    // Loading fails on an undefined symbol.
    on_every_target(text, |object| assert_eq!(object.symbols().collect::<Vec<_>>(), ["we3_soft"]));
}

#[test]
fn freeing_what_was_not_allocated_is_reported() {
    let text = "loop module

entry func @wrong(%0: buffer f32) -> () {
  free %0
  return
}
";
    on_every_target(text, |object| {
        let result = call(object, "wrong", &[ArgSlot::Buffer(&[0; 4])], 0, &[]);
        assert!(matches!(result, Err(CallError::Broken(_))), "{result:?}");
    });
}

#[test]
fn regions_nest_as_deep_as_the_verifier_allows() {
    let depth = we3_ir::text::MAX_NESTING - 4;
    let mut text = String::from(
        "loop module\n\nentry func @deep(%0: i64, %1: bool) -> (i64) {\n  %2: i64 = const 1\n  %3: i64 = const 0\n",
    );
    // Alternately a loop of one round and a branch; each adds one to what the inner one gives.
    for level in 0..depth {
        let value = 4 + 3 * level;
        if level % 2 == 0 {
            let (index, carried) = (value + 1, value + 2);
            text += &format!(
                "%{value}: i64 = for.serial %3, %2, %2, %3 {{\nb(%{index}: i64, %{carried}: i64):\n"
            );
        } else {
            text += &format!("%{value}: i64 = if %1 {{\n");
        }
    }
    let inner = 4 + 3 * depth;
    text += &format!("%{inner}: i64 = add %0, %2\nyield %{inner}\n");
    for level in (0..depth).rev() {
        let (value, sum) = (4 + 3 * level, 4 + 3 * (depth + 1) + level);
        text += if level % 2 == 0 { "}\n" } else { "} {\nyield %3\n}\n" };
        text += &format!("%{sum}: i64 = add %{value}, %2\n");
        text += &if level == 0 { format!("return %{sum}\n}}\n") } else { format!("yield %{sum}\n") };
    }
    let object = load(&text, &targets()[0], 3);
    let run = |taken| call(&object, "deep", &[ArgSlot::Scalar(5), ArgSlot::Scalar(taken)], 1, &[]);
    assert_eq!(run(1).expect("runs").results, [6 + depth as u64]);
    assert_eq!(run(0).expect("runs").results, [2]);
}

#[test]
fn much_scratch_does_not_overflow_the_stack() {
    let mut text = String::from("loop module\n\nentry func @f(%0: i64) -> (i64) {\n");
    let n = 600;
    for k in 1..=n {
        text += &format!("  %{k}: buffer i64 = stack.i64 4000\n  store %{k}, %0, %0\n");
    }
    text += &format!("  %{}: i64 = load %{n}, %0\n  return %{}\n}}\n", n + 1, n + 1);
    let object = load(&text, &targets()[0], 0);
    assert_eq!(call(&object, "f", &[ArgSlot::Scalar(3999)], 1, &[]).expect("runs").results, [3999]);
}

#[test]
fn a_long_function_compiles() {
    let mut text = String::from("loop module\n\nentry func @long(%0: i64, %1: f32) -> (i64, f32) {\n");
    let n = 20_000;
    for k in 1..=n {
        let (integer, float) = (2 * k, 2 * k + 1);
        text += &format!("  %{integer}: i64 = add %{}, %{}\n", 2 * k - 2, if k > 1 { 2 * k - 4 } else { 0 });
        text += &format!("  %{float}: f32 = mul %{}, %{}\n", 2 * k - 1, 2 * k - 1);
    }
    text += &format!("  return %{}, %{}\n}}\n", 2 * n, 2 * n + 1);
    let object = load(&text, &targets()[0], 3);
    let (mut before, mut last) = (1_i64, 1_i64);
    for k in 1..=n {
        let next = last.wrapping_add(if k > 1 { before } else { 1 });
        (before, last) = (last, next);
    }
    let args = [ArgSlot::Scalar(1), ArgSlot::Scalar(0x3f80_0000)];
    let results = call(&object, "long", &args, 2, &[]).expect("runs").results;
    assert_eq!(results, [last.cast_unsigned(), 0x3f80_0000]);
}
