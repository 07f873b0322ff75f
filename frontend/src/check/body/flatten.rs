//! A clause with several binders as one axis: `scatter`, `put`, filtered array forms and scans walk all
//! combinations, the last binder fastest, by one number.

use we3_ir::op::{BinaryOp, CompareOp};
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast::Child;
use we3_parser::ast::{self, Pattern, PatternKind};

use super::Body;
use super::clause::Domain;
use crate::typed::{Axis, Expr, ExprKind, Local, LoopAxis, ReduceOp, Size, Stmt, StmtKind, Sub, Type};

/// All binders of a clause as one axis.
pub struct Flat<'a> {
    levels: Vec<Level<'a>>,
    /// How many combinations there are.
    pub total: Size,
    /// The same as a value.
    pub count: Expr,
}

struct Level<'a> {
    binder: &'a ast::Binder,
    range: Range,
}

/// How many values a binder takes.
enum Range {
    /// As many for each combination of the earlier ones; `width` is that number, but at least 1.
    Same { domain: Box<Domain>, width: Box<Expr> },
    /// Another number for each: which combination a position belongs to, and where that one starts.
    Own { rows: Local, starts: Local },
}

impl<'a> Body<'_, 'a, '_> {
    /// Numbers the combinations; what is evaluated once goes into `pre`. `None` after a report.
    pub fn flatten(
        &mut self,
        binders: &'a [ast::Binder],
        bodies: &[&'a ast::Expr],
        array_form: bool,
        pre: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<Flat<'a>> {
        let mut flat = self.no_levels(span);
        for (at, binder) in binders.iter().enumerate() {
            if uses_any(binder, &binders[..at]) {
                self.flatten_own(&mut flat, binder, bodies, pre, span)?;
            } else {
                let domain = self.domain(binder, Some(bodies), array_form)?;
                self.add_level(&mut flat, binder, domain, binders.len() == 1, pre, span);
            }
        }
        Some(flat)
    }

    /// The same for domains that do not depend on each other.
    pub fn flatten_domains(
        &mut self,
        binders: &'a [ast::Binder],
        domains: Vec<Domain>,
        pre: &mut Vec<Stmt>,
        span: Span,
    ) -> Flat<'a> {
        let mut flat = self.no_levels(span);
        for (binder, domain) in binders.iter().zip(domains) {
            self.add_level(&mut flat, binder, domain, binders.len() == 1, pre, span);
        }
        flat
    }

    fn no_levels(&self, span: Span) -> Flat<'a> {
        Flat { levels: Vec::new(), total: Size::constant(1), count: self.int(1, span) }
    }

    fn add_level(
        &mut self,
        flat: &mut Flat<'a>,
        binder: &'a ast::Binder,
        domain: Domain,
        only: bool,
        pre: &mut Vec<Stmt>,
        span: Span,
    ) {
        pre.extend(domain.pre.iter().cloned());
        let size = domain.size.clone().unwrap_or_default();
        if only {
            flat.count = domain.count.clone();
            flat.total = size;
            flat.levels.push(Level {
                binder,
                range: Range::Same { domain: Box::new(domain), width: Box::new(self.int(1, span)) },
            });
            return;
        }
        let size = if self.size_nonneg(&size) { size } else { size.max_with(&Size::constant(0)) };
        // At least 1, so that dividing by it is harmless.
        let width = self.size_expr(size.max_with(&Size::constant(1)), span);
        let width = self.hoist(pre, width, "width");
        flat.total = flat.total.times(&size);
        flat.count = self.size_expr(flat.total.clone(), span);
        flat.levels
            .push(Level { binder, range: Range::Same { domain: Box::new(domain), width: Box::new(width) } });
    }

    /// Inside the region: the index of the axis, with all binders bound in `stmts`.
    pub fn enter_flat(
        &mut self,
        flat: &Flat<'a>,
        bodies: &[&'a ast::Expr],
        stmts: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<Local> {
        if let [Level { binder, range: Range::Same { domain, .. } }] = flat.levels.as_slice() {
            return Some(self.enter_domain(domain, binder, stmts));
        }
        let index = self.hidden_index("at", Some(flat.total.clone()), span);
        let mut at = self.read(index, span);
        let mut counters = Vec::new();
        for (number, level) in flat.levels.iter().enumerate().rev() {
            let (counter, outer) = match &level.range {
                Range::Same { .. } if number == 0 => (at.clone(), at),
                Range::Same { width, .. } => {
                    (binary(BinaryOp::Rem, &at, width, span), binary(BinaryOp::Div, &at, width, span))
                }
                Range::Own { rows, starts } => {
                    let row = self.read_at(*rows, at.clone(), span);
                    let row = self.hoist(stmts, row, "row");
                    let start = self.read_at(*starts, row.clone(), span);
                    (binary(BinaryOp::Sub, &at, &start, span), row)
                }
            };
            counters.push(counter);
            at = self.hoist(stmts, outer, "outer");
        }
        for (level, counter) in flat.levels.iter().zip(counters.into_iter().rev()) {
            let own;
            let domain = match &level.range {
                Range::Same { domain, .. } => domain,
                Range::Own { .. } => {
                    own = self.domain(level.binder, Some(bodies), false)?;
                    stmts.extend(own.pre.iter().cloned());
                    &own
                }
            };
            let place = stmts.len();
            let local = self.enter_domain(domain, level.binder, stmts);
            stmts.insert(place, Stmt { kind: StmtKind::Let(local, counter), span });
        }
        Some(index)
    }

    /// A binder whose range uses earlier ones: its number of values is counted for each of their combinations.
    fn flatten_own(
        &mut self,
        flat: &mut Flat<'a>,
        binder: &'a ast::Binder,
        bodies: &[&'a ast::Expr],
        pre: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<()> {
        let outer = flat.total.clone();
        let counts = self.counts(flat, binder, bodies, span)?;
        let counts = self.hoist_local(pre, counts, "counts");
        let starts = self.exclusive_sums(counts, &outer, span)?;
        let starts = self.hoist_local(pre, starts, "starts");
        let total = self.total_of(counts, &outer, span);
        let total = self.hoist_local(pre, total, "updates");
        self.local_mut(total).nonneg = true;
        flat.total = Size::local(total);
        flat.count = self.size_expr(flat.total.clone(), span);
        let marked = self.row_starts(counts, starts, &outer, &flat.total, span);
        let marked = self.hoist_local(pre, marked, "marked");
        let rows = self.running_max(marked, &flat.total, span)?;
        let rows = self.hoist_local(pre, rows, "rows");
        flat.levels.push(Level { binder, range: Range::Own { rows, starts } });
        Some(())
    }

    /// How many values the binder takes, for each combination of the earlier ones.
    fn counts(
        &mut self,
        flat: &Flat<'a>,
        binder: &'a ast::Binder,
        bodies: &[&'a ast::Expr],
        span: Span,
    ) -> Option<Expr> {
        let mut stmts = Vec::new();
        let (index, count) = self.in_region(|body| {
            body.in_scope(|body| {
                let index = body.enter_flat(flat, bodies, &mut stmts, span)?;
                let domain = body.domain(binder, Some(bodies), false)?;
                stmts.extend(domain.pre.iter().cloned());
                let zero = body.int(0, span);
                Some((index, binary(BinaryOp::Max, &domain.count, &zero, span)))
            })
        })?;
        let count = self.wrap(stmts, count);
        let ty = Type::I64.with_axes(vec![flat.total.clone()]);
        let axes = vec![Axis { index, size: flat.total.clone() }];
        Some(Expr { kind: ExprKind::Build { axes, body: Box::new(count), schedule: None }, ty, span })
    }

    /// Where each row starts: the sum of what is before it. Of conditions, how many hold before.
    pub fn exclusive_sums(&mut self, values: Local, size: &Size, span: Span) -> Option<Expr> {
        self.scan_i64(true, BinaryOp::Add, values, size, span)
    }

    fn running_max(&mut self, values: Local, size: &Size, span: Span) -> Option<Expr> {
        self.scan_i64(false, BinaryOp::Max, values, size, span)
    }

    fn scan_i64(
        &mut self,
        exclusive: bool,
        op: BinaryOp,
        values: Local,
        size: &Size,
        span: Span,
    ) -> Option<Expr> {
        let (index, body) = self.number_at_index(values, size, span);
        let combine = self.combine_with(&Type::I64, span, &mut |_, a, b| binary(op, &a, &b, span))?;
        let kind = ExprKind::Scan {
            exclusive,
            axis: Axis { index, size: size.clone() },
            init: Box::new(self.int(0, span)),
            body: Box::new(body),
            combine,
        };
        Some(Expr { kind, ty: Type::I64.with_axes(vec![size.clone()]), span })
    }

    fn number_at_index(&mut self, values: Local, size: &Size, span: Span) -> (Local, Expr) {
        self.in_region(|body| {
            let index = body.hidden_index("k", Some(size.clone()), span);
            let at = body.read(index, span);
            let value = body.read_at(values, at, span);
            (index, body.convert(value, Scalar::I64))
        })
    }

    /// The sum of a vector of numbers; of conditions, how many hold.
    pub fn total_of(&mut self, values: Local, size: &Size, span: Span) -> Expr {
        let (index, body) = self.number_at_index(values, size, span);
        let count = Box::new(self.size_expr(size.clone(), span));
        let axis = LoopAxis { index, count };
        Expr {
            kind: ExprKind::Reduce { op: ReduceOp::Sum, axis, mask: None, body: Box::new(body) },
            ty: Type::I64,
            span,
        }
    }

    /// Zeros, but the number of a row where it starts; a running maximum fills the rest.
    fn row_starts(&mut self, counts: Local, starts: Local, outer: &Size, total: &Size, span: Span) -> Expr {
        let zeros = self.build(vec![total.clone()], span, &mut |body, _| body.int(0, span));
        let ty = zeros.ty.clone();
        let (row, some, start) = self.in_region(|body| {
            let row = body.hidden_index("row", Some(outer.clone()), span);
            let at = body.read(row, span);
            let count = body.read_at(counts, at.clone(), span);
            let some = Expr {
                kind: ExprKind::Compare(CompareOp::Gt, Box::new(count), Box::new(body.int(0, span))),
                ty: Type::BOOL,
                span,
            };
            (row, some, body.read_at(starts, at, span))
        });
        let kind = ExprKind::Update {
            dest: Box::new(zeros),
            axes: vec![LoopAxis { index: row, count: Box::new(self.size_expr(outer.clone(), span)) }],
            mask: Some(Box::new(some)),
            prelude: Vec::new(),
            subs: vec![Sub { index: start, site: None }],
            value: Box::new(self.read(row, span)),
        };
        Expr { kind, ty, span }
    }

    /// `at * width + index`.
    pub fn row_major(&mut self, at: Expr, width: &Size, index: Local, span: Span) -> Expr {
        let width = self.size_expr(width.clone(), span);
        let index = self.read(index, span);
        binary(BinaryOp::Add, &binary(BinaryOp::Mul, &at, &width, span), &index, span)
    }

    /// An element of a vector of numbers.
    pub fn read_at(&mut self, values: Local, at: Expr, span: Span) -> Expr {
        let values = self.read(values, span);
        self.element(values, vec![at])
    }
}

fn binary(op: BinaryOp, a: &Expr, b: &Expr, span: Span) -> Expr {
    let kind = ExprKind::Binary(op, Box::new(a.clone()), Box::new(b.clone()), None);
    Expr { kind, ty: Type::I64, span }
}

/// Whether the range of a binder mentions a name that earlier ones bind.
fn uses_any(binder: &ast::Binder, earlier: &[ast::Binder]) -> bool {
    let Some(source) = &binder.source else { return false };
    let mut names = Vec::new();
    earlier.iter().for_each(|binder| names_in(&binder.pattern, &mut names));
    let mut todo = Vec::new();
    source.each_child(&mut |child| todo.push(child));
    while let Some(child) = todo.pop() {
        let mut push = |child| todo.push(child);
        match child {
            Child::Expr(expr) => expr.each_child(&mut push),
            Child::Type(ty) => ty.each_child(&mut push),
            Child::Block(block) => block.each_child(&mut push),
            Child::Path(path) => {
                path.each_child(&mut push);
                if path.segments.first().is_some_and(|first| names.contains(&first.name.text.as_str())) {
                    return true;
                }
            }
        }
    }
    false
}

fn names_in<'p>(pattern: &'p Pattern, names: &mut Vec<&'p str>) {
    match &pattern.kind {
        PatternKind::Name { name, .. } => names.push(&name.text),
        PatternKind::Tuple(parts) => parts.iter().for_each(|part| names_in(part, names)),
        PatternKind::Wildcard | PatternKind::Error => {}
    }
}
