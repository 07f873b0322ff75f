//! `while` and `for`: bodies, unrolling, what ends a round early.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::{self, PatternKind, StmtKind as Ast};

use super::stmt::assigned_names;
use super::{Around, Body};
use crate::codes;
use crate::typed::{Block, Expr, ExprKind, LoopAxis, Size, Stmt, StmtKind, Type};

impl<'a> Body<'_, 'a, '_> {
    pub fn while_stmt(&mut self, cond: &'a ast::Expr, body: &'a ast::Block, span: Span, out: &mut Vec<Stmt>) {
        let names = assigned_names(body);
        let cond = self.in_region(|checker| {
            let mut pre = Vec::new();
            checker.refresh_open(&names, &mut pre, span);
            let cond = checker.expr(cond, Some(&Type::BOOL));
            let cond = checker.condition(cond);
            checker.wrap(pre, cond)
        });
        let round = Round { filter: None, body };
        let block = self.loop_body(&names, round, span, &mut |_, _| {});
        if cond.ty != Type::Error {
            out.push(Stmt { kind: StmtKind::While { cond, body: block }, span });
        }
        self.refresh_open(&names, out, span);
    }

    /// The body of a loop: a region in which open variables have unknown sizes at the start.
    fn loop_body(
        &mut self,
        names: &[String],
        round: Round<'a>,
        span: Span,
        prepare: &mut dyn FnMut(&mut Self, &mut Vec<Stmt>),
    ) -> Block {
        self.in_region(|checker| {
            checker.in_scope(|checker| {
                let depth = checker.depth;
                checker.around.push((Around::Loop, depth));
                let mut stmts = Vec::new();
                checker.refresh_open(names, &mut stmts, span);
                prepare(checker, &mut stmts);
                checker.round(round, span, &mut stmts);
                checker.around.pop();
                Block { stmts, value: None }
            })
        })
    }

    /// What a loop does each time: its body, if the filter lets it.
    fn round(&mut self, round: Round<'a>, span: Span, stmts: &mut Vec<Stmt>) {
        let Some(filter) = round.filter else {
            self.loop_block(round.body, stmts);
            return;
        };
        let cond = self.expr(filter, Some(&Type::BOOL));
        let cond = self.condition(cond);
        // As with `if`: what is known at compile time is not there when it runs.
        if let Some(known) = self.fold(&cond) {
            if known.bits != 0 {
                self.loop_block(round.body, stmts);
            }
            return;
        }
        let then = self.in_region(|checker| {
            checker.in_scope(|checker| {
                let mut stmts = Vec::new();
                checker.loop_block(round.body, &mut stmts);
                Block { stmts, value: None }
            })
        });
        if cond.ty != Type::Error {
            let kind = ExprKind::If { cond: Box::new(cond), then: Box::new(then), otherwise: Box::default() };
            let choice = Expr { kind, ty: Type::UNIT, span };
            stmts.push(Stmt { kind: StmtKind::Expr(choice), span });
        }
    }

    fn loop_block(&mut self, body: &'a ast::Block, stmts: &mut Vec<Stmt>) {
        let inner = self.block(body, None);
        stmts.extend(inner.stmts);
        let Some(value) = inner.value else { return };
        if value.ty != Type::UNIT && value.ty != Type::Error {
            let shown = self.show(&value.ty);
            self.cx.report(
                Diagnostic::error(
                    codes::TYPE_MISMATCH,
                    value.span,
                    format!("a loop's body has no value, this is `{shown}`"),
                )
                .with_note("assign it to a `mut` variable declared before the loop, or end it with `;`"),
            );
        }
        let span = value.span;
        stmts.push(Stmt { kind: StmtKind::Expr(*value), span });
    }

    pub fn for_stmt(
        &mut self,
        clause: &'a ast::ForClause,
        body: &'a ast::Block,
        unroll: bool,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let names = assigned_names(body);
        if unroll && self.unrolled_for(clause, body, span, out) {
            return;
        }
        let round = Round { filter: clause.filter.as_ref(), body };
        self.nested_for(&clause.binders, &names, round, span, out);
        self.refresh_open(&names, out, span);
    }

    /// `#[unroll] for i in 0..N` with a range known at compile time: the body once for each value, so
    /// that the binder is a constant. False: it is an ordinary loop with a hint.
    fn unrolled_for(
        &mut self,
        clause: &'a ast::ForClause,
        body: &'a ast::Block,
        span: Span,
        out: &mut Vec<Stmt>,
    ) -> bool {
        let [binder] = clause.binders.as_slice() else { return false };
        let (PatternKind::Name { mutable: None, name }, Some(ast::Source::Range(range))) =
            (&binder.pattern.kind, &binder.source)
        else {
            return false;
        };
        if range.step.is_some() || contains_jump(body) {
            return false;
        }
        let (errors, pre) = (self.cx.errors, self.type_pre.len());
        self.cx.quiet += 1;
        let bounds = [&range.lo, &range.hi].map(|bound| {
            let value = self.expr(bound, Some(&Type::I64));
            self.fold(&value).map(crate::typed::const_as_i64)
        });
        self.cx.quiet -= 1;
        self.cx.errors = errors;
        self.type_pre.truncate(pre);
        let [Some(lo), Some(hi)] = bounds else { return false };
        if hi.saturating_sub(lo) > 256 {
            return false;
        }
        let values: Vec<i64> = if range.reversed { (lo..hi).rev().collect() } else { (lo..hi).collect() };
        for value in values {
            self.in_scope(|checker| {
                let local = checker.new_local(&name.text, Type::I64, name.span);
                let size = Size::constant(value);
                let data = checker.local_mut(local);
                data.size = Some(size.clone());
                data.constant = Some(crate::check::consts::const_of_i64(value, we3_ir::types::Scalar::I64));
                data.used = true;
                checker.bind_name(&name.text, local);
                let value = checker.size_expr(size, name.span);
                out.push(Stmt { kind: StmtKind::Let(local, value), span });
                let round = Round { filter: clause.filter.as_ref(), body };
                checker.round(round, span, out);
            });
            if clause.filter.is_some() {
                self.refresh_open(&assigned_names(body), out, span);
            }
        }
        true
    }

    /// One loop per binder, the first outermost.
    fn nested_for(
        &mut self,
        binders: &'a [ast::Binder],
        names: &[String],
        round: Round<'a>,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let Some((binder, rest)) = binders.split_first() else { return };
        let Some(domain) = self.domain(binder, None, false) else {
            // Check the body all the same, with the name known.
            self.in_scope(|checker| {
                checker.bind_unknown(&binder.pattern);
                checker.loop_body(names, round, span, &mut |_, _| {});
            });
            return;
        };
        out.extend(domain.pre.iter().cloned());
        let count = domain.count.clone();
        let mut index = None;
        let block = if rest.is_empty() {
            self.loop_body(names, round, span, &mut |checker, stmts| {
                index = Some(checker.enter_domain(&domain, binder, stmts));
            })
        } else {
            self.in_region(|checker| {
                checker.in_scope(|checker| {
                    let mut stmts = Vec::new();
                    checker.refresh_open(names, &mut stmts, span);
                    index = Some(checker.enter_domain(&domain, binder, &mut stmts));
                    checker.nested_for(rest, names, round, span, &mut stmts);
                    Block { stmts, value: None }
                })
            })
        };
        if let Some(index) = index {
            let axis = LoopAxis { index, count: Box::new(count) };
            out.push(Stmt { kind: StmtKind::For { axis, body: block }, span });
        }
        if !rest.is_empty() && contains_break(round.body) {
            self.cx.report(
                Diagnostic::error(
                    codes::OUTSIDE_LOOP,
                    span,
                    "`break` in a loop of several binders is ambiguous",
                )
                .with_note("write one `for` inside the other"),
            );
        }
    }

    pub fn leave(&mut self, kind: StmtKind, word: &str, span: Span, out: &mut Vec<Stmt>) {
        match self.around.last() {
            Some((Around::Loop, _)) => out.push(Stmt { kind, span }),
            Some((Around::ArrayForm, _)) => self.cx.report(
                Diagnostic::error(codes::OUTSIDE_LOOP, span, format!("`{word}` cannot leave an array form"))
                    .with_note("the elements of an array form are independent; use a `for` statement for sequential code"),
            ),
            None => self.cx.report(Diagnostic::error(
                codes::OUTSIDE_LOOP,
                span,
                format!("`{word}` stands in no loop"),
            )),
        }
    }
}

/// What a loop does each time.
#[derive(Clone, Copy)]
struct Round<'a> {
    filter: Option<&'a ast::Expr>,
    body: &'a ast::Block,
}

fn contains_jump(block: &ast::Block) -> bool {
    let mut stmts = block.stmts.iter();
    stmts.any(|stmt| {
        matches!(&stmt.kind, Ast::Break | Ast::Continue)
            || matches!(&stmt.kind, Ast::Expr(expr) if expr_contains_jump(expr))
    }) || block.value.as_deref().is_some_and(expr_contains_jump)
}

fn expr_contains_jump(expr: &ast::Expr) -> bool {
    if let ast::ExprKind::If { then, otherwise, .. } = &expr.kind {
        contains_jump(then) || otherwise.as_deref().is_some_and(expr_contains_jump)
    } else {
        matches!(&expr.kind, ast::ExprKind::Block(block) if contains_jump(block))
    }
}

fn contains_break(block: &ast::Block) -> bool {
    block.stmts.iter().any(|stmt| {
        matches!(&stmt.kind, Ast::Break) || matches!(&stmt.kind, Ast::Expr(expr) if expr_contains_break(expr))
    })
}

fn expr_contains_break(expr: &ast::Expr) -> bool {
    if let ast::ExprKind::If { then, otherwise, .. } = &expr.kind {
        contains_break(then) || otherwise.as_deref().is_some_and(expr_contains_break)
    } else {
        matches!(&expr.kind, ast::ExprKind::Block(block) if contains_break(block))
    }
}
