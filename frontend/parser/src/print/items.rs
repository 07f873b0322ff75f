//! Items, generics and types as nested lists.

use super::exprs::{attrs, block, expr, source};
use super::sexp::Sexp;
use crate::ast::*;
use we3_ir::span::Span;

pub(super) fn module(module: &Module) -> Sexp {
    Sexp::list("module", docs(&module.docs).chain(module.items.iter().map(item)))
}

fn docs(docs: &[Doc]) -> impl Iterator<Item = Sexp> {
    docs.iter().map(|doc| Sexp::list("doc", [Sexp::atom(format!("{:?}", doc.text))]))
}

fn public(is_pub: Option<Span>) -> Option<Sexp> {
    is_pub.map(|_| Sexp::atom("pub"))
}

/// What stands before an item comes first in its list.
fn with_leads(whole: Sexp, docs_of: &[Doc], attrs_of: &[Attr], is_pub: Option<Span>) -> Sexp {
    let Sexp::List(mut parts) = whole else { return whole };
    let leads = docs(docs_of).chain(attrs(attrs_of)).chain(public(is_pub));
    let at = parts.len().min(1);
    parts.splice(at..at, leads);
    Sexp::List(parts)
}

fn item(item: &Item) -> Sexp {
    let whole = match &item.kind {
        ItemKind::Use(tree) => Sexp::list("use", [use_tree(tree)]),
        ItemKind::Const(constant) => const_item(constant),
        ItemKind::TypeAlias(alias) => {
            Sexp::list("type", named(&alias.name, &alias.generics).chain([ty(&alias.ty)]))
        }
        ItemKind::Struct(record) => {
            let fields = record.fields.iter().map(|field| {
                let whole = Sexp::list("field", [name(&field.name), ty(&field.ty)]);
                with_leads(whole, &field.docs, &field.attrs, None)
            });
            Sexp::list("struct", named(&record.name, &record.generics).chain(fields))
        }
        ItemKind::Trait(item) => {
            let supers = item.supertraits.iter().map(path);
            let supers = (!item.supertraits.is_empty()).then(|| Sexp::list("supertraits", supers));
            let items = item.items.iter().map(assoc_item);
            Sexp::list("trait", named(&item.name, &item.generics).chain(supers).chain(items))
        }
        ItemKind::Impl(item) => {
            let of_trait = item.of_trait.iter().map(|of| Sexp::list("of", [path(of)]));
            let head = generics(&item.generics).into_iter().chain(of_trait).chain([ty(&item.ty)]);
            Sexp::list("impl", head.chain(item.items.iter().map(assoc_item)))
        }
        ItemKind::Fn(function) => fn_item(function),
        ItemKind::Test(TestItem { name, inputs, body }) => test("test", name, inputs, body),
        ItemKind::Bench(BenchItem { name, inputs, body }) => test("bench", name, inputs, body),
        ItemKind::Error => Sexp::list("<error item>", []),
    };
    with_leads(whole, &item.docs, &item.attrs, item.is_pub)
}

fn assoc_item(item: &AssocItem) -> Sexp {
    let whole = match &item.kind {
        AssocKind::Const(constant) => const_item(constant),
        AssocKind::Fn(function) => fn_item(function),
        AssocKind::Error => Sexp::list("<error item>", []),
    };
    with_leads(whole, &item.docs, &item.attrs, item.is_pub)
}

fn use_tree(tree: &UseTree) -> Sexp {
    let names: Vec<&str> = tree.path.iter().map(|name| name.text.as_str()).collect();
    let joined = Sexp::atom(names.join("::"));
    match &tree.kind {
        UseKind::Leaf { alias: None } => joined,
        UseKind::Leaf { alias: Some(alias) } => Sexp::list("as", [joined, name(alias)]),
        UseKind::Group(trees) => {
            Sexp::list("group", std::iter::once(joined).chain(trees.iter().map(use_tree)))
        }
    }
}

fn const_item(constant: &ConstItem) -> Sexp {
    let typed = constant.ty.iter().map(ty);
    let value = constant.value.iter().map(|value| Sexp::list("=", [expr(value)]));
    Sexp::list("const", std::iter::once(name(&constant.name)).chain(typed).chain(value))
}

fn fn_item(function: &FnItem) -> Sexp {
    let params = Sexp::list("params", function.params.iter().map(param));
    let result = function.result.iter().map(|result| Sexp::list("->", [ty(result)]));
    let body = function.body.iter().map(|body| match body {
        FnBody::Expr(body) => Sexp::list("=", [expr(body)]),
        FnBody::Block(body) => block(body),
    });
    Sexp::list("fn", named(&function.name, &function.generics).chain([params]).chain(result).chain(body))
}

fn param(param: &Param) -> Sexp {
    let typed = param.ty.iter().map(ty);
    let default = param.default.iter().map(|value| Sexp::list("=", [expr(value)]));
    let head = if param.mutable.is_some() { "mut" } else { "param" };
    Sexp::list(head, std::iter::once(name(&param.name)).chain(typed).chain(default))
}

fn test(head: &str, title: &StrLit, inputs: &[TestInput], body: &Block) -> Sexp {
    let inputs = inputs.iter().map(|input| match &input.kind {
        TestInputKind::Typed(typed) => Sexp::list("input", [name(&input.name), ty(typed)]),
        TestInputKind::In(values) => {
            Sexp::list("in", std::iter::once(name(&input.name)).chain(source(values)))
        }
    });
    let title = Sexp::atom(format!("{:?}", title.text));
    Sexp::list(head, std::iter::once(title).chain(inputs).chain([block(body)]))
}

pub(super) fn name(name: &Name) -> Sexp {
    Sexp::atom(&name.text)
}

fn named(head: &Name, params: &Generics) -> impl Iterator<Item = Sexp> {
    std::iter::once(name(head)).chain(generics(params))
}

fn generics(generics: &Generics) -> Option<Sexp> {
    let params = generics.params.iter().map(|param| match &param.kind {
        GenericParamKind::Type { bounds } if bounds.is_empty() => name(&param.name),
        GenericParamKind::Type { bounds } => {
            Sexp::list(":", std::iter::once(name(&param.name)).chain(bounds.iter().map(path)))
        }
        GenericParamKind::Size => Sexp::list("size", [name(&param.name)]),
        GenericParamKind::Const { ty: typed } => Sexp::list("const", [name(&param.name), ty(typed)]),
    });
    (!generics.params.is_empty()).then(|| Sexp::list("generics", params))
}

/// Names joined by `::`; generic arguments stand behind the name they belong to.
pub(super) fn path(path: &Path) -> Sexp {
    let mut parts: Vec<Sexp> = vec![];
    let mut text = String::new();
    for (nth, segment) in path.segments.iter().enumerate() {
        let joint = if nth == 0 { "" } else { "::" };
        text += joint;
        text += &segment.name.text;
        if let Some(args) = &segment.args {
            parts.push(Sexp::atom(std::mem::take(&mut text)));
            parts.push(Sexp::List(args.iter().map(generic_arg).collect()));
        }
    }
    if parts.is_empty() {
        return Sexp::atom(text);
    }
    if !text.is_empty() {
        parts.push(Sexp::atom(text));
    }
    Sexp::list("path", parts)
}

fn generic_arg(arg: &GenericArg) -> Sexp {
    match arg {
        GenericArg::Path(named) => path(named),
        GenericArg::Type(typed) => ty(typed),
        GenericArg::Size(value) => size(value),
    }
}

pub(super) fn ty(ty_of: &Type) -> Sexp {
    match &ty_of.kind {
        TypeKind::Path(named) => path(named),
        TypeKind::Array { elem, sizes } => {
            Sexp::list("array", std::iter::once(ty(elem)).chain(sizes.iter().map(size)))
        }
        TypeKind::Tuple(parts) => Sexp::list("tuple", parts.iter().map(ty)),
        TypeKind::Fn { params, result } => {
            Sexp::list("fn", [Sexp::List(params.iter().map(ty).collect()), ty(result)])
        }
        TypeKind::Error => Sexp::atom("<error type>"),
    }
}

fn size(size: &Size) -> Sexp {
    match size {
        Size::Expr(value) => expr(value),
        Size::Fresh { name, .. } => Sexp::atom(format!("?{}", name.text)),
        Size::Open(_) => Sexp::atom("?"),
    }
}
