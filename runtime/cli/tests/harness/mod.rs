//! What tests of the command line share: running `we3c`, and folders that go away.

#![allow(dead_code, reason = "each file of tests uses a part")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What a run of `we3c` left.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs it.
pub fn we3c(args: &[&str]) -> Ran {
    we3c_with(args, "")
}

/// Runs it with some variables set.
pub fn we3c_in(variables: &[(&str, &str)], args: &[&str]) -> Ran {
    run(Command::new(env!("CARGO_BIN_EXE_we3c")).envs(variables.iter().copied()), args, "")
}

/// Runs it with this on standard input.
pub fn we3c_with(args: &[&str], input: &str) -> Ran {
    run(&mut Command::new(env!("CARGO_BIN_EXE_we3c")), args, input)
}

fn run(command: &mut Command, args: &[&str], input: &str) -> Ran {
    let mut child = command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("we3c starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("we3c reads, or has ended");
    drop(stdin);
    let output = child.wait_with_output().expect("we3c ends");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A folder that goes away with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new one.
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("we3c-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    /// Writes a file; its path.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::File::create(&path).and_then(|mut file| file.write_all(bytes.as_ref())).expect("a file");
        path.display().to_string()
    }

    /// The text of a file.
    pub fn read(&self, name: &str) -> String {
        let file = std::fs::File::open(self.0.join(name)).expect("a file");
        std::io::read_to_string(file).expect("text")
    }

    /// The path of a file that may come to be.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
