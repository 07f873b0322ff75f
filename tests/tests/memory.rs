//! Memory of results, taken from a pool that has it from earlier calls or handed in by the caller: neither may
//! show in a result, and none of it may stay behind.

use std::sync::{Mutex, MutexGuard, PoisonError};

use we3_device::process_pool;
use we3_driver::Scalar;
use we3_driver::executable::{Budget, Caller};
use we3_driver::plan::{BackendChoice, Plan};
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_driver::value::{HostArray, HostType, HostValue};

/// Results that zeros, padding, few writes, temporaries and run-time sizes are parts of.
const PROGRAM: &str = "//! Kernels whose memory matters.
pub struct Padded { flag: bool, wide: f64, small: u8 }
pub fn doubled(x: f32[n]) -> f32[n] = x + x;
pub fn untouched(x: f32[n]) -> f32[n] { let mut y: f32[n] = zeros(n); if n > 3 { y[3] = x[3]; } y }
pub fn gone(x: f32[n]) -> f32[?k] = [v for v in x if v > 1.0];
pub fn padded(x: f32[n]) -> Padded[n] = [Padded { flag: v > 0.0, wide: v as f64, small: 7 } for v in x];
pub fn counted(x: f32[n]) -> (i64[n], f32) = (scatter(+, zeros(n), (i / 3, 1i64) for i in 0..n), sum(x));
pub fn running(x: f32[n]) -> f32[n] = scan(+, 0.0, x);
pub fn reordered(x: f32[n]) -> f32[n] { let order = argsort(x); let y = [x[i] for i in order]; reverse(y) }
pub fn square(x: f32[n]) -> f32[n, 2] = [x[i] * j as f32 for i, j in 0..2];
pub fn chained(x: f32[n]) -> f32[n] {
    let a = scan(+, 0.0, x);
    let b = scan(max, -inf, a);
    let c = scan(+, 0.0, b);
    let d = scan(max, -inf, c);
    scan(+, 0.0, d)
}
pub fn fails(x: f32[n]) -> f32[n] = [x[i + 1] for i in 0..n];
";

const KERNELS: [&str; 8] =
    ["doubled", "untouched", "gone", "padded", "counted", "running", "reordered", "square"];

/// Small ones, and such that arrays of 4 bytes an element just do and do not come from the pool.
const SIZES: [usize; 4] = [0, 7, 65_535, 65_536];

/// The pool is one for all tests of this process, and they count what it holds.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn compilers() -> Vec<BackendChoice> {
    let llvm = cfg!(feature = "llvm").then_some(BackendChoice::Llvm);
    std::iter::once(BackendChoice::Cranelift).chain(llvm).collect()
}

fn backends() -> Vec<BackendChoice> {
    [vec![BackendChoice::Interpreter, BackendChoice::LoopInterpreter], compilers()].concat()
}

/// Builds an entry and hands it on.
fn with_caller(entry: &str, backend: BackendChoice, work: impl FnOnce(&Caller<'_>)) {
    let mut session = Session::open(&Sources::from_text("memory.we3", PROGRAM), SessionOptions::default());
    let found = session.entry(entry).cloned().unwrap_or_else(|failure| panic!("{failure:?}"));
    let kernel = session.kernel(&found).unwrap_or_else(|failure| panic!("{failure:?}"));
    let built = session.build(&|name| name == entry, &Plan::host(backend));
    let executable = built.unwrap_or_else(|failure| panic!("{failure:?}"));
    work(&executable.caller(&kernel));
}

fn floats(count: usize) -> HostArray {
    let mut array = HostArray::zeros(HostType::Scalar(Scalar::F32), vec![count as u64]).expect("memory");
    for (number, place) in array.bytes_mut().chunks_exact_mut(4).enumerate() {
        let value = ((number * 7919) % 1009) as f32 * 0.25 - 100.0;
        place.copy_from_slice(&value.to_le_bytes());
    }
    array
}

fn array(value: &HostValue) -> &HostArray {
    let HostValue::Array(array) = value else { panic!("{value:?}") };
    array
}

/// Leaves blocks full of ones for whoever comes next.
fn spoil_the_pool() {
    let sizes = [200_000, 262_144, 524_288, 1_572_864];
    let byte = || HostType::Scalar(Scalar::U8);
    let spoilt = sizes.map(|size| [0; 3].map(|_| HostArray::zeros(byte(), vec![size]).expect("memory")));
    for mut array in spoilt.into_iter().flatten() {
        array.bytes_mut().fill(0xff);
    }
}

/// The same bytes, padding included.
fn assert_same(found: &HostValue, expected: &HostValue, what: &str) {
    match (found, expected) {
        (HostValue::Array(found), HostValue::Array(expected)) => {
            assert_eq!(found.sizes(), expected.sizes(), "{what}");
            let differ = found.bytes().iter().zip(expected.bytes()).position(|(a, b)| a != b);
            assert_eq!(differ, None, "{what}: byte");
        }
        (HostValue::Tuple(found), HostValue::Tuple(expected)) => {
            found.iter().zip(expected).for_each(|(found, expected)| assert_same(found, expected, what));
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

/// What the reference interpreter makes of arrays of each size.
fn references(entry: &str) -> Vec<(HostValue, HostValue)> {
    let mut found = Vec::new();
    with_caller(entry, BackendChoice::Interpreter, |reference| {
        for size in SIZES {
            let arg = HostValue::Array(floats(size));
            let result = reference.call(std::slice::from_ref(&arg), Budget::default()).expect("runs");
            found.push((arg, result));
        }
    });
    found
}

#[test]
fn results_do_not_depend_on_what_their_memory_held() {
    let _turn = alone();
    for entry in KERNELS {
        let references = references(entry);
        for backend in compilers() {
            with_caller(entry, backend, |caller| {
                for (arg, expected) in &references {
                    let what = format!("{entry} {} {backend:?}", array(arg).count());
                    let args = std::slice::from_ref(arg);
                    for _ in 0..2 {
                        spoil_the_pool();
                        let found = caller.call(args, Budget::default()).expect("runs");
                        assert_same(&found, expected, &what);
                    }
                    // In memory of the caller nothing but the result is written.
                    let mut out = caller.call(args, Budget::default()).expect("runs");
                    for _ in 0..2 {
                        caller.call_into(args, &mut out, Budget::default()).expect("runs");
                        assert_same(&out, expected, &what);
                    }
                }
            });
        }
    }
}

#[test]
fn calls_after_the_first_need_no_new_pages_and_leave_none_behind() {
    let _turn = alone();
    let live = process_pool().stats().live;
    for backend in compilers() {
        for entry in KERNELS {
            with_caller(entry, backend, |caller| {
                let args = [HostValue::Array(floats(80_001))];
                let call = || drop(caller.call(&args, Budget::default()).expect("runs"));
                call();
                let mapped = process_pool().stats().mapped;
                (0..5).for_each(|_| call());
                assert_eq!(process_pool().stats().mapped, mapped, "{entry} {backend:?}");
            });
        }
        // A call that ends early gives everything back as well.
        with_caller("fails", backend, |caller| {
            let args = [HostValue::Array(floats(80_001))];
            let failure = caller.call(&args, Budget::default()).expect_err("fails");
            assert!(failure.summary().contains("out of range"), "{}", failure.summary());
        });
        let stats = process_pool().stats();
        assert_eq!(stats.live, live, "{backend:?}");
        assert!(stats.kept <= process_pool().bound());
    }
}

/// Four temporaries follow one another; at no time are more than two needed beside the result.
#[test]
fn temporaries_that_are_dead_make_room_for_others() {
    let _turn = alone();
    for backend in compilers() {
        with_caller("chained", backend, |caller| {
            let args = [HostValue::Array(floats(80_001))];
            process_pool().clear();
            let mapped = process_pool().stats().mapped;
            let array = 80_001 * 4;
            let budget =
                |arrays: u64| Budget { bytes: Some(arrays * array + array / 8), ..Budget::default() };
            drop(caller.call(&args, budget(3)).expect("three fit"));
            assert!(process_pool().stats().mapped - mapped <= 3, "{backend:?}");
            assert_eq!(caller.call(&args, budget(1)).expect_err("one is too few").summary(), "out of memory");
        });
    }
}

#[test]
fn programs_on_several_threads_share_the_pool() {
    let _turn = alone();
    let live = process_pool().stats().live;
    let work = |entry: &str, size: usize| {
        with_caller(entry, BackendChoice::Cranelift, |caller| {
            let args = [HostValue::Array(floats(size))];
            let expected = caller.call(&args, Budget::default()).expect("runs");
            let mut out = caller.call(&args, Budget::default()).expect("runs");
            for _ in 0..15 {
                let found = caller.call(&args, Budget::default()).expect("runs");
                assert_same(&found, &expected, entry);
                caller.call_into(&args, &mut out, Budget::default()).expect("runs");
                assert_same(&out, &expected, entry);
            }
        });
    };
    std::thread::scope(|scope| {
        for (entry, size) in
            [("doubled", 80_001), ("reordered", 70_000), ("padded", 66_000), ("doubled", 80_001)]
        {
            scope.spawn(move || work(entry, size));
        }
    });
    assert_eq!(process_pool().stats().live, live);
}

#[test]
fn a_result_goes_into_the_memory_that_is_handed_in() {
    let _turn = alone();
    for backend in backends() {
        with_caller("doubled", backend, |caller| {
            for size in [5, 80_001] {
                let args = [HostValue::Array(floats(size))];
                let mut out = HostValue::Array(floats(size));
                let place = array(&out).bytes().as_ptr();
                caller.call_into(&args, &mut out, Budget::default()).expect("runs");
                assert_eq!(array(&out).bytes().as_ptr(), place, "{backend:?}");
                assert_same(&out, &caller.call(&args, Budget::default()).expect("runs"), "doubled");
            }
        });
        // Scalars beside arrays are replaced.
        with_caller("counted", backend, |caller| {
            let args = [HostValue::Array(floats(9))];
            let expected = caller.call(&args, Budget::default()).expect("runs");
            let elem = HostType::Scalar(Scalar::I64);
            let zeros = HostValue::Array(HostArray::zeros(elem, vec![9]).expect("memory"));
            let mut out = HostValue::Tuple(vec![zeros, HostValue::scalar(Scalar::F32, 0)]);
            caller.call_into(&args, &mut out, Budget::default()).expect("runs");
            assert_eq!(out, expected, "{backend:?}");
        });
    }
}

#[test]
fn memory_of_the_caller_is_not_counted_against_the_limit() {
    let _turn = alone();
    with_caller("doubled", BackendChoice::Cranelift, |caller| {
        let args = [HostValue::Array(floats(80_001))];
        let budget = Budget { bytes: Some(1000), ..Budget::default() };
        assert_eq!(caller.call(&args, budget).expect_err("too large").summary(), "out of memory");
        let mut out = HostValue::Array(floats(80_001));
        caller.call_into(&args, &mut out, budget).expect("runs");
    });
}

#[test]
fn what_cannot_receive_a_result_is_named() {
    let _turn = alone();
    let zeros = |elem, sizes: &[u64]| {
        HostValue::Array(HostArray::zeros(HostType::Scalar(elem), sizes.to_vec()).expect("memory"))
    };
    for backend in backends() {
        let refused = |entry: &str, args: &[HostValue], out: &mut HostValue, part: &str| {
            with_caller(entry, backend, |caller| {
                let failure = caller.call_into(args, out, Budget::default()).expect_err(part);
                assert!(failure.summary().contains(part), "{backend:?}: {}", failure.summary());
            });
        };
        let args = [HostValue::Array(floats(6))];
        refused(
            "doubled",
            &args,
            &mut zeros(Scalar::F64, &[6]),
            "`out` is f64[6], the result of `doubled` is f32[",
        );
        refused("doubled", &args, &mut zeros(Scalar::F32, &[6, 1]), "`out` is f32[6, 1], the result");
        refused("doubled", &args, &mut HostValue::scalar(Scalar::F32, 0), "`out` is f32, the result");
        refused(
            "doubled",
            &args,
            &mut zeros(Scalar::F32, &[5]),
            "an array of `out` has sizes [5], the result of `doubled` has [6]",
        );
        refused(
            "square",
            &args,
            &mut zeros(Scalar::F32, &[4, 3]),
            "has sizes [4, 3], the result of `square` has [6, 2]",
        );
        refused("gone", &args, &mut zeros(Scalar::F32, &[6]), "has sizes [6], the result of `gone` has [3]");
        let mut shared = args[0].clone();
        refused("doubled", &args, &mut shared, "`out` shares its memory with argument `x`");
        assert_eq!(shared, args[0], "nothing was written");
        let mut copied = zeros(Scalar::F32, &[6]);
        let copy = copied.clone();
        refused("doubled", &args, &mut copied, "`out` shares its memory with another value");
        drop(copy);
        with_caller("doubled", backend, |caller| {
            caller.call_into(&args, &mut copied, Budget::default()).expect("alone again");
        });
        // What fails on the way is reported as ever.
        refused("fails", &args, &mut copied, "out of range");
    }
}
