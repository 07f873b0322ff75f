//! Checks one file given as argument and prints its diagnostics, or with `--tree` its typed tree.
#![expect(clippy::print_stdout, reason = "a tool for the people who work on the checker")]
#![expect(clippy::disallowed_methods, reason = "it reads the file it is given")]

use std::path::{Path, PathBuf};

use we3_frontend::render::render_text;
use we3_frontend::{CheckOptions, SourceProvider, SourceText, check};

struct Folder(PathBuf);

impl SourceProvider for Folder {
    fn load(&self, path: &[String]) -> Option<SourceText> {
        let std = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stdlib/std");
        let file = match path {
            [] => self.0.clone(),
            [first, rest @ ..] if first == "std" => std.join(format!("{}.we3", rest.join("/"))),
            path => self.0.parent()?.join(format!("{}.we3", path.join("/"))),
        };
        let text = std::fs::read_to_string(&file).ok()?;
        Some(SourceText { name: file.file_name()?.to_string_lossy().into_owned(), text })
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(file) = args.iter().find(|arg| !arg.starts_with("--")) else { return };
    let options = CheckOptions {
        trust_std: true,
        warn_sizes: args.iter().any(|a| a == "--sizes"),
        ..CheckOptions::default()
    };
    let result = check(&Folder(file.into()), options);
    println!("{}", render_text(&result.sources, &result.diagnostics, false));
    let Some(program) = result.program else { return };
    if args.iter().any(|arg| arg == "--tree") {
        for func in &program.funcs {
            println!("{func:#?}");
        }
    }
    match we3_frontend::emit::emit(&program) {
        Err(bug) => println!("emit: {bug}"),
        Ok(module) => match we3_ir::verify::verify(&module) {
            Ok(_) => println!("verified: {} functions", module.funcs.len()),
            Err(errors) => println!("verify: {errors:#?}"),
        },
    }
}
