//! The worker program that links LLVM: reads one JSON request a line, writes one JSON response a line.

use std::io::Write;
use std::process::ExitCode;

const HELP: &str = "\
we3-llvm: compiles we3 loop IR through LLVM, for we3c

usage: we3-llvm             answer requests: one JSON object a line on standard input
       we3-llvm --version   print the versions
       we3-llvm --help      print this

A request holds the module as text, the target and the options (crate we3-backend-api, `worker`).
";

fn main() -> ExitCode {
    let mut output = std::io::stdout();
    let written = match std::env::args().nth(1).as_deref() {
        None => we3_backend_llvm::worker::serve(std::io::stdin().lock(), output),
        Some("--version" | "-V") => {
            writeln!(
                output,
                "we3-llvm {} (LLVM {})",
                env!("CARGO_PKG_VERSION"),
                we3_backend_llvm::llvm_version()
            )
        }
        Some("--help" | "-h") => output.write_all(HELP.as_bytes()),
        Some(other) => {
            let _ = writeln!(std::io::stderr(), "we3-llvm: unknown argument `{other}`\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
