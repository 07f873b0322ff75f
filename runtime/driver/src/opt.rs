//! Passes over a dumped module: what `we3c opt` does, without its options.

use std::time::Duration;

use we3_backend_api::Target;
use we3_frontend::check::suggest::closest;
use we3_ir::text::print_module;
use we3_passes::{Pass, PassContext, RunOptions, pipelines, run_passes};

use crate::failure::Failure;
use crate::plan::facts_of;
use crate::stages::{Form, read_ir};

/// What to do.
#[derive(Clone, Debug)]
pub struct OptRequest {
    /// The module as text.
    pub text: String,
    /// Names of passes and pipelines.
    pub passes: Vec<String>,
    /// Names of passes whose output is wanted; `all` for every one.
    pub print_after: Vec<String>,
    /// Verify after each.
    pub verify_each: bool,
    /// Whose facts the passes get.
    pub target: Target,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct OptOutcome {
    /// The module after the last pass.
    pub text: String,
    /// Modules after the passes asked for.
    pub dumps: Vec<(String, String)>,
    /// How long each pass took.
    pub times: Vec<(String, Duration)>,
}

/// Runs passes over a module.
pub fn optimise(request: &OptRequest) -> Result<OptOutcome, Failure> {
    let passes = find_passes(&request.passes)?;
    for wanted in &request.print_after {
        if wanted != "all" && !passes.iter().any(|pass| pass.name == wanted) {
            return Err(Failure::Usage(format!("`{wanted}` is not among the passes that run")));
        }
    }
    let module = match read_ir(&request.text)? {
        Form::Array(module) | Form::Loop(module) => module,
        Form::Artifact(_) => return Err(Failure::Usage(String::from("this is no IR"))),
    };
    let mut dumps = Vec::new();
    let mut after = |name: &'static str, module: &we3_ir::Module| {
        if request.print_after.iter().any(|wanted| wanted == "all" || wanted == name) {
            dumps.push((name.to_owned(), print_module(module)));
        }
    };
    let ctx = PassContext::for_target(facts_of(&request.target));
    let mut options = RunOptions { verify_each: request.verify_each, after: Some(&mut after) };
    let outcome = run_passes(module, &passes, &ctx, &mut options)
        .map_err(|bug| Failure::Bug { what: bug.to_string(), ir: bug.before })?;
    Ok(OptOutcome {
        text: print_module(&outcome.module),
        dumps,
        times: outcome.times.iter().map(|one| (one.pass.to_owned(), one.time)).collect(),
    })
}

fn find_passes(names: &[String]) -> Result<Vec<Pass>, Failure> {
    let mut passes = Vec::new();
    for name in names {
        if let Some(pass) = pipelines::find_pass(name) {
            passes.push(pass);
        } else if let Some(pipeline) = pipelines::PIPELINES.iter().find(|pipeline| pipeline.name == name) {
            passes.extend_from_slice(pipeline.passes);
        } else {
            let known: Vec<&str> = pipelines::ALL.iter().map(|pass| pass.name).collect();
            let close = closest(name, known.iter().copied())
                .map_or_else(String::new, |close| format!("; did you mean `{close}`?"));
            return Err(Failure::Usage(format!(
                "there is no pass `{name}`{close} (`we3c opt --list-passes` lists them)"
            )));
        }
    }
    Ok(passes)
}

/// Names of all passes, with a line about each.
pub fn all_passes() -> Vec<(&'static str, &'static str)> {
    pipelines::ALL.iter().map(|pass| (pass.name, pass.about)).collect()
}

/// Names of all pipelines, with a line about each and their passes.
pub fn all_pipelines() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    pipelines::PIPELINES
        .iter()
        .map(|pipeline| {
            (pipeline.name, pipeline.about, pipeline.passes.iter().map(|pass| pass.name).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::target_from_name;

    fn request(passes: &[&str]) -> OptRequest {
        OptRequest {
            text: String::from(
                "array module\n\nentry func @one() -> (i64) {\n  %0: i64 = const 1\n  return %0\n}\n",
            ),
            passes: passes.iter().map(|name| (*name).to_owned()).collect(),
            print_after: vec![String::from("all")],
            verify_each: true,
            target: target_from_name("x86-64").unwrap(),
        }
    }

    #[test]
    fn a_pipeline_runs_and_is_dumped_step_by_step() {
        let outcome = optimise(&request(&["quick"])).unwrap();
        assert!(outcome.text.starts_with("loop module"), "{}", outcome.text);
        assert_eq!(outcome.dumps.len(), outcome.times.len());
    }

    #[test]
    fn unknown_names_and_wrong_text_are_usage_errors() {
        assert!(matches!(optimise(&request(&["no-such-pass"])), Err(Failure::Usage(_))));
        let broken = OptRequest { text: String::from("array module\nfunc {"), ..request(&["quick"]) };
        assert!(matches!(optimise(&broken), Err(Failure::Usage(_))));
    }
}
