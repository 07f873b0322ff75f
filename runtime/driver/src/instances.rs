//! Generic functions as entries: `softmax::<f32>` becomes a wrapper `softmax_f32` at the end of the root
//! module, whose signature is the generic one with the arguments put in.

use std::collections::BTreeMap;

use we3_ir::Scalar;
use we3_ir::span::FileId;
use we3_parser::ast::{FnItem, GenericParamKind, Item, ItemKind, Module, TypeKind};
use we3_parser::lexer::lex;
use we3_parser::parse_module;

use crate::bind::default_type;
use crate::failure::Failure;
use crate::spec::Spec;
use crate::value::HostType;

/// A generic function of the root module with what its parameters stand for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    /// The name of the wrapper.
    pub name: String,
    /// Its text, to be put at the end of the root.
    pub text: String,
}

/// What is asked for: `softmax` or `softmax::<f32>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryName {
    /// The function.
    pub base: String,
    /// Explicit generic arguments.
    pub arguments: Vec<String>,
}

impl EntryName {
    /// Splits a name as written. What has no closing `>` is no list of arguments.
    pub fn parse(text: &str) -> EntryName {
        let text = text.trim();
        match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((base, rest)) => EntryName {
                base: base.trim().trim_end_matches("::").to_owned(),
                arguments: split_arguments(rest.trim()),
            },
            None => EntryName { base: text.to_owned(), arguments: Vec::new() },
        }
    }
}

/// Commas outside brackets.
fn split_arguments(text: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for letter in text.chars() {
        match letter {
            '<' | '[' | '(' => depth += 1,
            '>' | ']' | ')' => depth -= 1,
            _ => {}
        }
        match parts.last_mut() {
            Some(_) if letter == ',' && depth == 0 => parts.push(String::new()),
            Some(last) => last.push(letter),
            None => {}
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The wrapper for a generic function, or `None` if the function of this name is none. Arguments that
/// are not written are taken from the types of the call's arguments (`f64` where they say nothing).
pub fn instance_of(source: &str, name: &EntryName, args: &[Spec]) -> Result<Option<Instance>, Failure> {
    let (module, _) = parse_module(FileId(0), source);
    let Some((_, function)) = function_named(&module, &name.base) else { return Ok(None) };
    if function.generics.params.is_empty() {
        return match name.arguments.is_empty() {
            true => Ok(None),
            false => Err(Failure::Usage(format!("`{}` takes no generic arguments", name.base))),
        };
    }
    let mut chosen = BTreeMap::new();
    for (position, param) in function.generics.params.iter().enumerate() {
        let written = name.arguments.get(position).cloned();
        let argument = match (&param.kind, written) {
            (GenericParamKind::Size, _) => continue,
            (_, Some(written)) => written,
            (GenericParamKind::Type { .. }, None) => inferred(function, &param.name.text, args),
            (GenericParamKind::Const { .. }, None) => {
                return Err(Failure::Usage(format!(
                    "name the instance: `{}::<…>` with a value for `{}`",
                    name.base, param.name.text
                )));
            }
        };
        chosen.insert(param.name.text.clone(), argument);
    }
    Ok(Some(wrapper(source, function, &chosen)))
}

/// What the root module knows about a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionKind {
    /// A `pub fn` that hosts can call as it is.
    Plain,
    /// A `pub fn` with type or constant parameters.
    Generic,
    /// Not `pub`.
    Private,
}

/// What kind of function of the root module has this name, if one has.
pub fn function_kind(source: &str, name: &str) -> Option<FunctionKind> {
    let (module, _) = parse_module(FileId(0), source);
    let (item, function) = function_named(&module, name)?;
    Some(if item.is_pub.is_none() {
        FunctionKind::Private
    } else if function.generics.params.is_empty() {
        FunctionKind::Plain
    } else {
        FunctionKind::Generic
    })
}

/// The function of the module with this name, and its item.
pub(crate) fn function_named<'module>(
    module: &'module Module,
    name: &str,
) -> Option<(&'module Item, &'module FnItem)> {
    module.items.iter().find_map(|item| match &item.kind {
        ItemKind::Fn(found) if found.name.text == name => Some((item, found)),
        ItemKind::Fn(_)
        | ItemKind::Use(_)
        | ItemKind::Const(_)
        | ItemKind::TypeAlias(_)
        | ItemKind::Struct(_)
        | ItemKind::Trait(_)
        | ItemKind::Impl(_)
        | ItemKind::Test(_)
        | ItemKind::Bench(_)
        | ItemKind::Error => None,
    })
}

/// The scalar that stands in the place of `T` in the first argument whose type mentions it.
fn inferred(function: &FnItem, param: &str, args: &[Spec]) -> String {
    let elem = |ty: HostType| match ty {
        HostType::Array { elem, .. } => *elem,
        HostType::Scalar(_) | HostType::Tuple(_) | HostType::Record { .. } => ty,
    };
    let mentions = |kind: &TypeKind| match kind {
        TypeKind::Path(path) => path.as_name().is_some_and(|name| name.text == param),
        TypeKind::Array { .. } | TypeKind::Tuple(_) | TypeKind::Fn { .. } | TypeKind::Error => false,
    };
    let found = function.params.iter().zip(args).find_map(|(one, arg)| {
        let kind = &one.ty.as_ref()?.kind;
        let holds = match kind {
            TypeKind::Array { elem, .. } => mentions(&elem.kind),
            TypeKind::Path(_) | TypeKind::Tuple(_) | TypeKind::Fn { .. } | TypeKind::Error => mentions(kind),
        };
        if holds { default_type(arg).map(elem) } else { None }
    });
    found.map_or_else(|| Scalar::F64.name().to_owned(), |ty| ty.to_string())
}

fn wrapper(source: &str, function: &FnItem, chosen: &BTreeMap<String, String>) -> Instance {
    let base = &function.name.text;
    let put_in = |text: &str| substitute(text, chosen);
    let slice = |span: we3_ir::span::Span| put_in(source.get(span.range()).unwrap_or_default());
    let suffix: String = chosen.values().map(|argument| format!("_{argument}")).collect();
    let name: String = format!("{base}{suffix}")
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
        .collect();
    let params: Vec<String> = function.params.iter().map(|param| slice(param.span)).collect();
    let names: Vec<&str> = function.params.iter().map(|param| param.name.text.as_str()).collect();
    let arguments: Vec<&str> = function
        .generics
        .params
        .iter()
        .filter_map(|param| chosen.get(&param.name.text).map(String::as_str))
        .collect();
    let result = function.result.as_ref().map_or_else(String::new, |ty| format!(" -> {}", slice(ty.span)));
    let text = format!(
        "\n/// The instance of `{base}` that was asked for.\npub fn {name}({}){result} = {base}::<{}>({});\n",
        params.join(", "),
        arguments.join(", "),
        names.join(", "),
    );
    Instance { name, text }
}

/// Replaces whole words.
fn substitute(text: &str, chosen: &BTreeMap<String, String>) -> String {
    let (tokens, _) = lex(FileId(0), text);
    let mut replaced = String::new();
    let mut done = 0;
    for token in tokens {
        let (lo, hi) = (token.lo as usize, token.hi as usize);
        if let Some(argument) = text.get(lo..hi).and_then(|word| chosen.get(word)) {
            replaced.push_str(&text[done..lo]);
            replaced.push_str(argument);
            done = hi;
        }
    }
    replaced.push_str(&text[done..]);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::parse_spec;

    const SOURCE: &str =
        "pub fn softmax<T: Float>(x: T[n, m], k: i64 = 3) -> T[n, m] = x;\npub fn f(x: i64) -> i64 = x;";

    #[test]
    fn an_instance_is_a_wrapper_with_the_types_put_in() {
        let args = [parse_spec("[[1.0f32]]").unwrap()];
        let instance = instance_of(SOURCE, &EntryName::parse("softmax"), &args).unwrap().unwrap();
        assert_eq!(instance.name, "softmax_f32");
        assert!(
            instance.text.contains(
                "pub fn softmax_f32(x: f32[n, m], k: i64 = 3) -> f32[n, m] = softmax::<f32>(x, k);"
            ),
            "{}",
            instance.text
        );
        let written = instance_of(SOURCE, &EntryName::parse("softmax::<f16>"), &args).unwrap().unwrap();
        assert_eq!(written.name, "softmax_f16");
    }

    #[test]
    fn functions_are_told_apart() {
        let source =
            "pub fn a(x: i64) -> i64 = x;\nfn b(x: i64) -> i64 = x;\npub fn c<T: Num>(x: T) -> T = x;";
        let kinds = ["a", "b", "c", "d"].map(|name| function_kind(source, name));
        let plain = (FunctionKind::Plain, FunctionKind::Private, FunctionKind::Generic);
        assert_eq!(kinds, [Some(plain.0), Some(plain.1), Some(plain.2), None]);
        assert_eq!(EntryName::parse("f::<f32").arguments, [""; 0]);
        assert_eq!(EntryName::parse(" f::<f32, [3]> ").arguments, ["f32", "[3]"]);
    }

    #[test]
    fn plain_functions_need_none() {
        assert_eq!(instance_of(SOURCE, &EntryName::parse("f"), &[]), Ok(None));
        assert!(instance_of(SOURCE, &EntryName::parse("f::<i64>"), &[]).is_err());
    }
}
