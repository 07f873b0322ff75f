//! `we3c run`: calls a function with arguments from the command line, on one backend or on all of them.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use we3_driver::arguments::{NamedSpec, bind_arguments, default_text};
use we3_driver::compare::first_difference;
use we3_driver::executable::Budget;
use we3_driver::failure::Failure;
use we3_driver::instances::{EntryName, instance_of};
use we3_driver::kernel::Kernel;
use we3_driver::lines::LineIndex;
use we3_driver::plan::{BackendChoice, Plan};
use we3_driver::profile::profile;
use we3_driver::session::{Session, SessionOptions};
use we3_driver::show::{ShowOptions, show};
use we3_driver::spec::{Spec, parse_spec, split_name};
use we3_driver::value::HostValue;

use super::{Outcome, report};
use crate::console::{Console, EXIT_FAILED};
use crate::files::{self, ArgumentFiles};

const EXAMPLES: &str = "\
Arguments stand in the order of the parameters, or as name=value:
    3   1.5   -inf   true           numbers and truth values
    '[1, 2, 3]'  '[[1.0, 2.0], [3.0, 4.0]]'
    '(1, true)'  '{ x: 1.0, y: 2.0 }'        tuples and records
    x.npy  data.npz:weights  photo.png       files; @name for any other name
    random:f32[1000,3]  random:[9]:-1..1     random numbers (see --seed)
    zeros:[4]  ones:[4]  iota:i64[10]

Examples:
    we3c run softmax.we3 softmax x.npy --save y.npy
    we3c run life.we3 soup 20 40 0.3 seed=7
    we3c run mandelbrot.we3 picture 256 384 --save out/mandelbrot.png
    we3c run model.we3 layer random:[8,4] w.npy b.npy --same-bits
    we3c run model.we3 layer random:[8,4] w.npy b.npy --backend llvm --profile=trace.json --calls 20
    we3c run model.we3 'softmax::<f32>' random:f32[2,3] --backend interp --time";

/// A call as the command line writes it, for this command and for `tune`.
#[derive(clap::Args, Debug)]
pub struct CallArgs {
    /// The root module (`-`: standard input)
    file: String,

    /// The function (may be left out when there is only one), then its arguments
    #[arg(value_name = "ENTRY ARGUMENT", allow_negative_numbers = true)]
    call: Vec<String>,

    /// What `random:` starts from
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// How many threads the call may use (default: WE3_THREADS, else every core)
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl CallArgs {
    /// What the call may use.
    pub fn budget(&self) -> Budget {
        Budget::default().on_threads(self.threads)
    }
}

/// Options of `run`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    call: CallArgs,

    /// interp, cranelift or llvm
    #[arg(long, default_value = "cranelift")]
    backend: String,

    /// Run on every backend there is and compare the bits
    #[arg(long)]
    same_bits: bool,

    /// 0 … 3; results have the same bits at every level
    #[arg(short = 'O', value_name = "LEVEL", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=3))]
    opt_level: u8,

    /// Write the result to a .npy, .npz or .png file instead of printing it
    #[arg(long, value_name = "FILE")]
    save: Option<String>,

    /// Print all of an array, however long
    #[arg(long)]
    full: bool,

    /// Say how long each stage and the call took
    #[arg(long)]
    time: bool,

    /// Do not use what `we3c tune` found
    #[arg(long)]
    no_tune: bool,

    /// Line tables, so that gdb and perf show lines of the source (with `--backend llvm`)
    #[arg(short = 'g')]
    debug: bool,

    /// Say how long each nest ran, how often, and how fast; with =FILE.json also write a trace for chrome://tracing or
    /// Perfetto
    #[arg(long, value_name = "FILE.json", num_args = 0..=1, require_equals = true, conflicts_with = "same_bits")]
    profile: Option<Option<String>>,

    /// Profile so many calls instead of one: the first also pays for memory and cold caches
    #[arg(long, value_name = "N", default_value = "1", requires = "profile")]
    calls: NonZeroU32,
}

/// Runs the function.
pub fn run(args: &Args, console: Console) -> Outcome {
    let start = Instant::now();
    let mut program = Program::open(&args.call)?;
    report(&program.session, console);
    if program.session.has_errors() {
        return Ok(ExitCode::from(EXIT_FAILED));
    }
    let (kernel, values) = program.bind()?;
    let outcome = match args.same_bits {
        true => same_bits(&mut program.session, &kernel, &values, args, console),
        false => call(&mut program.session, &kernel, &values, args, console),
    };
    if args.time {
        console.message(&super::times(&program.session.log));
        let all = start.elapsed().as_secs_f64() * 1e3;
        console.message(&format!("{all:>10.3} ms  from start to result\n"));
    }
    let result = match outcome {
        Ok(result) => result,
        Err(failure) => return super::failed(&program.session, failure, console),
    };
    match &args.save {
        Some(path) => files::save(Path::new(path), &result)?,
        None => print(&result, args, console),
    }
    Ok(ExitCode::SUCCESS)
}

fn print(result: &HostValue, args: &Args, console: Console) {
    let options = ShowOptions::default();
    let options = if args.full { ShowOptions { threshold: usize::MAX, ..options } } else { options };
    let text = show(result, options);
    console.print(&format!("{text}\n"));
    if let HostValue::Array(array) = result
        && text.contains('…')
    {
        console.print(&format!("({}; --full prints all)\n", array.ty()));
    }
}

/// A program with the call that the command line asks for.
pub struct Program {
    /// The program.
    pub session: Session,
    root: String,
    /// The entry, perhaps a wrapper made for an instance.
    entry: String,
    /// The function as written in the source.
    written: String,
    args: Vec<NamedSpec>,
    seed: u64,
}

impl Program {
    /// Reads and checks a program, and the words of a call of it.
    pub fn open(call: &CallArgs) -> Result<Program, Failure> {
        let sources = super::sources(&call.file)?;
        let root = sources.root_text().to_owned();
        let session = Session::open(&sources, SessionOptions::default());
        let (name, rest) = entry_and_arguments(&session, &root, &call.call)?;
        let args = rest.iter().map(|text| argument(text)).collect::<Result<Vec<NamedSpec>, Failure>>()?;
        let (wanted, seed) = (EntryName::parse(&name), call.seed);
        let specs: Vec<Spec> = args.iter().map(|(_, spec)| spec.clone()).collect();
        match instance_of(&root, &wanted, &specs)? {
            Some(instance) if !session.has_errors() => {
                let session =
                    Session::open(&sources.with_appended(&instance.text), SessionOptions::default());
                // The wrapper is no text of the user's: what is wrong with it is said about the name.
                if let Err(failure) = session.program() {
                    return Err(Failure::Usage(format!("entry `{name}`: {}", failure.summary())));
                }
                Ok(Program { session, root, entry: instance.name, written: wanted.base, args, seed })
            }
            Some(_) | None => Ok(Program { session, root, entry: name, written: wanted.base, args, seed }),
        }
    }
}

impl Program {
    /// The function that is called, and the values it is called with.
    pub fn bind(&mut self) -> Result<(Kernel, Vec<HostValue>), Failure> {
        let entry = self.session.entry(&self.entry)?.clone();
        let kernel = self.session.kernel(&entry)?;
        let defaults = |param: &str| default_text(&self.root, &self.written, param);
        let mut files = ArgumentFiles::default();
        let values =
            bind_arguments(&entry.name, &entry.params, &self.args, &defaults, self.seed, &mut files)?;
        Ok((kernel, values))
    }
}

/// The first word is the entry if there is one of that name; with only one entry it may be left out.
fn entry_and_arguments<'args>(
    session: &Session,
    root: &str,
    call: &'args [String],
) -> Result<(String, &'args [String]), Failure> {
    if session.has_errors() {
        return Ok((String::new(), &[]));
    }
    let entries = session.entries();
    if let [first, rest @ ..] = call {
        let name = EntryName::parse(first);
        let generic = matches!(instance_of(root, &name, &[]), Ok(Some(_)) | Err(_));
        if entries.iter().any(|entry| entry.name == *first) || generic {
            return Ok((first.clone(), rest));
        }
        let looks_like_a_name = parse_spec(first).is_err() && !first.contains('=');
        if looks_like_a_name {
            // Says which entries there are.
            return session.entry(first).map(|entry| (entry.name.clone(), rest));
        }
    }
    match entries {
        [only] => Ok((only.name.clone(), call)),
        [] => Err(Failure::Usage(String::from("the root module has no `pub fn` to run"))),
        [..] => {
            let list: Vec<String> = entries.iter().map(|entry| format!("\n  {}", signature(entry))).collect();
            Err(Failure::Usage(format!("which function?{}", list.concat())))
        }
    }
}

fn signature(entry: &we3_driver::Entry) -> String {
    let params: Vec<String> =
        entry.params.iter().map(|param| format!("{}: {}", param.name, param.ty)).collect();
    format!("{}({}) -> {}", entry.name, params.join(", "), entry.result)
}

fn argument(text: &str) -> Result<NamedSpec, Failure> {
    let (name, value) = split_name(text);
    let spec = parse_spec(value).map_err(|fault| Failure::Usage(format!("argument `{text}`: {fault}")))?;
    Ok((name.map(str::to_owned), spec))
}

/// Compiled for this call alone: what its sizes decide needs no code.
fn plan(
    session: &Session,
    backend: BackendChoice,
    kernel: &Kernel,
    values: &[HostValue],
    args: &Args,
) -> Plan {
    let lines = super::wants_lines(args.debug && !args.same_bits, backend);
    let plan = Plan::host(backend).at_level(args.opt_level).for_call(&kernel.name, values);
    plan.with_schedules(super::schedules(args.no_tune))
        .with_lines(lines.then(|| LineIndex::of(session.sources())))
}

fn call(
    session: &mut Session,
    kernel: &Kernel,
    values: &[HostValue],
    args: &Args,
    console: Console,
) -> Result<HostValue, Failure> {
    let backend = super::backend(&args.backend)?;
    let plan = plan(session, backend, kernel, values, args);
    if let Some(trace) = &args.profile {
        let (result, profile) = profile(session, kernel, values, &plan, args.call.budget(), args.calls)?;
        crate::profile::show(&profile, &kernel.name, console);
        if let Some(path) = trace {
            crate::profile::write_trace(Path::new(path), &profile, &session.log)?;
        }
        return Ok(result);
    }
    let executable = session.build(&|name| name == kernel.name, &plan)?;
    let name = format!("run on {}", backend.name());
    session.log.time(&name, || executable.call(kernel, values, args.call.budget()))
}

/// Calls on every backend there is; all must agree, in results or in the error.
fn same_bits(
    session: &mut Session,
    kernel: &Kernel,
    values: &[HostValue],
    args: &Args,
    console: Console,
) -> Result<HostValue, Failure> {
    let mut agreed: Option<(BackendChoice, Result<HostValue, Failure>)> = None;
    let mut backends = 0;
    for backend in [BackendChoice::Interpreter, BackendChoice::Cranelift, BackendChoice::Llvm] {
        let plan = plan(session, backend, kernel, values, args);
        let executable = match session.build(&|name| name == kernel.name, &plan) {
            Ok(executable) => executable,
            Err(Failure::Unavailable(why)) => {
                console.message(&format!("{} left out: {why}\n", backend.name()));
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let name = format!("run on {}", backend.name());
        let result = session.log.time(&name, || executable.call(kernel, values, args.call.budget()));
        backends += 1;
        match &agreed {
            None => agreed = Some((backend, result)),
            Some((first, expected)) => compare(*first, expected, backend, &result)?,
        }
    }
    match agreed {
        Some((_, Ok(result))) => {
            console.message(&format!("same bits on {backends} backends\n"));
            Ok(result)
        }
        Some((_, Err(failure))) => {
            console.message(&format!("same error on {backends} backends\n"));
            Err(failure)
        }
        None => Err(Failure::Unavailable(String::from("no backend is there"))),
    }
}

fn compare(
    first: BackendChoice,
    expected: &Result<HostValue, Failure>,
    second: BackendChoice,
    found: &Result<HostValue, Failure>,
) -> Result<(), Failure> {
    let difference = match (expected, found) {
        (Ok(expected), Ok(found)) => {
            first_difference(expected, found).map(|place| format!("at `result{place}`"))
        }
        (Err(expected), Err(found)) => {
            (expected.summary() != found.summary()).then(|| String::from("in their error"))
        }
        (Ok(_), Err(failure)) => Some(format!("(the second fails: {})", failure.summary())),
        (Err(failure), Ok(_)) => Some(format!("(the first fails: {})", failure.summary())),
    };
    match difference {
        None => Ok(()),
        Some(place) => Err(Failure::bug(format!("{} and {} differ {place}", first.name(), second.name()))),
    }
}
