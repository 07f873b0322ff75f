//! Profiles: which nests there are and how often they ran, what they computed and moved to the byte, and that
//! asking changes neither a result nor, when nobody asks, the code.

use std::num::{NonZeroU32, NonZeroUsize};

use we3_device::Threads;
use we3_driver::executable::Budget;
use we3_driver::kernel::Kernel;
use we3_driver::plan::{BackendChoice, Plan};
use we3_driver::profile::{Event, Profile, profile};
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_driver::stages::{Form, Stage, StageLog, run_to};
use we3_driver::value::{HostArray, HostType, HostValue};
use we3_driver::{Emit, Scalar};
use we3_ir::text::{parse_module, print_module};

const SOURCE: &str = "\
pub fn saxpy(a: f32, x: f32[n], y: f32[n]) -> f32[n] = [a * x[i] + y[i] for i];
pub fn total(x: f64[n]) -> f64 = sum(x);
pub fn product(x: f64[n, k], y: f64[k, m]) -> f64[n, m] = [sum(x[i, l] * y[l, j] for l) for i, j];
pub fn triangle(x: f64[n]) -> f64[n] = [sum(x[j] for j in 0..i) for i in 0..n];
pub fn steps(x: f64[n], t: i64) -> f64[n] = {
    let mut a = x;
    for _s in 0..t {
        a = [a[i] * 0.5 + total(a) for i];
    }
    a
};
pub fn halvings(x: f64[n]) -> f64[n] = [{
    let mut v = x[i];
    while v > 1.0 { v = v * 0.5; }
    v
} for i];
";

fn session() -> Session {
    let session = Session::open(&Sources::from_text("p.we3", SOURCE), SessionOptions::default());
    assert!(!session.has_errors(), "{:?}", session.diagnostics());
    session
}

fn backends() -> Vec<BackendChoice> {
    let llvm = cfg!(feature = "llvm").then_some(BackendChoice::Llvm);
    [BackendChoice::Cranelift].into_iter().chain(llvm).collect()
}

fn array(scalar: Scalar, sizes: &[u64]) -> HostValue {
    let mut array = HostArray::zeros(HostType::Scalar(scalar), sizes.to_vec()).expect("an array");
    for number in 0..array.count() {
        let value = number as f64 * 0.25 + 1.0;
        let narrow = u64::from((value as f32).to_bits());
        let bits = if scalar == Scalar::F32 { narrow } else { value.to_bits() };
        array.set_element(number, &HostValue::scalar(scalar, bits));
    }
    HostValue::Array(array)
}

fn kernel(session: &mut Session, name: &str) -> Kernel {
    let entry = session.entry(name).expect("an entry").clone();
    session.kernel(&entry).expect("a kernel")
}

fn profiled(backend: BackendChoice, name: &str, args: &[HostValue], calls: u32, threads: Threads) -> Profile {
    let mut session = session();
    let kernel = kernel(&mut session, name);
    let plan = Plan::host(backend);
    let budget = Budget { threads, ..Budget::default() };
    let plain = session.build(&|entry| entry == name, &plan).expect("builds");
    let expected = plain.call(&kernel, args, budget).expect("runs");
    let calls = NonZeroU32::new(calls).expect("some calls");
    let (result, profile) = profile(&mut session, &kernel, args, &plan, budget, calls).expect("runs");
    assert_eq!(we3_driver::compare::first_difference(&expected, &result), None, "{name}");
    profile
}

/// Times, flops and bytes of each nest, in the order of the source.
fn amounts(profile: &Profile) -> Vec<(u64, Option<f64>, Option<f64>)> {
    let mut nests = profile.nests.clone();
    nests.sort_by(|one, other| one.place.cmp(&other.place));
    let amounts = nests.iter().map(|nest| (nest.totals.calls, nest.totals.flops, nest.totals.bytes));
    amounts.collect()
}

#[test]
fn nests_are_counted_with_what_they_compute_and_move() {
    use Scalar::{F32, F64};
    for backend in backends() {
        let of = |name: &str, args: &[HostValue], calls: u32| {
            amounts(&profiled(backend, name, args, calls, Threads::default()))
        };
        for n in [0, 1, 1000] {
            let a = HostValue::scalar(F32, u64::from(2.0f32.to_bits()));
            let args = [a, array(F32, &[n]), array(F32, &[n])];
            let n = n as f64;
            assert_eq!(of("saxpy", &args, 3), [(3, Some(3.0 * 2.0 * n), Some(3.0 * 12.0 * n))], "{n}");
        }
        assert_eq!(of("total", &[array(F64, &[500])], 1), [(1, Some(500.0), Some(4000.0))]);
        let args = [array(F64, &[7, 5]), array(F64, &[5, 3])];
        let bytes = 8.0 * (7 * 5 + 5 * 3 + 7 * 3) as f64;
        assert_eq!(of("product", &args, 1), [(1, Some((2 * 7 * 5 * 3) as f64), Some(bytes))]);
        // Inner loops count as the one in the middle.
        assert_eq!(of("triangle", &[array(F64, &[100])], 1), [(1, Some(100.0 * 50.0), Some(1600.0))]);
        assert_eq!(of("halvings", &[array(F64, &[100])], 1), [(1, None, Some(1600.0))]);
    }
}

#[test]
fn nests_in_a_loop_are_summed_up_under_their_lines() {
    for backend in backends() {
        let args = [array(Scalar::F64, &[64]), HostValue::scalar(Scalar::I64, 20)];
        let profile = profiled(backend, "steps", &args, 2, Threads::ONE);
        assert!(profile.nests.iter().all(|nest| nest.totals.calls == 40), "{:?}", profile.nests);
        assert!(profile.nests.iter().any(|nest| nest.place.starts_with("p.we3:8:")), "{:?}", profile.nests);
        let nests: std::time::Duration = profile.nests.iter().map(|nest| nest.totals.time).sum();
        assert!(nests <= profile.time && profile.each.len() == 2);
        let table = profile.table("steps", str::to_owned);
        assert!(table.contains("GFLOP/s") && table.contains("p.we3:8:"), "{table}");
        assert_eq!(table.lines().count(), 2 + profile.nests.len() + 2, "{table}");
    }
}

#[test]
fn parts_on_other_threads_are_seen() {
    let threads = Threads { count: NonZeroUsize::new(3), disorder: Some(5) };
    for backend in backends() {
        let args = [array(Scalar::F64, &[40, 200]), array(Scalar::F64, &[200, 300])];
        let profile = profiled(backend, "product", &args, 20, threads);
        let parts: Vec<_> = profile.record.events.iter().filter(|event| event.part).collect();
        assert!(!parts.is_empty() && parts.iter().all(|part| part.nest.is_some()));
        assert!(!profile.nests[0].totals.in_parts.is_zero());
        let wholes: Vec<_> = profile.record.events.iter().filter(|event| !event.part).collect();
        assert_eq!(wholes.len(), 20);
        for part in parts {
            let inside = |whole: &&&Event| {
                whole.start <= part.start && part.start + part.time <= whole.start + whole.time
            };
            assert!(wholes.iter().any(|whole| inside(&whole)), "{part:?}");
        }
    }
}

#[test]
fn without_a_profile_there_are_no_probes() {
    let lowered = |plan: &Plan| {
        let module = session().ir().expect("array IR").module.as_ref().clone();
        let form = run_to(Form::Array(module), Stage::LoopIr, plan, Emit::Object, &mut StageLog::default());
        let Ok(Form::Loop(module)) = form else { panic!("no loop IR") };
        print_module(&module)
    };
    let plain = lowered(&Plan::host(BackendChoice::Cranelift));
    let probed = lowered(&Plan::host(BackendChoice::Cranelift).with_probes());
    assert!(!plain.contains("probe"), "{plain}");
    assert_eq!(probed.matches("probe.enter.").count(), probed.matches("probe.leave.").count());
    assert!(probed.contains("probe.enter."), "{probed}");
    // The text says it all: probes survive the way to the LLVM worker.
    let again = parse_module(&probed).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(print_module(&again), probed);
}
