//! The client of the worker program `we3-llvm`: started on first need, one job a line each way,
//! restarted when it dies, killed when a job takes too long.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use we3_backend_api::worker::{Request, Response};

use crate::knobs;

/// Why there is no answer.
#[derive(Debug)]
pub enum WorkerError {
    /// There is no such program.
    NotInstalled(Vec<PathBuf>),
    /// The program does not start.
    Start(std::io::Error),
    /// It ended in the middle of this job, twice.
    Died,
    /// It did not answer in time and was killed.
    TimedOut(Duration),
    /// It said something that is no answer.
    Garbled(String),
}

impl std::fmt::Display for WorkerError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WorkerError::NotInstalled(places) => {
                let places: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
                write!(formatter, "the program we3-llvm is not there (looked for {})", places.join(", "))
            }
            WorkerError::Start(error) => write!(formatter, "we3-llvm does not start: {error}"),
            WorkerError::Died => formatter.write_str("we3-llvm died on this job"),
            WorkerError::TimedOut(limit) => {
                write!(formatter, "we3-llvm took more than {} s for one job", limit.as_secs())
            }
            WorkerError::Garbled(line) => write!(formatter, "we3-llvm answered nonsense: {line}"),
        }
    }
}

impl std::error::Error for WorkerError {}

/// How one attempt failed.
enum Attempt {
    /// The process is gone; another one may do it.
    Gone,
    Failed(WorkerError),
}

struct Running {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either may fail because it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The worker. Jobs of several threads take turns.
pub struct LlvmWorker {
    program: PathBuf,
    timeout: Duration,
    running: Mutex<Option<Running>>,
}

impl std::fmt::Debug for LlvmWorker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "LlvmWorker({})", self.program.display())
    }
}

/// Where the program may be: where the knob says, else beside this program or one folder up (where
/// cargo puts it for tests).
fn candidates() -> Vec<PathBuf> {
    if let Some(path) = knobs::llvm_worker() {
        return vec![path];
    }
    let own = std::env::current_exe().unwrap_or_default();
    let folders = own.ancestors().skip(1).take(2);
    folders.map(|folder| folder.join("we3-llvm")).collect()
}

impl LlvmWorker {
    /// The installed worker, not started yet.
    pub fn find() -> Result<LlvmWorker, WorkerError> {
        let candidates = candidates();
        match candidates.iter().find(|path| path.is_file()) {
            Some(program) => Ok(LlvmWorker::new(program, knobs::llvm_timeout())),
            None => Err(WorkerError::NotInstalled(candidates)),
        }
    }

    /// A worker that runs this program and gives every job this long.
    pub fn new(program: impl AsRef<Path>, timeout: Duration) -> LlvmWorker {
        LlvmWorker { program: program.as_ref().to_owned(), timeout, running: Mutex::new(None) }
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Starts the program now, so that the first job finds it loaded.
    pub fn start(&self) -> Result<(), WorkerError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_none() {
            *running = Some(self.spawn()?);
        }
        Ok(())
    }

    /// Does a job. If the process dies over it, a fresh one gets it once more.
    pub fn request(&self, request: &Request) -> Result<Response, WorkerError> {
        let line = serde_json::to_string(request).map_err(|error| WorkerError::Garbled(error.to_string()))?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..2 {
            let process = match running.take() {
                Some(process) => process,
                None => self.spawn()?,
            };
            // Kept only after an answer: whatever went wrong ends the process.
            match self.attempt(process, &line) {
                Ok((process, response)) => {
                    *running = Some(process);
                    return Ok(response);
                }
                Err(Attempt::Gone) => {}
                Err(Attempt::Failed(error)) => return Err(error),
            }
        }
        Err(WorkerError::Died)
    }

    fn attempt(&self, mut process: Running, line: &str) -> Result<(Running, Response), Attempt> {
        let sent = writeln!(process.requests, "{line}").and_then(|()| process.requests.flush());
        sent.map_err(|_| Attempt::Gone)?;
        let answer = process.answers.recv_timeout(self.timeout).map_err(|error| match error {
            RecvTimeoutError::Disconnected => Attempt::Gone,
            RecvTimeoutError::Timeout => Attempt::Failed(WorkerError::TimedOut(self.timeout)),
        })?;
        match serde_json::from_str(&answer) {
            Ok(response) => Ok((process, response)),
            Err(_) => Err(Attempt::Failed(WorkerError::Garbled(shortened(&answer)))),
        }
    }

    fn spawn(&self) -> Result<Running, WorkerError> {
        let mut child = Command::new(&self.program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(WorkerError::Start)?;
        let (Some(requests), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(WorkerError::Died);
        };
        let (sender, answers) = channel();
        // Ends when the process closes its output or nobody listens any more.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Running { child, requests, answers })
    }
}

fn shortened(line: &str) -> String {
    line.chars().take(200).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use we3_backend_api::{Artifact, Options, Target, Unsupported};

    use super::*;

    fn job() -> Request {
        Request {
            module: "loop module\n".into(),
            target: Target::x86_64_baseline(),
            options: Options::default(),
            versions: Vec::new(),
        }
    }

    /// A worker made of a shell script.
    fn scripted(name: &str, script: &str, timeout: Duration) -> LlvmWorker {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("we3-worker-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let path = folder.join(name);
        let mut file = std::fs::File::create(&path).expect("a script");
        write!(file, "#!/bin/sh\n{script}\n").expect("written");
        drop(file);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
        LlvmWorker::new(path, timeout)
    }

    /// One test at a time: a script that is still open in a process being forked cannot be run.
    fn turn() -> std::sync::MutexGuard<'static, ()> {
        static TURN: Mutex<()> = Mutex::new(());
        TURN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn every_job_gets_its_own_answer() {
        let _turn = turn();
        let done = serde_json::to_string(&Response::Done(Artifact::Text("ok".into()))).expect("JSON");
        let worker = scripted("answers", &format!("while read -r line; do echo '{done}'; done"), LONG);
        for _ in 0..3 {
            let response = worker.request(&job()).expect("an answer");
            assert_eq!(response, Response::Done(Artifact::Text("ok".into())));
        }
    }

    #[test]
    fn a_worker_that_dies_after_an_answer_is_restarted() {
        let _turn = turn();
        let limit = Unsupported { what: "no".into(), instead: None };
        let answer = serde_json::to_string(&Response::Unsupported(limit.clone())).expect("JSON");
        let worker = scripted("once", &format!("read -r line; echo '{answer}'"), LONG);
        for _ in 0..3 {
            let response = worker.request(&job()).expect("an answer");
            assert_eq!(response, Response::Unsupported(limit.clone()));
        }
    }

    #[test]
    fn a_job_that_kills_the_worker_is_an_error() {
        let _turn = turn();
        let worker = scripted("dies", "read -r line; exit 134", LONG);
        assert!(matches!(worker.request(&job()), Err(WorkerError::Died)));
    }

    #[test]
    fn a_job_that_takes_too_long_is_an_error() {
        let _turn = turn();
        let worker = scripted("sleeps", "read -r line; exec sleep 30", Duration::from_millis(50));
        assert!(matches!(worker.request(&job()), Err(WorkerError::TimedOut(_))));
    }

    #[test]
    fn nonsense_and_a_missing_program_are_errors() {
        let _turn = turn();
        let worker = scripted("babbles", "read -r line; echo hello", LONG);
        assert!(matches!(worker.request(&job()), Err(WorkerError::Garbled(line)) if line == "hello"));
        let worker = LlvmWorker::new("/nonexistent/we3-llvm", LONG);
        assert!(matches!(worker.request(&job()), Err(WorkerError::Start(_))));
    }
}
