//! What is installed, what each part enables and how to get what is missing.

use we3_device::{host_target, knobs};

use crate::plan::target_name;
use crate::{llvm, ptxas};

/// One thing looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What.
    pub name: &'static str,
    /// Whether it is there.
    pub found: bool,
    /// Where or which version; or why not.
    pub detail: String,
    /// What it enables.
    pub enables: &'static str,
    /// How to get it.
    pub advice: &'static str,
}

/// Looks at everything.
pub fn examine() -> Vec<Finding> {
    vec![host(), cranelift(), llvm_worker(), assembler()]
}

fn host() -> Finding {
    let target = host_target();
    let features = match target.features.as_slice() {
        [] => String::from("no features beyond the baseline"),
        features => features.join(" "),
    };
    Finding {
        name: "this machine",
        found: true,
        detail: format!("{} ({features})", target_name(&target)),
        enables: "code for it is compiled with these features; results do not depend on them",
        advice: "",
    }
}

fn cranelift() -> Finding {
    Finding {
        name: "Cranelift",
        found: true,
        detail: String::from("built in"),
        enables: "`--backend cranelift`: compiles in milliseconds",
        advice: "",
    }
}

fn llvm_worker() -> Finding {
    let (found, detail) = match llvm::available() {
        Ok(path) => (true, path.display().to_string()),
        Err(failure) => (false, failure.summary()),
    };
    Finding {
        name: "LLVM worker (we3-llvm)",
        found,
        detail,
        enables: "`--backend llvm` (the fastest code), `--emit llvm-ir` and `--emit ptx`",
        advice: "apt-get install llvm-22-dev, then `make build` (or cargo build --release -p we3-backend-llvm)",
    }
}

fn assembler() -> Finding {
    let found = ptxas::find();
    Finding {
        name: "ptxas",
        found: found.is_some(),
        detail: found
            .map_or_else(|| String::from("not found"), |ptxas| ptxas.program().display().to_string()),
        enables: "checking emitted PTX without a GPU",
        advice: "`make setup`, or pip install nvidia-cuda-nvcc",
    }
}

/// The environment variables there are: name, meaning, what holds without it.
pub fn variables() -> Vec<(&'static str, &'static str, &'static str)> {
    knobs::KNOBS.iter().map(|knob| (knob.name, knob.meaning, knob.default)).collect()
}
