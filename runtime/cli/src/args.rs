//! The command line's shape. Each command's own options stand with it in `commands/`.

use clap::{Parser, Subcommand};

use crate::commands::{bench, check, compile, completions, doc, doctor, explain, fmt, opt, run, test, tune};
use crate::console::{ColorChoice, MessageFormat};

const ABOUT: &str = "The we3 compiler: numeric kernels with the same bits on every backend";

const EXAMPLES: &str = "\
A first program, softmax.we3:

    pub fn softmax(x: f64[n]) -> f64[n] = {
        let top = max(x);
        let e = [exp(v - top) for v in x];
        e / sum(e)
    };

    we3c check softmax.we3                          is it right?
    we3c run softmax.we3 softmax '[1.0, 2.0]'       call it with a literal
    we3c run softmax.we3 softmax x.npy --save y.npy call it with an array of NumPy
    we3c run softmax.we3 softmax random:[1000] --same-bits --time
    we3c compile softmax.we3 --emit ptx             see what becomes of it

Exit codes: 0 all went well; 1 there were errors or failed tests; 2 the command was written wrong;
70 a bug in we3c.";

/// The whole command line.
#[derive(Parser, Debug)]
#[command(name = "we3c", version = we3_driver::VERSION_TEXT, about = ABOUT, after_long_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// How messages are written
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = false)]
    pub message_format: MessageFormat,

    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t)]
    pub color: ColorChoice,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Check programs and report everything that is wrong with them
    Check(check::Args),
    /// Run a function with arguments, on any backend
    Run(run::Args),
    /// Run the tests of a program
    Test(test::Args),
    /// Time the benches of a program
    Bench(bench::Args),
    /// Search for faster schedules of a function, with real calls
    Tune(tune::Args),
    /// Compile to an object, PTX, or any form on the way
    Compile(compile::Args),
    /// Run passes over a file of IR
    Opt(opt::Args),
    /// Format sources
    Fmt(fmt::Args),
    /// Write the documentation of a program's public items
    Doc(doc::Args),
    /// Teach what an error code means
    Explain(explain::Args),
    /// Say what is installed, what it enables, and how to get the rest
    Doctor(doctor::Args),
    /// Write completions for a shell
    Completions(completions::Args),
}
