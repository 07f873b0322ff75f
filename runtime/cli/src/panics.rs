//! Turns a panic, which is always a bug of ours, into a report that can be sent.

use std::io::Write;

/// The exit code of a bug (`EX_SOFTWARE` of sysexits.h).
pub const EXIT_BUG: u8 = 70;

/// Replaces the panic message by a report, and the exit code by `EXIT_BUG`.
pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        let place =
            panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let payload = panic.payload();
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let command: Vec<String> = std::env::args().collect();
        // Nothing can be done when standard error is gone too.
        let _ = write!(
            std::io::stderr(),
            "we3c: this is a bug in we3c, not in your program.\n  \
             what:    {message}{place}\n  \
             version: {}\n  \
             command: {}\n\
             Please report it with the source file: https://github.com/we3-lang/we3/issues\n",
            env!("CARGO_PKG_VERSION"),
            command.join(" "),
        );
        std::process::exit(i32::from(EXIT_BUG));
    }));
}
