//! What a piece of code may do to the state around it: which variables it assigns, how it may leave.

use std::collections::BTreeSet;

use crate::typed::{Block, Expr, ExprKind, Local, Returned, Stmt, StmtKind};

/// Effects of a piece of code on the state of its region.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Variables assigned, also such as are bound inside.
    pub assigned: BTreeSet<Local>,
    /// It may `break` out of a loop around it.
    pub breaks: bool,
    /// It may `continue` a loop around it.
    pub continues: bool,
    /// It may return.
    pub returns: bool,
}

impl Effects {
    /// Whether control may leave before the end.
    pub fn exits(&self) -> bool {
        self.breaks || self.continues || self.returns
    }

    /// Effects of a block.
    pub fn of_block(block: &Block) -> Effects {
        let mut effects = Effects::default();
        effects.block(block);
        effects
    }

    /// Effects of statements.
    pub fn of_stmts(stmts: &[Stmt]) -> Effects {
        let mut effects = Effects::default();
        stmts.iter().for_each(|stmt| effects.stmt(stmt));
        effects
    }

    /// Effects of one statement.
    pub fn of_stmt(stmt: &Stmt) -> Effects {
        let mut effects = Effects::default();
        effects.stmt(stmt);
        effects
    }

    /// Effects of an expression.
    pub fn of_expr(expr: &Expr) -> Effects {
        let mut effects = Effects::default();
        effects.expr(expr);
        effects
    }

    fn block(&mut self, block: &Block) {
        block.stmts.iter().for_each(|stmt| self.stmt(stmt));
        if let Some(value) = &block.value {
            self.expr(value);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let(_, value) | StmtKind::Expr(value) => self.expr(value),
            StmtKind::Assign { local, value, .. } => {
                self.assigned.insert(*local);
                self.expr(value);
            }
            StmtKind::Check { cond, notes, .. } => {
                self.expr(cond);
                notes.iter().for_each(|note| self.expr(note));
            }
            StmtKind::For { axis, body } => {
                self.expr(&axis.count);
                self.loop_body(body);
            }
            StmtKind::While { cond, body } => {
                self.expr(cond);
                self.loop_body(body);
            }
            StmtKind::Break => self.breaks = true,
            StmtKind::Continue => self.continues = true,
            StmtKind::Return(Returned { value, .. }) => {
                self.expr(value);
                self.returns = true;
            }
        }
    }

    fn loop_body(&mut self, body: &Block) {
        let inner = Effects::of_block(body);
        self.assigned.extend(inner.assigned);
        self.returns |= inner.returns;
    }

    /// Only forms whose operands are evaluated in the same region matter: the bodies of array forms
    /// neither assign variables of the region around them nor leave it.
    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Const(_)
            | ExprKind::Local(_)
            | ExprKind::Size(_)
            | ExprKind::Len(..)
            | ExprKind::Error => {}
            ExprKind::Unary(_, a)
            | ExprKind::Convert(a)
            | ExprKind::Bitcast(a)
            | ExprKind::Field(a, _)
            | ExprKind::Reshape(a) => {
                self.expr(a);
            }
            ExprKind::Binary(_, a, b, _) | ExprKind::Compare(_, a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Fma(a, b, c) | ExprKind::Select(a, b, c) => {
                self.expr(a);
                self.expr(b);
                self.expr(c);
            }
            ExprKind::Tuple(parts) | ExprKind::Array(parts) | ExprKind::Pending(_, parts) => {
                parts.iter().for_each(|part| self.expr(part));
            }
            ExprKind::Index { base, subs } => {
                self.expr(base);
                subs.iter().for_each(|sub| self.expr(&sub.index));
            }
            ExprKind::If { cond, then, otherwise } => {
                self.expr(cond);
                self.block(then);
                self.block(otherwise);
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::Call { args, .. } => args.iter().for_each(|arg| self.expr(arg)),
            ExprKind::Scatter { dest, .. } => self.expr(dest),
            ExprKind::Update { dest, axes, subs, value, prelude, .. } => {
                self.expr(dest);
                if axes.is_empty() {
                    prelude.iter().for_each(|stmt| self.stmt(stmt));
                    subs.iter().for_each(|sub| self.expr(&sub.index));
                    self.expr(value);
                }
            }
            ExprKind::Reduce { axis, .. } => self.expr(&axis.count),
            ExprKind::Dot { axes, .. } => axes.iter().for_each(|axis| self.expr(&axis.count)),
            ExprKind::DotBy { axes, zero, .. } => {
                axes.iter().for_each(|axis| self.expr(&axis.count));
                self.expr(zero);
            }
            ExprKind::Scan { init, .. } => self.expr(init),
            ExprKind::Build { .. } => {}
        }
    }
}
