//! Walks over the typed tree: every expression after its parts, every variable used or bound.

use super::{Atom, Block, Combine, Expr, ExprKind, Local, ReduceOp, ScatterOp, Size, Stmt, StmtKind, Sub};

/// Calls `visit` for every expression inside `expr`, parts first, `expr` last.
pub fn exprs_mut(expr: &mut Expr, visit: &mut dyn FnMut(&mut Expr)) {
    parts_mut(expr, &mut |part| match part {
        PartMut::Expr(expr) => exprs_mut(expr, visit),
        PartMut::Block(block) => block_mut(block, visit),
        PartMut::Stmts(stmts) => stmts.iter_mut().for_each(|stmt| stmt_mut(stmt, visit)),
    });
    visit(expr);
}

/// The same for a block.
pub fn block_mut(block: &mut Block, visit: &mut dyn FnMut(&mut Expr)) {
    block.stmts.iter_mut().for_each(|stmt| stmt_mut(stmt, visit));
    if let Some(value) = &mut block.value {
        exprs_mut(value, visit);
    }
}

/// The same for a statement.
pub fn stmt_mut(stmt: &mut Stmt, visit: &mut dyn FnMut(&mut Expr)) {
    match &mut stmt.kind {
        StmtKind::Let(_, value) | StmtKind::Assign { value, .. } | StmtKind::Expr(value) => {
            exprs_mut(value, visit);
        }
        StmtKind::Check { cond, notes, .. } => {
            exprs_mut(cond, visit);
            notes.iter_mut().for_each(|note| exprs_mut(note, visit));
        }
        StmtKind::For { axis, body } => {
            exprs_mut(&mut axis.count, visit);
            block_mut(body, visit);
        }
        StmtKind::While { cond, body } => {
            exprs_mut(cond, visit);
            block_mut(body, visit);
        }
        StmtKind::Return(returned) => exprs_mut(&mut returned.value, visit),
        StmtKind::Break | StmtKind::Continue => {}
    }
}

enum PartMut<'e> {
    Expr(&'e mut Expr),
    Block(&'e mut Block),
    Stmts(&'e mut Vec<Stmt>),
}

/// The immediate parts of an expression, in order of evaluation.
fn parts_mut(expr: &mut Expr, part: &mut dyn FnMut(PartMut<'_>)) {
    let mut one = |expr: &mut Expr| part(PartMut::Expr(expr));
    match &mut expr.kind {
        ExprKind::Const(_) | ExprKind::Local(_) | ExprKind::Size(_) | ExprKind::Len(..) | ExprKind::Error => {
        }
        ExprKind::Unary(_, a)
        | ExprKind::Convert(a)
        | ExprKind::Bitcast(a)
        | ExprKind::Field(a, _)
        | ExprKind::Reshape(a) => one(a),
        ExprKind::Binary(_, a, b, _) | ExprKind::Compare(_, a, b) => {
            one(a);
            one(b);
        }
        ExprKind::Fma(a, b, c) | ExprKind::Select(a, b, c) => {
            one(a);
            one(b);
            one(c);
        }
        ExprKind::Tuple(parts) | ExprKind::Array(parts) | ExprKind::Pending(_, parts) => {
            parts.iter_mut().for_each(one);
        }
        ExprKind::Build { body, .. } => one(body),
        ExprKind::Index { base, subs } => {
            one(base);
            subs.iter_mut().for_each(|sub| one(&mut sub.index));
        }
        ExprKind::Reduce { op, axis, mask, body } => {
            one(&mut axis.count);
            if let ReduceOp::Combine { empty, combine, .. } = op {
                one(empty);
                one(&mut combine.body);
            }
            mask.iter_mut().for_each(|mask| one(mask));
            one(body);
        }
        ExprKind::Dot { axes, a, b } => {
            axes.iter_mut().for_each(|axis| one(&mut axis.count));
            one(a);
            one(b);
        }
        ExprKind::DotBy { axes, zero, body, step, join } => {
            axes.iter_mut().for_each(|axis| one(&mut axis.count));
            one(zero);
            one(body);
            one(&mut step.body);
            one(&mut join.body);
        }
        ExprKind::Scan { init, body, combine, .. } => {
            one(init);
            one(body);
            one(&mut combine.body);
        }
        ExprKind::Scatter { op, dest, axis, mask, prelude, subs, value } => {
            one(dest);
            one(&mut axis.count);
            if let ScatterOp::Combine { combine, .. } = op {
                one(&mut combine.body);
            }
            mask.iter_mut().for_each(|mask| one(mask));
            part(PartMut::Stmts(prelude));
            subs.iter_mut().for_each(|sub| part(PartMut::Expr(&mut sub.index)));
            part(PartMut::Expr(value));
        }
        ExprKind::Update { dest, axes, mask, prelude, subs, value } => {
            one(dest);
            axes.iter_mut().for_each(|axis| one(&mut axis.count));
            mask.iter_mut().for_each(|mask| one(mask));
            part(PartMut::Stmts(prelude));
            subs.iter_mut().for_each(|sub| part(PartMut::Expr(&mut sub.index)));
            part(PartMut::Expr(value));
        }
        ExprKind::If { cond, then, otherwise } => {
            one(cond);
            part(PartMut::Block(then));
            part(PartMut::Block(otherwise));
        }
        ExprKind::Block(block) => part(PartMut::Block(block)),
        ExprKind::Call { args, .. } => args.iter_mut().for_each(one),
    }
}

/// Calls `used` for every variable an expression mentions (in sizes of types too) and `bound` for
/// every one it binds.
pub fn locals(expr: &Expr, used: &mut dyn FnMut(Local), bound: &mut dyn FnMut(Local)) {
    let mut walker = Locals { used, bound };
    walker.expr(expr);
}

struct Locals<'f> {
    used: &'f mut dyn FnMut(Local),
    bound: &'f mut dyn FnMut(Local),
}

impl Locals<'_> {
    fn size(&mut self, size: &Size) {
        size.for_each_atom(&mut |atom| {
            if let Atom::Local(local) = atom {
                (self.used)(*local);
            }
        });
    }

    fn combine(&mut self, combine: &Combine) {
        (self.bound)(combine.a);
        (self.bound)(combine.b);
        self.expr(&combine.body);
    }

    fn subs(&mut self, subs: &[Sub]) {
        subs.iter().for_each(|sub| self.expr(&sub.index));
    }

    fn expr(&mut self, expr: &Expr) {
        expr.ty.for_each_size(&mut |size| self.size(size));
        match &expr.kind {
            ExprKind::Const(_) | ExprKind::Error => {}
            ExprKind::Local(local) | ExprKind::Len(local, _) => (self.used)(*local),
            ExprKind::Size(size) => self.size(size),
            ExprKind::Unary(_, a)
            | ExprKind::Convert(a)
            | ExprKind::Bitcast(a)
            | ExprKind::Field(a, _)
            | ExprKind::Reshape(a) => self.expr(a),
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
            ExprKind::Build { axes, body, .. } => {
                for axis in axes {
                    (self.bound)(axis.index);
                    self.size(&axis.size);
                }
                self.expr(body);
            }
            ExprKind::Index { base, subs } => {
                self.expr(base);
                self.subs(subs);
            }
            ExprKind::Reduce { op, axis, mask, body } => {
                (self.bound)(axis.index);
                self.expr(&axis.count);
                if let ReduceOp::Combine { empty, combine, .. } = op {
                    self.expr(empty);
                    self.combine(combine);
                }
                mask.iter().for_each(|mask| self.expr(mask));
                self.expr(body);
            }
            ExprKind::Dot { axes, a, b } => {
                for axis in axes {
                    (self.bound)(axis.index);
                    self.expr(&axis.count);
                }
                self.expr(a);
                self.expr(b);
            }
            ExprKind::DotBy { axes, zero, body, step, join } => {
                for axis in axes {
                    (self.bound)(axis.index);
                    self.expr(&axis.count);
                }
                self.expr(zero);
                self.expr(body);
                (self.bound)(step.acc);
                (self.bound)(step.elem);
                self.expr(&step.body);
                self.combine(join);
            }
            ExprKind::Scan { axis, init, body, combine, .. } => {
                (self.bound)(axis.index);
                self.size(&axis.size);
                self.expr(init);
                self.expr(body);
                self.combine(combine);
            }
            ExprKind::Scatter { op, dest, axis, mask, prelude, subs, value } => {
                (self.bound)(axis.index);
                self.expr(dest);
                self.expr(&axis.count);
                if let ScatterOp::Combine { combine, .. } = op {
                    self.combine(combine);
                }
                mask.iter().for_each(|mask| self.expr(mask));
                self.stmts(prelude);
                self.subs(subs);
                self.expr(value);
            }
            ExprKind::Update { dest, axes, mask, prelude, subs, value } => {
                self.expr(dest);
                for axis in axes {
                    (self.bound)(axis.index);
                    self.expr(&axis.count);
                }
                mask.iter().for_each(|mask| self.expr(mask));
                self.stmts(prelude);
                self.subs(subs);
                self.expr(value);
            }
            ExprKind::If { cond, then, otherwise } => {
                self.expr(cond);
                self.block(then);
                self.block(otherwise);
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::Call { sizes, args, fresh, .. } => {
                sizes.iter().for_each(|size| self.size(size));
                args.iter().for_each(|arg| self.expr(arg));
                fresh.iter().for_each(|local| (self.bound)(*local));
            }
        }
    }

    fn block(&mut self, block: &Block) {
        self.stmts(&block.stmts);
        block.value.iter().for_each(|value| self.expr(value));
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            match &stmt.kind {
                StmtKind::Let(local, value) => {
                    self.expr(value);
                    (self.bound)(*local);
                }
                StmtKind::Assign { local, value, .. } => {
                    (self.used)(*local);
                    self.expr(value);
                }
                StmtKind::Expr(value) => self.expr(value),
                StmtKind::Check { cond, notes, .. } => {
                    self.expr(cond);
                    notes.iter().for_each(|note| self.expr(note));
                }
                StmtKind::For { axis, body } => {
                    (self.bound)(axis.index);
                    self.expr(&axis.count);
                    self.block(body);
                }
                StmtKind::While { cond, body } => {
                    self.expr(cond);
                    self.block(body);
                }
                StmtKind::Return(returned) => {
                    returned.fresh.iter().for_each(|size| self.size(size));
                    self.expr(&returned.value);
                }
                StmtKind::Break | StmtKind::Continue => {}
            }
        }
    }
}
