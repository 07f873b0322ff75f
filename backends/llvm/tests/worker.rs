//! The worker program, as a driver uses it: one line in, one line out, whatever the line says.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use we3_backend_api::worker::{Request, Response};
use we3_backend_api::{Artifact, Emit, Options, Target};
use we3_device::{ArgSlot, CallLimits, LlvmWorker, LoadedObject, call_entry};

const ADD: &str = "loop module

entry func @add(%0: i64, %1: i64) -> (i64) {
  %2: i64 = add %0, %1
  return %2
}
";

fn worker() -> LlvmWorker {
    LlvmWorker::new(env!("CARGO_BIN_EXE_we3-llvm"), Duration::from_secs(60))
}

fn request(module: &str, target: Target, emit: Emit) -> Request {
    Request {
        module: module.into(),
        target,
        options: Options { emit, opt_level: 2, lines: None },
        versions: Vec::new(),
    }
}

fn text(response: Response) -> String {
    match response {
        Response::Done(Artifact::Text(text)) => text,
        other @ (Response::Done(_) | Response::Unsupported(_) | Response::Bug(_)) => {
            panic!("no text: {other:?}")
        }
    }
}

#[test]
fn objects_come_back_whole() {
    let worker = worker();
    for _ in 0..3 {
        let response =
            worker.request(&request(ADD, Target::x86_64_baseline(), Emit::Object)).expect("an answer");
        let Response::Done(Artifact::Object(bytes)) = response else { panic!("{response:?}") };
        let object = LoadedObject::load(&bytes).expect("loads");
        let args = [ArgSlot::Scalar(40), ArgSlot::Scalar(2)];
        let outcome = call_entry(&object, "we3_add", &args, 1, &[], CallLimits::default()).expect("runs");
        assert_eq!(outcome.results, [42]);
    }
}

#[test]
fn the_same_job_gives_the_same_bytes() {
    let (first, second) = (worker(), worker());
    for emit in [Emit::Object, Emit::Assembly, Emit::BackendIr] {
        let job = request(ADD, we3_device::host_target(), emit);
        assert_eq!(first.request(&job).expect("an answer"), second.request(&job).expect("an answer"));
    }
}

#[test]
fn every_architecture_has_assembly() {
    let worker = worker();
    let of = |arch| Target { arch, cpu: String::new(), features: Vec::new() };
    use we3_backend_api::Arch;
    for (arch, word) in [
        (Arch::X86_64, "%rsi"),
        (Arch::Aarch64, "add\tx"),
        (Arch::Riscv64, "rv64i"),
        (Arch::Ptx { sm: 75, accelerated: false }, ".entry"),
    ] {
        let response = worker.request(&request(ADD, of(arch), Emit::Assembly)).expect("an answer");
        let text = text(response);
        assert!(text.contains(word), "{arch:?}:\n{text}");
    }
}

#[test]
fn what_is_wrong_with_a_job_is_said() {
    let worker = worker();
    let no_text = worker.request(&request("loop module\nwhat", Target::x86_64_baseline(), Emit::Object));
    assert!(matches!(no_text, Ok(Response::Bug(message)) if message.contains("does not parse")));
    let unsound = ADD.replace("add %0, %1", "add %0, %0").replace("(i64) {", "(f32) {");
    let unsound = worker.request(&request(&unsound, Target::x86_64_baseline(), Emit::Object));
    assert!(matches!(unsound, Ok(Response::Bug(message)) if message.contains("not well formed")));
    let barrier = ADD.replace("  return", "  barrier\n  return");
    let limit = worker.request(&request(&barrier, Target::x86_64_baseline(), Emit::Object));
    assert!(matches!(limit, Ok(Response::Unsupported(_))));
    let unknown_sm =
        worker.request(&request(ADD, Target::ptx(12345, false), Emit::Assembly)).expect("an answer");
    assert!(!matches!(unknown_sm, Response::Done(_)), "{unknown_sm:?}");
    // And it still works.
    text(worker.request(&request(ADD, Target::x86_64_baseline(), Emit::Assembly)).expect("an answer"));
}

#[test]
fn nonsense_on_standard_input_is_answered() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_we3-llvm"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut input = child.stdin.take().expect("an input");
    input.write_all(b"hello\n\n{}\n\xff\xfe\n").expect("written");
    drop(input);
    let output = child.wait_with_output().expect("ends");
    let answers = String::from_utf8(output.stdout).expect("text");
    assert_eq!(answers.lines().filter(|line| line.contains("Bug")).count(), 3, "{answers}");
    assert!(output.status.success());
}

#[test]
fn it_says_its_version_and_its_usage() {
    let run =
        |argument: &str| Command::new(env!("CARGO_BIN_EXE_we3-llvm")).arg(argument).output().expect("runs");
    assert!(String::from_utf8_lossy(&run("--version").stdout).contains("LLVM 22."));
    assert!(String::from_utf8_lossy(&run("--help").stdout).contains("usage"));
    assert_eq!(run("--nonsense").status.code(), Some(2));
}
