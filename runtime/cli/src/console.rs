//! Standard output and error: text, failures in words or JSON, colours only for a person who can see them.

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use we3_driver::failure::Failure;

use crate::panics::EXIT_BUG;

/// Diagnostics were reported or tests failed.
pub const EXIT_FAILED: u8 = 1;
/// The command was written wrong.
pub const EXIT_USAGE: u8 = 2;

/// How messages are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum MessageFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line, for programs.
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where messages go and how they look.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Words or JSON.
    pub format: MessageFormat,
    color: ColorChoice,
}

impl Console {
    /// A console with these choices.
    pub fn new(format: MessageFormat, color: ColorChoice) -> Console {
        Console { format, color }
    }

    /// Whether messages on standard error are coloured.
    pub fn colored(self) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => std::io::stderr().is_terminal() && !we3_driver::knobs::no_color(),
        }
    }

    /// Writes to standard output.
    pub fn print(self, text: &str) {
        self.print_bytes(text.as_bytes());
    }

    /// Writes bytes that may be no text. A reader that has gone away (`we3c … | head`) ends the program
    /// quietly; a full disk does not.
    pub fn print_bytes(self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
            if error.kind() == ErrorKind::BrokenPipe {
                std::process::exit(0);
            }
            self.message(&format!("{} cannot write to standard output: {error}\n", self.label()));
            std::process::exit(i32::from(EXIT_FAILED));
        }
    }

    /// Writes to standard error.
    pub fn message(self, text: &str) {
        // There is nowhere left to report that standard error is closed.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// Says how far something long has come, on one line that is written over; nothing where nobody watches.
    pub fn progress(self, text: &str) {
        if self.format == MessageFormat::Human && std::io::stderr().is_terminal() {
            self.message(&format!("\r\u{1b}[K{text}"));
        }
    }

    /// A failure that has no place in a source.
    pub fn failure(self, failure: &Failure) -> ExitCode {
        let (text, code) = match failure {
            Failure::Diagnostics(_) => (failure.summary(), EXIT_FAILED),
            Failure::Usage(message) => (message.clone(), EXIT_USAGE),
            Failure::Unsupported(limit) => (limit.to_string(), EXIT_FAILED),
            Failure::Unavailable(message) => (format!("{message}\n(see `we3c doctor`)"), EXIT_FAILED),
            Failure::OutOfMemory => {
                (String::from("out of memory: the kernel asked for more than there is"), EXIT_FAILED)
            }
            Failure::TooManySteps => (String::from("the kernel used up its budget of steps"), EXIT_FAILED),
            Failure::Bug { what, ir } => (bug_report(what, ir.as_deref()), EXIT_BUG),
        };
        match self.format {
            MessageFormat::Human => self.message(&format!("{} {text}\n", self.label())),
            MessageFormat::Json => {
                let object = serde_json::json!({ "severity": "error", "code": null, "message": text });
                self.message(&format!("{object}\n"));
            }
        }
        ExitCode::from(code)
    }

    /// A text that stands out for a person who can see it.
    pub fn bold(self, text: &str) -> String {
        if self.colored() { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn label(self) -> &'static str {
        if self.colored() { "\u{1b}[1;31merror:\u{1b}[0m" } else { "error:" }
    }
}

/// Writes the IR at hand to a file, so that a report can carry it.
fn bug_report(what: &str, ir: Option<&str>) -> String {
    let mut text = format!(
        "this is a bug in we3, not in your program: {what}\n  version: {}",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(ir) = ir {
        let path = std::env::temp_dir().join(format!("we3-bug-{}.ir", std::process::id()));
        if crate::files::write(&path, ir.as_bytes()).is_ok() {
            text.push_str(&format!("\n  IR:      {}", path.display()));
        }
    }
    text.push_str("\n  please report it: https://github.com/we3-lang/we3/issues");
    text
}
