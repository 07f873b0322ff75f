//! Blocks, statements, patterns and places.

use super::doc::Doc;
use super::lists::Shape;
use super::tokens::Formatter;
use crate::ast::*;
use crate::token::TokenKind as T;

impl<'s> Formatter<'s> {
    /// A block with its own decision whether to break.
    pub(super) fn block(&mut self, block: &Block) -> Doc<'s> {
        Doc::group(vec![self.open_block(block)])
    }

    /// A block that breaks if the group around it does. A block whose `{` ended its line stays
    /// broken; one that was on a line stays there if it fits.
    pub(super) fn open_block(&mut self, block: &Block) -> Doc<'s> {
        let mut attrs = vec![];
        for attr in &block.attrs {
            attrs.extend([self.attr(attr), Doc::Text(" ")]);
        }
        let open = Doc::concat(vec![Doc::concat(attrs), self.token("{")]);
        let empty = block.stmts.is_empty() && block.value.is_none();
        let keep_lines = self.next_starts_line() && (!empty || self.has_comments_before_next());
        let mut inside = vec![if keep_lines { Doc::Hard } else { Doc::Nil }, self.surplus_semicolons()];
        for stmt in &block.stmts {
            inside.extend([Doc::Line, self.blank_before_next(), self.stmt(stmt), self.surplus_semicolons()]);
        }
        if let Some(value) = &block.value {
            inside.extend([Doc::Line, self.blank_before_next(), self.expr(value)]);
        }
        inside.push(self.comments_before_next());
        let edge = if empty { Doc::Soft } else { Doc::Line };
        Doc::concat(vec![open, Doc::indent(inside), edge, self.token("}")])
    }

    fn stmt(&mut self, stmt: &Stmt) -> Doc<'s> {
        let mut attrs = vec![];
        for attr in &stmt.attrs {
            attrs.extend([self.attr(attr), Doc::Hard]);
        }
        let attrs = Doc::concat(attrs);
        let whole = match &stmt.kind {
            StmtKind::Let { pattern, ty, value } => {
                let head = vec![self.token("let"), Doc::Text(" "), self.pattern(pattern)];
                let ty = self.type_note(ty.as_ref());
                let sign = vec![Doc::Text(" "), self.token("="), self.right_side(value)];
                Doc::concat(vec![Doc::concat(head), ty, Doc::concat(sign), self.token(";")])
            }
            StmtKind::Assign { place, value, .. } => {
                let place = self.place(place);
                let sign = vec![Doc::Text(" "), self.any_token(), self.right_side(value)];
                Doc::concat(vec![place, Doc::concat(sign), self.token(";")])
            }
            StmtKind::While { cond, body } => {
                let head = vec![self.token("while"), Doc::Text(" "), self.expr(cond), Doc::Text(" ")];
                Doc::concat(vec![Doc::concat(head), self.block(body)])
            }
            StmtKind::For { clause, body } => {
                let head = vec![self.clause(clause), Doc::Text(" ")];
                Doc::concat(vec![Doc::group(head), self.block(body)])
            }
            StmtKind::Break => self.leaving("break", None),
            StmtKind::Continue => self.leaving("continue", None),
            StmtKind::Return(value) => self.leaving("return", value.as_ref()),
            StmtKind::Assert { cond, message } => {
                let head = self.token("assert");
                let parts = [Some(cond), None];
                let parts = if message.is_some() { &parts[..] } else { &parts[..1] };
                let args = self.list("(", parts, ")", Shape::Tight, |this, part| match part {
                    Some(cond) => this.expr(cond),
                    None => this.any_token(),
                });
                Doc::concat(vec![head, args, self.semicolon()])
            }
            StmtKind::Expr(expr) => {
                let expr = self.expr(expr);
                let end = if self.peek() == T::Semi { self.token(";") } else { Doc::Nil };
                Doc::concat(vec![expr, end])
            }
            StmtKind::Error => Doc::Nil,
        };
        Doc::concat(vec![attrs, whole])
    }

    fn leaving(&mut self, word: &'static str, value: Option<&Expr>) -> Doc<'s> {
        let mut docs = vec![self.token(word)];
        if let Some(value) = value {
            docs.push(Doc::Text(" "));
            docs.push(self.expr(value));
        }
        docs.push(self.semicolon());
        Doc::concat(docs)
    }

    /// The `;` behind the last statement of a block, written or not.
    fn semicolon(&mut self) -> Doc<'s> {
        if self.peek() == T::Semi { self.token(";") } else { Doc::Text(";") }
    }

    pub(super) fn pattern(&mut self, pattern: &Pattern) -> Doc<'s> {
        match &pattern.kind {
            PatternKind::Name { mutable: None, .. } | PatternKind::Wildcard => self.any_token(),
            PatternKind::Name { mutable: Some(_), .. } => {
                Doc::concat(vec![self.token("mut"), Doc::Text(" "), self.any_token()])
            }
            PatternKind::Tuple(parts) if parts.len() == 1 => {
                let open = self.token("(");
                let part = self.pattern(&parts[0]);
                Doc::concat(vec![open, part, self.no_trailing_comma(), self.token(")")])
            }
            PatternKind::Tuple(parts) => self.list("(", parts, ")", Shape::Tight, Self::pattern),
            PatternKind::Error => Doc::Nil,
        }
    }

    fn place(&mut self, place: &Place) -> Doc<'s> {
        match &place.kind {
            PlaceKind::Var { steps, .. } => {
                let mut docs = vec![self.any_token()];
                docs.extend(steps.iter().map(|step| match step {
                    PlaceStep::Field(field) => self.field(field),
                    PlaceStep::Index { subscripts, .. } => {
                        self.list("[", subscripts, "]", Shape::TightNoComma, Self::subscript)
                    }
                }));
                Doc::concat(docs)
            }
            PlaceKind::Tuple(places) => self.tuple(places, Self::place),
            PlaceKind::Error => Doc::Nil,
        }
    }
}
