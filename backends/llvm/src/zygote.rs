//! Running a job in a forked child. The parent stays single-threaded, holds LLVM loaded and its
//! targets registered, and never runs a job itself. All `unsafe` of this crate is here.
#![expect(unsafe_code, reason = "fork and the file descriptors around it have no safe interface")]

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, FromRawFd};

/// Stack of the thread that runs a job: regions may nest 256 deep, and LLVM recurses too.
const STACK_BYTES: usize = 256 << 20;
/// How much of a dead child's error output is passed on.
const STDERR_LIMIT: usize = 4000;

/// How a job ended.
pub enum Outcome {
    /// With a result.
    Done(String),
    /// Without one: killed by a signal, or out through `exit`.
    Died {
        /// In words.
        how: String,
        /// The end of what it wrote to its error output.
        stderr: String,
    },
}

/// Runs a job in a child process.
pub fn run_in_child(job: impl FnOnce() -> String + Send) -> Outcome {
    match try_run(job) {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Died { how: format!("could not be started: {error}"), stderr: String::new() },
    }
}

fn try_run(job: impl FnOnce() -> String + Send) -> std::io::Result<Outcome> {
    let (mut reader, writer) = pipe()?;
    let mut errors = memory_file()?;
    // SAFETY: this process has one thread, so the child may go on as if nothing had happened.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(std::io::Error::last_os_error()),
        0 => {
            drop(reader);
            child(job, writer, &errors)
        }
        _ => {
            drop(writer);
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            let status = wait(pid)?;
            if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
                return Ok(Outcome::Done(String::from_utf8_lossy(&bytes).into_owned()));
            }
            Ok(Outcome::Died { how: in_words(status), stderr: tail(&mut errors) })
        }
    }
}

/// The child: never returns.
fn child(job: impl FnOnce() -> String + Send, mut result: File, errors: &File) -> ! {
    // SAFETY: plain system calls, two of them on descriptors that are open. Output must not mix with
    // the answers; and whoever kills the worker over a job that takes too long means the job.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::dup2(errors.as_raw_fd(), 2);
        libc::dup2(errors.as_raw_fd(), 1);
    }
    let status = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
        let Ok(thread) = builder.spawn_scoped(scope, job) else { return 3 };
        match thread.join() {
            Ok(answer) if result.write_all(answer.as_bytes()).is_ok() => 0,
            Ok(_) => 4,
            Err(_) => 5,
        }
    });
    drop(result);
    // SAFETY: ends this process without running the parent's exit handlers.
    unsafe { libc::_exit(status) }
}

fn pipe() -> std::io::Result<(File, File)> {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for the two descriptors that the call writes.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: both descriptors are new and belong to nobody else.
    Ok(unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) })
}

fn memory_file() -> std::io::Result<File> {
    // SAFETY: the name is a C string; the call has no other precondition.
    let descriptor = unsafe { libc::memfd_create(c"we3-llvm-stderr".as_ptr(), libc::MFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and belongs to nobody else.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

fn wait(pid: libc::pid_t) -> std::io::Result<libc::c_int> {
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call.
        if unsafe { libc::waitpid(pid, &mut status, 0) } == pid {
            return Ok(status);
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn in_words(status: libc::c_int) -> String {
    if libc::WIFSIGNALED(status) {
        format!("was killed by signal {}", libc::WTERMSIG(status))
    } else {
        format!("ended with status {}", libc::WEXITSTATUS(status))
    }
}

fn tail(file: &mut File) -> String {
    let mut bytes = Vec::new();
    if file.seek(SeekFrom::Start(0)).is_err() || file.read_to_end(&mut bytes).is_err() {
        return String::new();
    }
    let start = bytes.len().saturating_sub(STDERR_LIMIT);
    String::from_utf8_lossy(&bytes[start..]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn death(job: impl FnOnce() -> String + Send) -> String {
        match run_in_child(job) {
            Outcome::Died { how, .. } => how,
            Outcome::Done(answer) => panic!("an answer: {answer}"),
        }
    }

    #[test]
    fn an_answer_comes_back_whole() {
        let long = "we3".repeat(1_000_000);
        assert!(matches!(run_in_child(|| long.clone()), Outcome::Done(answer) if answer == long));
    }

    #[test]
    fn a_job_that_aborts_or_panics_says_how_it_died() {
        assert_eq!(death(|| std::process::abort()), "was killed by signal 6");
        assert_eq!(death(|| panic!("no")), "ended with status 5");
    }
}
