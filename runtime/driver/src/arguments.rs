//! Arguments of a call: positions and names to parameters, defaults for the rest, texts to values.

use we3_frontend::typed::HostParam;
use we3_parser::ast::FnItem;
use we3_parser::parse_module;

use we3_ir::span::FileId;

use crate::bind::{FileLoader, bind};
use crate::failure::Failure;
use crate::instances::function_named;
use crate::random::seed_of_name;
use crate::spec::{Spec, parse_spec};
use crate::value::HostValue;

/// An argument with its name, if it was given by name.
pub type NamedSpec = (Option<String>, Spec);

/// Loads what arguments name, and hears for which parameter.
pub trait ArgumentLoader: FileLoader {
    /// The parameter that comes next.
    fn begin(&mut self, _parameter: &str) {}
}

impl ArgumentLoader for crate::bind::NoFiles {}

/// The values for the parameters of an entry. `defaults` gives the text of a parameter's default.
pub fn bind_arguments(
    entry: &str,
    params: &[HostParam],
    args: &[NamedSpec],
    defaults: &dyn Fn(&str) -> Option<String>,
    seed: u64,
    files: &mut dyn ArgumentLoader,
) -> Result<Vec<HostValue>, Failure> {
    let chosen = assign(entry, params, args)?;
    let mut values = Vec::new();
    for (param, spec) in params.iter().zip(chosen) {
        let spec = match spec {
            Some(spec) => spec.clone(),
            None => default_of(entry, params, param, defaults)?,
        };
        files.begin(&param.name);
        // Arguments of one call differ even under one seed.
        let seed = seed ^ seed_of_name(&param.name);
        let value = bind(&spec, &param.ty, seed, files)
            .map_err(|fault| Failure::Usage(format!("argument `{}: {}`: {fault}", param.name, param.ty)))?;
        values.push(value);
    }
    Ok(values)
}

fn assign<'args>(
    entry: &str,
    params: &[HostParam],
    args: &'args [NamedSpec],
) -> Result<Vec<Option<&'args Spec>>, Failure> {
    let mut chosen: Vec<Option<&Spec>> = vec![None; params.len()];
    let mut position = 0;
    for (name, spec) in args {
        let place = match name {
            Some(name) => params.iter().position(|param| param.name == *name).ok_or_else(|| {
                Failure::Usage(format!("`{entry}` has no parameter `{name}`; {}", listed(params)))
            })?,
            None => {
                position += 1;
                position - 1
            }
        };
        match chosen.get_mut(place) {
            None => {
                let (n, given) = (params.len(), args.len());
                let takes = if n == 1 { String::from("1 argument") } else { format!("{n} arguments") };
                let message = format!("`{entry}` takes {takes}, {given} were given; {}", listed(params));
                return Err(Failure::Usage(message));
            }
            Some(Some(_)) => {
                let name = &params[place].name;
                return Err(Failure::Usage(format!("argument `{name}` of `{entry}` is given twice")));
            }
            Some(free) => *free = Some(spec),
        }
    }
    Ok(chosen)
}

fn listed(params: &[HostParam]) -> String {
    match params {
        [] => String::from("it has none"),
        _ => {
            let params: Vec<String> =
                params.iter().map(|param| format!("{}: {}", param.name, param.ty)).collect();
            format!("{} {}", if params.len() == 1 { "it is" } else { "they are" }, params.join(", "))
        }
    }
}

fn default_of(
    entry: &str,
    params: &[HostParam],
    param: &HostParam,
    defaults: &dyn Fn(&str) -> Option<String>,
) -> Result<Spec, Failure> {
    let missing =
        || Failure::Usage(format!("argument `{}` of `{entry}` is missing; {}", param.name, listed(params)));
    let text = defaults(&param.name).ok_or_else(missing)?;
    parse_spec(&text).map_err(|_| {
        let name = &param.name;
        Failure::Usage(format!("give `{name}`: its default `{text}` is computed by the program"))
    })
}

/// The text of the default of a parameter of a function of the root module.
pub fn default_text(source: &str, function: &str, param: &str) -> Option<String> {
    let (module, _) = parse_module(FileId(0), source);
    let (_, found) = function_named(&module, function)?;
    default_in(found, source, param)
}

fn default_in(function: &FnItem, source: &str, param: &str) -> Option<String> {
    let param = function.params.iter().find(|one| one.name.text == param)?;
    let default = param.default.as_ref()?;
    source.get(default.span.range()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::NoFiles;
    use crate::value::HostType;
    use we3_ir::Scalar;
    use we3_ir::span::Span;

    fn params() -> Vec<HostParam> {
        let param =
            |name: &str, ty| HostParam { name: name.into(), ty, mutable: false, span: Span::default() };
        vec![
            param("x", HostType::array(HostType::Scalar(Scalar::F64), 1)),
            param("k", HostType::Scalar(Scalar::I64)),
        ]
    }

    fn bound(args: &[(Option<&str>, &str)]) -> Result<Vec<HostValue>, Failure> {
        let args: Vec<NamedSpec> =
            args.iter().map(|(name, text)| (name.map(String::from), parse_spec(text).unwrap())).collect();
        let source = "pub fn f(x: f64[n], k: i64 = -3) -> i64 = k;";
        let defaults = |name: &str| default_text(source, "f", name);
        bind_arguments("f", &params(), &args, &defaults, 0, &mut NoFiles)
    }

    #[test]
    fn positions_names_and_defaults_fill_the_parameters() {
        let values = bound(&[(None, "[1.0]")]).unwrap();
        assert_eq!(values[1], HostValue::scalar(Scalar::I64, -3_i64 as u64));
        let values = bound(&[(Some("k"), "5"), (None, "[1.0]")]).unwrap();
        assert_eq!(values[1], HostValue::scalar(Scalar::I64, 5));
    }

    #[test]
    fn faults_name_the_argument() {
        for (args, part) in [
            (&[][..], "argument `x` of `f` is missing"),
            (&[(None, "[1.0]"), (None, "1"), (None, "2")], "takes 2 arguments"),
            (&[(None, "[1.0]"), (Some("x"), "[2.0]")], "given twice"),
            (&[(Some("y"), "1")], "no parameter `y`; they are x: f64[?], k: i64"),
            (&[(None, "3")], "argument `x: f64[?]`: expected an array of rank 1"),
        ] {
            let failure = bound(args).unwrap_err();
            assert!(failure.summary().contains(part), "{}", failure.summary());
        }
    }
}
