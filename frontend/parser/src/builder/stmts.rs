//! Constructors of blocks, statements, patterns and places.

use super::Builder;
use crate::ast::*;
use crate::messages;
use we3_ir::span::Span;

/// A part of a block, before it is clear which expression is the block's value.
pub(crate) enum Piece {
    /// A whole statement.
    Stmt(Stmt),
    /// An `if` or block without `;`: the value if it comes last.
    BlockLike(Expr),
    /// The last expression.
    Value(Expr),
    /// A lone `;`.
    Empty(Span),
}

/// Collects the pieces of a block.
#[derive(Default)]
struct Pieces {
    stmts: Vec<Stmt>,
    /// An `if` or block that is a statement, should anything follow.
    pending: Option<Expr>,
}

impl Pieces {
    fn flush(&mut self) {
        if let Some(expr) = self.pending.take() {
            let span = expr.span;
            self.stmts.push(Stmt { attrs: vec![], kind: StmtKind::Expr(expr), span });
        }
    }
}

impl Builder<'_> {
    pub(crate) fn stmt(&self, l: u32, attrs: Vec<Attr>, kind: StmtKind, r: u32) -> Piece {
        Piece::Stmt(Stmt { attrs, kind, span: self.span(l, r) })
    }

    pub(crate) fn block(&self, l: u32, pieces: Vec<Piece>, tail: Option<Piece>, r: u32) -> Block {
        let mut collected = Pieces::default();
        for piece in pieces.into_iter().chain(tail) {
            self.add_piece(&mut collected, piece);
        }
        let value = collected.pending.take().map(Box::new);
        Block { attrs: vec![], stmts: collected.stmts, value, span: self.span(l, r) }
    }

    fn add_piece(&self, pieces: &mut Pieces, piece: Piece) {
        let ends_block_like = matches!(piece, Piece::Empty(_)) && pieces.pending.is_some();
        pieces.flush();
        match piece {
            Piece::Stmt(stmt) => pieces.stmts.push(stmt),
            Piece::BlockLike(expr) | Piece::Value(expr) => pieces.pending = Some(expr),
            Piece::Empty(span) if ends_block_like => {
                if let Some(last) = pieces.stmts.last_mut() {
                    last.span = last.span.to(span);
                }
            }
            Piece::Empty(span) => self.report(messages::lone_semicolon(span)),
        }
    }

    pub(crate) fn assign(&self, place: Expr, value: Expr) -> StmtKind {
        StmtKind::Assign { place: self.place(place), op: None, value }
    }

    pub(crate) fn update(&self, place: Expr, op: BinOp, value: Expr) -> StmtKind {
        StmtKind::Assign { place: self.place(place), op: Some(op), value }
    }

    /// The place an expression on the left of `=` stands for.
    fn place(&self, expr: Expr) -> Place {
        let span = expr.span;
        match self.place_kind(expr) {
            Ok(kind) => Place { kind, span },
            Err(at) => {
                self.report(messages::not_a_place(at));
                Place { kind: PlaceKind::Error, span }
            }
        }
    }

    fn place_kind(&self, expr: Expr) -> Result<PlaceKind, Span> {
        let mut expr = expr;
        let mut steps = vec![];
        loop {
            match expr.kind {
                ExprKind::Field { base, field } => {
                    steps.push(PlaceStep::Field(field));
                    expr = *base;
                }
                ExprKind::Index { base, subscripts } => {
                    let span = self.span(base.span.hi, expr.span.hi);
                    steps.push(PlaceStep::Index { subscripts, span });
                    expr = *base;
                }
                ExprKind::Tuple(parts) if steps.is_empty() && !parts.is_empty() => {
                    let places = parts.into_iter().map(|part| self.place(part));
                    return Ok(PlaceKind::Tuple(places.collect()));
                }
                ExprKind::Path(path) => {
                    let name = path.as_name().cloned().ok_or(path.span)?;
                    steps.reverse();
                    return Ok(PlaceKind::Var { name, steps });
                }
                ExprKind::Error => return Ok(PlaceKind::Error),
                ExprKind::Int(_)
                | ExprKind::Float(_)
                | ExprKind::Bool(_)
                | ExprKind::Str(_)
                | ExprKind::Operator(_)
                | ExprKind::Unary { .. }
                | ExprKind::Binary { .. }
                | ExprKind::Cast { .. }
                | ExprKind::Call { .. }
                | ExprKind::Paren(_)
                | ExprKind::Tuple(_)
                | ExprKind::Array(_)
                | ExprKind::Comprehension { .. }
                | ExprKind::Record { .. }
                | ExprKind::If { .. }
                | ExprKind::Block(_)
                | ExprKind::Lambda { .. }
                | ExprKind::Precompute(_) => return Err(expr.span),
            }
        }
    }

    pub(crate) fn name_pattern(&self, l: u32, mutable: Option<Span>, name: Name, r: u32) -> Pattern {
        Pattern { kind: PatternKind::Name { mutable, name }, span: self.span(l, r) }
    }

    pub(crate) fn wildcard(&self, l: u32, r: u32) -> Pattern {
        Pattern { kind: PatternKind::Wildcard, span: self.span(l, r) }
    }

    pub(crate) fn tuple_pattern(&self, l: u32, parts: Vec<Pattern>, r: u32) -> Pattern {
        Pattern { kind: PatternKind::Tuple(parts), span: self.span(l, r) }
    }
}
