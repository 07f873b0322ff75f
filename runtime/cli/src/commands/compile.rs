//! `we3c compile`: a program to an object, to PTX, or to any form on the way. IR files are taken too.

use std::path::Path;
use std::process::ExitCode;

use clap::ValueEnum;
use we3_driver::failure::Failure;
use we3_driver::header::c_header;
use we3_driver::kernel::with_entries;
use we3_driver::lines::LineIndex;
use we3_driver::plan::{BackendChoice, Plan, target_name, target_named};
use we3_driver::schedules;
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_driver::stages::{Form, Stage, StageLog, read_ir, run_to, syntax_tree, tokens};
use we3_driver::versions::compile_versions;
use we3_driver::{Arch, Emit, SourceMap};

use super::{Outcome, report};
use crate::console::{Console, EXIT_FAILED};
use crate::files;

const EXAMPLES: &str = "\
Examples:
    we3c compile x.we3 -o x.o                              an object for this machine
    we3c compile x.we3 --emit loop-ir                      what the passes made of it
    we3c compile x.we3 --emit schedule --backend llvm      how its loops are arranged
    we3c compile x.we3 --report -o x.o                     the same, with costs, beside the object
    we3c compile x.we3 --emit asm --target x86-64-v3 -O3
    we3c compile x.we3 -o x.o --target x86-64-v2,x86-64-v3,x86-64-v4      one object, the best code for each
    we3c compile x.we3 -g -o x.o                           with line tables, for gdb and perf
    we3c compile x.we3 --emit ptx --target sm_80 --entry softmax
    we3c compile x.we3 --emit header -o x.h                C declarations for x.o
    echo 'pub fn f(x: f64) -> f64 = x + 1.0;' | we3c compile - --emit clif";

/// What to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum What {
    /// The words of the source
    Tokens,
    /// The syntax tree
    Ast,
    /// What the frontend emits: pure array values
    ArrayIr,
    /// How the loops of each nest are arranged
    Schedule,
    /// What the passes make of it: loops and memory
    LoopIr,
    /// Cranelift's IR
    Clif,
    /// LLVM's IR
    LlvmIr,
    /// Assembly of the target
    Asm,
    /// A relocatable ELF object
    Obj,
    /// PTX for NVIDIA GPUs
    Ptx,
    /// A C header that declares the object's functions
    Header,
}

/// Options of `compile`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The root module, or a dumped .ir file (`-`: standard input)
    file: String,

    /// What to write
    #[arg(long, value_enum, default_value = "obj")]
    emit: What,

    /// For which machine: host, x86-64, x86-64-v3, aarch64, riscv64, sm_75 … Several, as
    /// x86-64-v2,x86-64-v3,x86-64-v4: code for each, chosen when it is called
    #[arg(long, value_delimiter = ',')]
    target: Vec<String>,

    /// Line tables, so that debuggers and profilers show lines of the source (LLVM only)
    #[arg(short = 'g')]
    debug: bool,

    /// Who compiles: cranelift or llvm (without it, whoever can)
    #[arg(long)]
    backend: Option<String>,

    /// 0 … 3; results have the same bits at every level
    #[arg(short = 'O', value_name = "LEVEL", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=3))]
    opt_level: u8,

    /// Only these entries (default: all of the root module)
    #[arg(long)]
    entry: Vec<String>,

    /// Where to write; `-` is standard output
    #[arg(short, long)]
    output: Option<String>,

    /// Verify after every pass
    #[arg(long)]
    verify_each: bool,

    /// Say how long each stage took
    #[arg(long)]
    time: bool,

    /// Say of each nest how it runs, what it costs, and what stopped it from running in lanes
    #[arg(long)]
    report: bool,

    /// Do not use what `we3c tune` found
    #[arg(long)]
    no_tune: bool,
}

/// Compiles.
pub fn run(args: &Args, console: Console) -> Outcome {
    let text = files::read_text(&args.file)?;
    let mut log = StageLog::default();
    let (bytes, default_output) = match args.emit {
        What::Tokens => (tokens(&text).into_bytes(), None),
        What::Ast => (syntax_tree(&text).into_bytes(), None),
        _ if is_ir(&text) => finish(args, read_ir(&text)?, None, &mut log)?,
        What::ArrayIr
        | What::Schedule
        | What::LoopIr
        | What::Clif
        | What::LlvmIr
        | What::Asm
        | What::Obj
        | What::Ptx
        | What::Header => {
            let mut session = open(args, &text)?;
            report(&session, console);
            if session.has_errors() {
                return Ok(ExitCode::from(EXIT_FAILED));
            }
            match from_source(args, &mut session, &mut log, console) {
                Ok(made) => made,
                Err(failure) => return super::failed(&session, failure, console),
            }
        }
    };
    if args.time {
        console.message(&super::times(&log));
    }
    write_result(args.output.as_deref().or(default_output.as_deref()), &bytes, console)?;
    Ok(ExitCode::SUCCESS)
}

/// A dumped module says so in its first words.
fn is_ir(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(';'));
    let first = lines.take(1).next().unwrap_or_default();
    first == "array module" || first == "loop module"
}

/// The text was read already: standard input can be read only once.
fn open(args: &Args, text: &str) -> Result<Session, Failure> {
    let sources = match args.file.as_str() {
        "-" => Sources::from_text("<stdin>", text),
        file => super::sources(file)?,
    };
    Ok(Session::open(&sources, SessionOptions::default()))
}

fn from_source(
    args: &Args,
    session: &mut Session,
    log: &mut StageLog,
    console: Console,
) -> Result<(Vec<u8>, Option<String>), Failure> {
    let mut entries = session.entries().to_vec();
    if !args.entry.is_empty() {
        let chosen: Result<Vec<_>, Failure> =
            args.entry.iter().map(|name| session.entry(name).cloned()).collect();
        entries = chosen?;
    }
    if entries.is_empty() && args.emit != What::ArrayIr {
        return Err(Failure::Usage(String::from(
            "nothing to compile: the root module has no `pub fn` without type parameters",
        )));
    }
    let kernels: Result<Vec<_>, Failure> = entries.iter().map(|entry| session.kernel(entry)).collect();
    let kernels = kernels?;
    if args.emit == What::Header {
        return Ok((c_header(&kernels).into_bytes(), None));
    }
    let ir = session.ir()?;
    log.times.append(&mut session.log.times);
    let module = with_entries(&ir.module, &|name| kernels.iter().any(|kernel| kernel.name == name));
    if args.report || args.emit == What::Schedule {
        let plan = plan(args, None)?;
        let nests = schedules::of_entries(module.clone(), &plan)?;
        if args.emit == What::Schedule {
            return Ok((schedules::schedule_text(&nests, Some(session.sources())).into_bytes(), None));
        }
        let report = schedules::report_text(&nests, Some(session.sources()), &plan.facts());
        console.message(report.trim_end());
    }
    finish(args, Form::Array(module), Some(session.sources()), log)
}

/// Takes a form to what was asked for; the second is where it goes if nothing was said.
fn finish(
    args: &Args,
    form: Form,
    sources: Option<&SourceMap>,
    log: &mut StageLog,
) -> Result<(Vec<u8>, Option<String>), Failure> {
    if let (What::Schedule, Form::Array(module)) = (args.emit, &form) {
        let nests = schedules::of_entries(module.clone(), &plan(args, None)?)?;
        return Ok((schedules::schedule_text(&nests, None).into_bytes(), None));
    }
    let (goal, emit) = match args.emit {
        What::ArrayIr => (Stage::ArrayIr, Emit::Object),
        What::LoopIr => (Stage::LoopIr, Emit::Object),
        What::Clif | What::LlvmIr => (Stage::Artifact, Emit::BackendIr),
        What::Asm | What::Ptx => (Stage::Artifact, Emit::Assembly),
        What::Obj => (Stage::Artifact, Emit::Object),
        What::Schedule => {
            return Err(Failure::Usage(String::from("loop IR has its schedule behind it: give array IR")));
        }
        What::Tokens | What::Ast | What::Header => {
            return Err(Failure::Usage(String::from(
                "tokens, ast and header are made of sources, not of IR",
            )));
        }
    };
    let plan = plan(args, sources)?;
    let form = match (args.target.len() > 1, form) {
        (false, form) => run_to(form, goal, &plan, emit, log)?,
        (true, Form::Array(module)) if goal == Stage::Artifact => {
            let targets = args.target.iter().map(|name| target_named(name)).collect::<Result<Vec<_>, _>>()?;
            Form::Artifact(compile_versions(&module, &targets, &plan, emit, log)?)
        }
        (true, _) => {
            return Err(Failure::Usage(String::from(
                "only sources and array IR can be compiled for several targets, to an object, assembly or LLVM IR",
            )));
        }
    };
    let to_file = (args.emit == What::Obj).then(|| object_name(&args.file));
    Ok((form.dump(), to_file))
}

fn plan(args: &Args, sources: Option<&SourceMap>) -> Result<Plan, Failure> {
    let default_target = if args.emit == What::Ptx { "sm_75" } else { "host" };
    let name = args.target.first().map_or(default_target, String::as_str);
    let target = target_named(name)?;
    let gpu = matches!(target.arch, Arch::Ptx { .. });
    if args.emit == What::Ptx && !gpu {
        return Err(Failure::Usage(format!(
            "PTX is for NVIDIA targets, `{name}` is none (use sm_75 … sm_90a)"
        )));
    }
    let backend = match (&args.backend, args.emit) {
        (Some(name), _) => super::backend(name)?,
        (None, What::LlvmIr) => BackendChoice::Llvm,
        (None, _) if gpu => BackendChoice::Llvm,
        // Only it has them.
        (None, What::Obj | What::Asm) if args.debug || args.target.len() > 1 => BackendChoice::Llvm,
        (None, _) => BackendChoice::Cranelift,
    };
    if let Some(wrong) = misfit(args.emit, backend, gpu) {
        return Err(Failure::Usage(format!("{wrong} (target: {})", target_name(&target))));
    }
    let schedules = super::schedules(args.no_tune);
    let lines = sources.filter(|_| super::wants_lines(args.debug, backend)).map(LineIndex::of);
    let plan = Plan::host(backend).for_target(target).at_level(args.opt_level);
    let plan = plan.with_schedules(schedules).with_lines(lines);
    Ok(Plan { verify_each: args.verify_each, ..plan })
}

/// Why this backend does not make this for this kind of machine, if it does not.
fn misfit(emit: What, backend: BackendChoice, gpu: bool) -> Option<&'static str> {
    let cranelift = backend == BackendChoice::Cranelift;
    let llvm = backend == BackendChoice::Llvm;
    match emit {
        What::Clif if gpu => Some("CLIF is Cranelift's form, and Cranelift has no NVIDIA targets"),
        What::Clif if !cranelift => Some("CLIF is Cranelift's form: use `--backend cranelift`"),
        What::LlvmIr if !llvm => Some("LLVM IR is LLVM's form: use `--backend llvm`"),
        What::Asm | What::Obj | What::Ptx if gpu && !llvm => {
            Some("code for NVIDIA GPUs is made by LLVM: use `--backend llvm`")
        }
        What::Asm | What::Obj | What::Ptx if !llvm && !cranelift => {
            Some("the interpreter makes no code: use `--backend cranelift` or `--backend llvm`")
        }
        What::Clif
        | What::LlvmIr
        | What::Asm
        | What::Obj
        | What::Ptx
        | What::Tokens
        | What::Ast
        | What::ArrayIr
        | What::Schedule
        | What::LoopIr
        | What::Header => None,
    }
}

/// `x.o` for `dir/x.we3`, in the current folder.
fn object_name(file: &str) -> String {
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or("out");
    format!("{}.o", if stem == "-" { "out" } else { stem })
}

/// Writes to a file, or to standard output when there is none or it is `-`.
pub fn write_result(output: Option<&str>, bytes: &[u8], console: Console) -> Result<(), Failure> {
    match output {
        None | Some("-") => {
            console.print_bytes(bytes);
            Ok(())
        }
        Some(path) => files::write_output(Path::new(path), bytes),
    }
}
