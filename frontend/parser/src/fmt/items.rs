//! Modules and items.

use super::doc::{Doc, RhsStyle};
use super::lists::Shape;
use super::tokens::Formatter;
use crate::ast::*;
use crate::token::TokenKind as T;
use we3_ir::span::Span;

impl<'s> Formatter<'s> {
    pub(super) fn module(&mut self, module: &Module) -> Doc<'s> {
        let mut docs = vec![self.surplus_semicolons()];
        for item in &module.items {
            docs.push(Doc::Hard);
            docs.push(self.blank_before_next());
            docs.push(self.leads(&item.attrs, item.is_pub));
            docs.push(self.item(item));
            docs.push(self.surplus_semicolons());
        }
        docs.push(self.comments_before_next());
        Doc::concat(docs)
    }

    /// Attributes, each on its line, and `pub`.
    fn leads(&mut self, attrs: &[Attr], is_pub: Option<Span>) -> Doc<'s> {
        let mut docs = vec![];
        for attr in attrs {
            docs.push(self.attr(attr));
            docs.push(Doc::Hard);
        }
        if is_pub.is_some() {
            docs.push(self.token("pub"));
            docs.push(Doc::Text(" "));
        }
        Doc::concat(docs)
    }

    pub(super) fn attr(&mut self, attr: &Attr) -> Doc<'s> {
        let head = vec![self.token("#["), self.any_token()];
        let args = match self.peek() {
            T::LParen => self.list("(", &attr.args, ")", Shape::Tight, Self::arg),
            _ => Doc::Nil,
        };
        Doc::concat(vec![Doc::concat(head), args, self.token("]")])
    }

    fn item(&mut self, item: &Item) -> Doc<'s> {
        match &item.kind {
            ItemKind::Use(tree) => {
                Doc::concat(vec![self.token("use"), Doc::Text(" "), self.use_tree(tree), self.token(";")])
            }
            ItemKind::Const(constant) => self.constant(constant),
            ItemKind::TypeAlias(alias) => {
                let head = vec![
                    self.token("type"),
                    Doc::Text(" "),
                    self.any_token(),
                    self.generics(&alias.generics),
                ];
                let sign = vec![Doc::Text(" "), self.token("=")];
                let ty = self.ty(&alias.ty);
                let end = self.token(";");
                Doc::concat(vec![
                    Doc::concat(head),
                    Doc::concat(sign),
                    Doc::rhs(RhsStyle::Delimited, Doc::group(vec![ty])),
                    end,
                ])
            }
            ItemKind::Struct(record) => self.record_type(record),
            ItemKind::Trait(item) => {
                let head = vec![self.token("trait"), Doc::Text(" "), self.any_token()];
                let more =
                    vec![self.generics(&item.generics), self.bounds(&item.supertraits), Doc::Text(" ")];
                Doc::concat(vec![Doc::concat(head), Doc::concat(more), self.assoc_items(&item.items)])
            }
            ItemKind::Impl(item) => {
                let mut docs = vec![self.token("impl"), self.generics(&item.generics), Doc::Text(" ")];
                if let Some(of_trait) = &item.of_trait {
                    docs.extend([self.path(of_trait), Doc::Text(" "), self.token("for"), Doc::Text(" ")]);
                }
                docs.extend([self.ty(&item.ty), Doc::Text(" ")]);
                docs.push(self.assoc_items(&item.items));
                Doc::concat(docs)
            }
            ItemKind::Fn(function) => self.function(function),
            ItemKind::Test(TestItem { inputs, body, .. }) => self.test("test", inputs, body),
            ItemKind::Bench(BenchItem { inputs, body, .. }) => self.test("bench", inputs, body),
            ItemKind::Error => Doc::Nil,
        }
    }

    fn use_tree(&mut self, tree: &UseTree) -> Doc<'s> {
        let mut docs = vec![];
        for nth in 0..tree.path.len() {
            if nth > 0 {
                docs.push(self.token("::"));
            }
            docs.push(self.any_token());
        }
        match &tree.kind {
            UseKind::Leaf { alias: None } => {}
            UseKind::Leaf { alias: Some(_) } => {
                docs.extend([Doc::Text(" "), self.token("as"), Doc::Text(" "), self.any_token()]);
            }
            UseKind::Group(trees) => {
                docs.push(self.token("::"));
                docs.push(self.list("{", trees, "}", Shape::Tight, Self::use_tree));
            }
        }
        Doc::concat(docs)
    }

    fn constant(&mut self, constant: &ConstItem) -> Doc<'s> {
        let mut docs = vec![self.token("const"), Doc::Text(" "), self.any_token()];
        docs.push(self.type_note(constant.ty.as_ref()));
        if let Some(value) = &constant.value {
            docs.extend([Doc::Text(" "), self.token("="), self.right_side(value)]);
        }
        docs.push(self.token(";"));
        Doc::concat(docs)
    }

    fn record_type(&mut self, record: &StructItem) -> Doc<'s> {
        let head =
            vec![self.token("struct"), Doc::Text(" "), self.any_token(), self.generics(&record.generics)];
        let open = vec![Doc::Text(" "), self.token("{")];
        let keep_lines = if self.next_starts_line() { Doc::Hard } else { Doc::Nil };
        let open = Doc::concat(vec![Doc::concat(head), Doc::concat(open)]);
        if record.fields.is_empty() {
            return self.empty(open, "}");
        }
        let mut keep_lines = Some(keep_lines);
        self.opened_list(open, &record.fields, "}", Shape::Spaced, |this, field| {
            let keep = keep_lines.take().unwrap_or(Doc::Nil);
            let leads = this.leads(&field.attrs, None);
            let name = this.any_token();
            Doc::concat(vec![keep, leads, name, this.type_note(Some(&field.ty))])
        })
    }

    fn assoc_items(&mut self, items: &[AssocItem]) -> Doc<'s> {
        let open = self.token("{");
        if items.is_empty() {
            return self.empty(open, "}");
        }
        let mut inside = vec![];
        for item in items {
            inside.push(Doc::Hard);
            inside.push(self.blank_before_next());
            inside.push(self.leads(&item.attrs, item.is_pub));
            inside.push(match &item.kind {
                AssocKind::Const(constant) => self.constant(constant),
                AssocKind::Fn(function) => self.function(function),
                AssocKind::Error => Doc::Nil,
            });
        }
        inside.push(self.comments_before_next());
        Doc::concat(vec![open, Doc::indent(inside), Doc::Hard, self.token("}")])
    }

    fn function(&mut self, function: &FnItem) -> Doc<'s> {
        let mut docs = vec![self.token("fn"), Doc::Text(" "), self.any_token()];
        docs.push(self.generics(&function.generics));
        docs.push(self.list("(", &function.params, ")", Shape::Tight, Self::param));
        if let Some(result) = &function.result {
            docs.extend([Doc::Text(" "), self.token("->"), Doc::Text(" "), self.ty(result)]);
        }
        match &function.body {
            None => docs.push(self.token(";")),
            Some(FnBody::Block(block)) => docs.extend([Doc::Text(" "), self.block(block)]),
            Some(FnBody::Expr(body)) => {
                docs.extend([Doc::Text(" "), self.token("=")]);
                let style = match &body.kind {
                    _ if self.has_comments_before_next() => RhsStyle::Next,
                    ExprKind::Block(_) => RhsStyle::Block,
                    ExprKind::Record { .. } => RhsStyle::Delimited,
                    _ => RhsStyle::Next,
                };
                let body = self.expr(body);
                docs.extend([Doc::rhs(style, body), self.token(";")]);
            }
        }
        Doc::concat(docs)
    }

    fn param(&mut self, param: &Param) -> Doc<'s> {
        let mut docs = vec![];
        if param.mutable.is_some() {
            docs.extend([self.token("mut"), Doc::Text(" ")]);
        }
        docs.extend([self.any_token(), self.type_note(param.ty.as_ref())]);
        if let Some(value) = &param.default {
            docs.extend([Doc::Text(" "), self.token("="), Doc::Text(" "), self.expr(value)]);
        }
        Doc::concat(docs)
    }

    fn test(&mut self, head: &'static str, inputs: &[TestInput], body: &Block) -> Doc<'s> {
        let mut docs = vec![self.token(head), Doc::Text(" "), self.any_token(), Doc::Text(" ")];
        if !inputs.is_empty() {
            let mut inside = vec![self.token("for"), Doc::Text(" ")];
            self.elements(&mut inside, inputs, |this, input| {
                let name = this.any_token();
                let kind = match &input.kind {
                    TestInputKind::Typed(ty) => this.type_note(Some(ty)),
                    TestInputKind::In(source) => this.source(source),
                };
                Doc::concat(vec![name, kind])
            });
            docs.extend([Doc::group(vec![Doc::indent(inside)]), Doc::Text(" ")]);
        }
        docs.push(self.block(body));
        Doc::concat(docs)
    }
}
