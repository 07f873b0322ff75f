//! One object for several processors: every version that runs here gives the bits of every other.
#![cfg(feature = "llvm")]

use we3_backend_api::Artifact;
use we3_device::{ArgSlot, CallLimits, LoadedObject, OutputLayout, call_entry};
use we3_driver::Emit;
use we3_driver::plan::{BackendChoice, Plan, host, target_named};
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_driver::stages::StageLog;
use we3_driver::versions::compile_versions;

const SOURCE: &str = "\
pub fn waves(x: f32[n]) -> f32[n] = [sin(v) * exp(v * 0.125) for v in x];
pub fn softmax(x: f32[n]) -> f32[n] = { let e = [exp(v - max(x)) for v in x]; e / sum(e) };
pub fn products(x: f32[n]) -> f32[n] = [sum(x[j] * x[(i + j) % n] for j in 0..n) for i in 0..n];
pub fn remainders(x: f32[n]) -> f32[n] = [v % 0.7 + (v as f16) as f32 for v in x];
";
const ENTRIES: [&str; 4] = ["waves", "softmax", "products", "remainders"];
const LEVELS: [&str; 4] = ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"];

fn artifact(emit: Emit) -> Artifact {
    let mut session = Session::open(&Sources::from_text("v.we3", SOURCE), SessionOptions::default());
    assert!(!session.has_errors(), "{:?}", session.diagnostics());
    let entries = session.entries().to_vec();
    let kernels: Vec<_> = entries.iter().map(|entry| session.kernel(entry).expect("a kernel")).collect();
    let module = session.ir().expect("array IR").module;
    let module =
        we3_driver::kernel::with_entries(&module, &|name| kernels.iter().any(|kernel| kernel.name == name));
    let targets = LEVELS.map(|name| target_named(name).expect("a target"));
    let plan = Plan::host(BackendChoice::Llvm);
    compile_versions(&module, &targets, &plan, emit, &mut StageLog::default()).expect("compiles")
}

#[test]
fn every_version_gives_the_same_bits() {
    let Artifact::Object(bytes) = artifact(Emit::Object) else { panic!("no object") };
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let object = LoadedObject::load(&bytes).expect("loads");
    let machine = host();
    let runs = |level: &str| {
        target_named(level).is_ok_and(|target| target.features.iter().all(|feature| machine.has(feature)))
    };
    for n in [1usize, 7, 16, 17, 63, 64, 65, 1000] {
        let input: Vec<u8> =
            (0..n).flat_map(|i| ((i * 37 % 101) as f32 * 0.37 - 11.0).to_le_bytes()).collect();
        let call = |symbol: &str| {
            let args = [ArgSlot::Scalar(n as u64), ArgSlot::Buffer(&input)];
            let outputs = [OutputLayout::dense(0, 4)];
            let outcome = call_entry(&object, symbol, &args, 1, &outputs, CallLimits::default());
            let outcome = outcome.unwrap_or_else(|error| panic!("{symbol}: {error}"));
            outcome.groups[&0].as_slice()[..4 * n].to_vec()
        };
        for entry in ENTRIES {
            let chosen = call(&format!("we3_{entry}"));
            for level in LEVELS.into_iter().filter(|level| runs(level)) {
                let found = call(&format!("we3_{entry}.{level}"));
                assert!(found == chosen, "{entry} of {n} at {level}");
            }
        }
    }
}

#[test]
fn versions_use_what_their_processors_have() {
    let Artifact::Text(text) = artifact(Emit::Assembly) else { panic!("no text") };
    // The symbol of a function, and what stands behind it up to the next.
    let body = |symbol: &str| {
        let start = text.find(&format!("\n{symbol}:")).or_else(|| text.find(&format!("\n\"{symbol}\":")));
        let rest = &text[start.unwrap_or_else(|| panic!("no {symbol} in\n{text}"))..];
        rest[..rest.find(".Lfunc_end").unwrap_or(rest.len())].to_owned()
    };
    let loops = |level: &str| {
        let own: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_suffix(':').map(|name| name.trim_matches('"')))
            .filter(|name| name.ends_with(&format!("we3_waves.{level}")))
            .map(body)
            .collect();
        own.concat()
    };
    assert!(loops("x86-64-v4").contains("%zmm") && !loops("x86-64-v3").contains("%zmm"));
    assert!(loops("x86-64-v3").contains("%ymm") && !loops("x86-64-v2").contains("%ymm"));
    assert!(loops("x86-64-v3").contains("vfmadd") && !loops("x86-64-v2").contains("vfmadd"));
    assert!(loops("x86-64").contains("%xmm"), "{text}");
    assert!(text.contains("cpuid") && text.contains("xgetbv"));
}
