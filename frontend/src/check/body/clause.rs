//! `for` clauses: the domain of each binder, and array comprehensions. Every binder becomes a counter
//! from 0 with a `let` in front of the body.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::BinaryOp;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast::{self, PatternKind, Source};

use super::coerce::Wanted;
use super::{Around, Body, VarKind};
use crate::codes;
use crate::typed::{Atom, Axis, Expr, ExprKind, Local, SiteKind, Size, Stmt, StmtKind, Type};

/// The domain of a binder.
#[derive(Clone)]
pub struct Domain {
    /// Evaluated before.
    pub pre: Vec<Stmt>,
    /// The number of values (`i64`; may be negative where `size` is not asked for).
    pub count: Expr,
    /// The number of values as a size; always there for array forms.
    pub size: Option<Size>,
    kind: DomainKind,
    /// The binder's type if it is a number.
    int: Scalar,
}

#[derive(Clone)]
enum DomainKind {
    /// `start + k * step` (reversed: from the other end).
    Range { start: Box<Expr>, step: Box<Expr>, reversed: bool },
    /// Elements of an array along its outer axis.
    Values(Expr),
}

impl<'a> Body<'_, 'a, '_> {
    /// The domain of a binder; inferred ones look into `bodies`. `None` after a report.
    pub fn domain(
        &mut self,
        binder: &'a ast::Binder,
        bodies: Option<&[&'a ast::Expr]>,
        array_form: bool,
    ) -> Option<Domain> {
        match &binder.source {
            None => self.inferred_domain(binder, bodies),
            Some(Source::Values(expr)) => self.values_domain(expr),
            Some(Source::Range(range)) => self.range_domain(range, array_form),
        }
    }

    fn values_domain(&mut self, expr: &'a ast::Expr) -> Option<Domain> {
        let value = self.expr(expr, None);
        if value.ty == Type::Error {
            return None;
        }
        let mut pre = Vec::new();
        let ty = self.shallow(&value.ty);
        let Some(size) = ty.sizes().first().cloned() else {
            let shown = self.show(&ty);
            let mut error = Diagnostic::error(
                codes::NOT_AN_ARRAY,
                expr.span,
                format!("after `in` stands an array or a range, this is `{shown}`"),
            );
            if ty.as_scalar().is_some_and(Scalar::is_int) || self.var_kind(&ty) == Some(VarKind::Int) {
                let text = self.cx.text(expr.span);
                error = error.with_fix("write a range", expr.span, format!("0..{text}"));
            }
            self.cx.report(error);
            return None;
        };
        let value = self.hoist(&mut pre, value, "values");
        let count = self.size_expr(size.clone(), expr.span);
        Some(Domain { pre, count, size: Some(size), kind: DomainKind::Values(value), int: Scalar::I64 })
    }

    fn range_domain(&mut self, range: &'a ast::Range, array_form: bool) -> Option<Domain> {
        let mut pre = Vec::new();
        let lo = self.expr(&range.lo, None);
        let lo_ty = lo.ty.clone();
        let hi = self.expr(&range.hi, Some(&lo_ty));
        if lo.ty == Type::Error || hi.ty == Type::Error {
            return None;
        }
        let mut sizes = Vec::new();
        if self.unify(&hi.ty, &lo.ty, &mut sizes).is_err() {
            let (a, b) = (self.show(&lo.ty), self.show(&hi.ty));
            self.cx.report(
                Diagnostic::error(codes::TYPE_MISMATCH, range.span, format!("a range from `{a}` to `{b}`"))
                    .with_note("both ends of a range have the same integer type"),
            );
            return None;
        }
        self.default_int(&hi.ty);
        let ty = self.shallow(&hi.ty);
        let Some(int) = ty.as_scalar().filter(|scalar| scalar.is_int()) else {
            let shown = self.show(&ty);
            self.cx.report(
                Diagnostic::error(
                    codes::BAD_SUBSCRIPT,
                    range.span,
                    format!("a range runs over integers, this one over `{shown}`"),
                )
                .with_note("for evenly spaced numbers: `linspace(a, b, n)`"),
            );
            return None;
        };
        let lo = self.as_index(lo);
        let hi = self.as_index(hi);
        let lo = self.size_of_value(lo, &mut pre)?;
        let hi = self.size_of_value(hi, &mut pre)?;
        let length = hi.minus(&lo);
        let span = range.span;
        let (step, count) = match &range.step {
            None => (self.int(1, span), length),
            Some(step) => self.range_step(step, &length, &mut pre)?,
        };
        let (count, size) = self.range_count(count, array_form, &mut pre, span)?;
        Some(Domain {
            pre,
            count,
            size: Some(size),
            kind: DomainKind::Range {
                start: Box::new(self.size_expr(lo, span)),
                step: Box::new(step),
                reversed: range.reversed,
            },
            int,
        })
    }

    /// The step of a range, and how many steps a length has.
    fn range_step(
        &mut self,
        step: &'a ast::Expr,
        length: &Size,
        pre: &mut Vec<Stmt>,
    ) -> Option<(Expr, Size)> {
        let span = step.span;
        let value = self.index_value(step);
        let size = self.size_of_value(value, pre)?;
        if let Some(constant) = size.as_constant() {
            if constant <= 0 {
                self.cx.report(
                    Diagnostic::error(
                        codes::BAD_SIZE,
                        span,
                        format!("a step is positive, this is {constant}"),
                    )
                    .with_note("to count down: `rev(a..b)`"),
                );
                return None;
            }
            let count = length.plus(&Size::constant(constant - 1)).floor_div(constant);
            return Some((self.int(constant, span), count));
        }
        let value = self.size_expr(size.clone(), span);
        let site = self.site(span, SiteKind::BadStep);
        let zero = self.int(0, span);
        let cond = Expr {
            kind: ExprKind::Compare(we3_ir::op::CompareOp::Gt, Box::new(value.clone()), Box::new(zero)),
            ty: Type::BOOL,
            span,
        };
        pre.push(Stmt { kind: StmtKind::Check { cond, site, notes: vec![value.clone()] }, span });
        let top = length.plus(&size).minus(&Size::constant(1));
        let top = self.size_expr(top, span);
        let kind = ExprKind::Binary(BinaryOp::Div, Box::new(top), Box::new(value.clone()), None);
        let count = Expr { kind, ty: Type::I64, span };
        let local = self.hoist_local(pre, count, "count");
        Some((value, Size::local(local)))
    }

    /// The count of a range; as an axis it must not be negative.
    fn range_count(
        &mut self,
        count: Size,
        array_form: bool,
        pre: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<(Expr, Size)> {
        let value = self.size_expr(count.clone(), span);
        if array_form && !self.size_nonneg(&count) {
            self.check_size(&count, pre, span)?;
        }
        Some((value, count))
    }

    /// Emits the check that a size is ≥ 0 and not absurd; reports a constant that is not.
    pub fn check_size(&mut self, size: &Size, pre: &mut Vec<Stmt>, span: Span) -> Option<()> {
        if let Some(constant) = size.as_constant() {
            if !(0..=1 << 47).contains(&constant) {
                self.cx.report(
                    Diagnostic::error(codes::BAD_SIZE, span, format!("{constant} cannot be a size"))
                        .with_note("a size is at least 0, and an array has at most 2^47 bytes"),
                );
                return None;
            }
            return Some(());
        }
        let value = self.size_expr(size.clone(), span);
        let compare = |op, a: Expr, b: Expr| Expr {
            kind: ExprKind::Compare(op, Box::new(a), Box::new(b)),
            ty: Type::BOOL,
            span,
        };
        let low = compare(we3_ir::op::CompareOp::Le, self.int(0, span), value.clone());
        let high = compare(we3_ir::op::CompareOp::Le, value.clone(), self.int(1 << 47, span));
        let cond = Expr {
            kind: ExprKind::Binary(BinaryOp::And, Box::new(low), Box::new(high), None),
            ty: Type::BOOL,
            span,
        };
        let site = self.site(span, SiteKind::BadSize);
        pre.push(Stmt { kind: StmtKind::Check { cond, site, notes: vec![value] }, span });
        Some(())
    }

    /// `for i` without `in`: every axis that `i` alone subscripts.
    fn inferred_domain(
        &mut self,
        binder: &'a ast::Binder,
        bodies: Option<&[&'a ast::Expr]>,
    ) -> Option<Domain> {
        let (PatternKind::Name { name, .. }, Some(bodies)) = (&binder.pattern.kind, bodies) else {
            self.cx.report(
                Diagnostic::error(codes::NO_RANGE, binder.span, "this binder needs a range")
                    .with_note("write `for i in 0..n` or `for v in xs`"),
            );
            return None;
        };
        let axes = self.axes_subscripted(&name.text, bodies);
        let Some((first, first_span)) = axes.first().cloned() else {
            self.report_no_range(binder, &name.text);
            return None;
        };
        let mut pre = Vec::new();
        let what = format!("the first axis that `{}` subscripts", name.text);
        for (size, span) in &axes[1..] {
            let wanted = Wanted { span: Some(first_span), what: &what };
            if !self.same_size(&mut pre, &first, size, *span, wanted) {
                return None;
            }
        }
        Some(Domain {
            pre,
            count: self.size_expr(first.clone(), binder.span),
            size: Some(first),
            kind: DomainKind::Range {
                start: Box::new(self.int(0, binder.span)),
                step: Box::new(self.int(1, binder.span)),
                reversed: false,
            },
            int: Scalar::I64,
        })
    }

    fn report_no_range(&mut self, binder: &ast::Binder, name: &str) {
        let error = Diagnostic::error(
            codes::NO_RANGE,
            binder.span,
            format!("the range of `{name}` cannot be inferred"),
        )
        .with_here("it subscripts no array alone");
        let sizes: Vec<&str> = self.generics.sizes.iter().map(|size| size.name.as_str()).collect();
        self.cx.report(match sizes.as_slice() {
            // With one size around, that is the range nearly always.
            [only] => error.with_fix(
                format!("write `for {name} in …`"),
                binder.span.end(),
                format!(" in 0..{only}"),
            ),
            [] => error.with_note(format!("write `for {name} in 0..` and the number of values")),
            several => {
                let ranges: Vec<String> = several.iter().map(|size| format!("`0..{size}`")).collect();
                error.with_note(format!("write `for {name} in …` with a range such as {}", ranges.join(", ")))
            }
        });
    }

    /// Inside the region: the counter, with the binder's pattern bound in `stmts`.
    pub fn enter_domain(&mut self, domain: &Domain, binder: &'a ast::Binder, stmts: &mut Vec<Stmt>) -> Local {
        let span = binder.span;
        match &domain.kind {
            DomainKind::Values(values) => {
                let index = self.hidden_index("k", domain.size.clone(), span);
                let at = self.read(index, span);
                let value = self.outer_element(values.clone(), at, span);
                self.bind_pattern(&binder.pattern, value, span, stmts);
                index
            }
            DomainKind::Range { start, step, reversed } => {
                let plain =
                    !reversed && domain.int == Scalar::I64 && is_constant(start, 0) && is_constant(step, 1);
                if plain && let PatternKind::Name { mutable: None, name } = &binder.pattern.kind {
                    let local = self.new_local(&name.text, Type::I64, name.span);
                    let data = self.local_mut(local);
                    data.below.clone_from(&domain.size);
                    data.nonneg = true;
                    self.bind_name(&name.text, local);
                    return local;
                }
                let index = self.hidden_index("k", domain.size.clone(), span);
                let value = self.range_value(domain, start, step, *reversed, index, span);
                let value = self.convert(value, domain.int);
                self.bind_pattern(&binder.pattern, value, span, stmts);
                if let Some(crate::check::body::BindingKind::Local(local)) =
                    pattern_name(&binder.pattern).and_then(|name| self.lookup(name))
                    && self.size_nonneg_expr(start)
                    && domain.int == Scalar::I64
                {
                    let step = self.as_size(step);
                    let data_below = self.below_of(domain, start, step, *reversed);
                    let data = self.local_mut(local);
                    data.nonneg = true;
                    data.below = data_below;
                    // As a size it is opaque: `lo + k` would hide the bound just learnt.
                    if data.below.is_some() {
                        data.size = None;
                    }
                }
                index
            }
        }
    }

    fn below_of(&self, domain: &Domain, start: &Expr, step: Option<Size>, reversed: bool) -> Option<Size> {
        let _ = reversed;
        let (start, count) = (self.as_size(start)?, domain.size.clone()?);
        (step?.as_constant() == Some(1)).then(|| start.plus(&count))
    }

    fn size_nonneg_expr(&self, value: &Expr) -> bool {
        self.as_size(value).is_some_and(|size| self.size_nonneg(&size))
    }

    fn range_value(
        &mut self,
        domain: &Domain,
        start: &Expr,
        step: &Expr,
        reversed: bool,
        index: Local,
        span: Span,
    ) -> Expr {
        let mut at = self.read(index, span);
        let binary = |op, a: Expr, b: Expr| Expr {
            kind: ExprKind::Binary(op, Box::new(a), Box::new(b), None),
            ty: Type::I64,
            span,
        };
        if reversed {
            let last = binary(BinaryOp::Sub, domain.count.clone(), self.int(1, span));
            at = binary(BinaryOp::Sub, last, at);
        }
        if !is_constant(step, 1) {
            at = binary(BinaryOp::Mul, at, step.clone());
        }
        if is_constant(start, 0) { at } else { binary(BinaryOp::Add, start.clone(), at) }
    }

    /// `[body for clause]`.
    pub fn comprehension(
        &mut self,
        attrs: &'a [ast::Attr],
        body: &'a ast::Expr,
        clause: &'a ast::ForClause,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let hint = hint.map(|hint| self.shallow(hint).elem().clone());
        let schedule = self.schedule(attrs, clause);
        if let Some(filter) = &clause.filter {
            return self.filtered(body, clause, filter, hint.as_ref(), span);
        }
        let mut pre = Vec::new();
        let Some(domains) = self.axis_domains(&clause.binders, &[body]) else {
            self.check_body_anyway(body, clause);
            return self.error(span);
        };
        for domain in &domains {
            pre.extend(domain.pre.iter().cloned());
        }
        let mut axes = Vec::new();
        let depth = self.depth;
        let value = self.in_region(|checker| {
            checker.in_scope(|checker| {
                let mut stmts = Vec::new();
                for (domain, binder) in domains.iter().zip(&clause.binders) {
                    let index = checker.enter_domain(domain, binder, &mut stmts);
                    let size = domain.size.clone().unwrap_or_default();
                    axes.push(Axis { index, size });
                }
                checker.around.push((Around::ArrayForm, depth));
                let value = checker.expr(body, hint.as_ref());
                checker.around.pop();
                if value.ty == Type::Error { value } else { checker.wrap(stmts, value) }
            })
        });
        if value.ty == Type::Error || !self.is_element(&value) || !self.regular(&value.ty, body.span) {
            return self.error(span);
        }
        let sizes = axes.iter().map(|axis| axis.size.clone()).collect();
        let ty = value.ty.clone().with_axes(sizes);
        let value = Expr { kind: ExprKind::Build { axes, body: Box::new(value), schedule }, ty, span };
        self.wrap(pre, value)
    }

    /// The domains of an array form's axes, none of which may use another's binder. `None` after a report.
    pub fn axis_domains(
        &mut self,
        binders: &'a [ast::Binder],
        bodies: &[&'a ast::Expr],
    ) -> Option<Vec<Domain>> {
        let mut domains = Vec::new();
        for (index, binder) in binders.iter().enumerate() {
            let names = binders[..index].iter().filter_map(|earlier| earlier.pattern.as_name());
            let outer = std::mem::replace(&mut self.binders_beside, names.collect());
            domains.extend(self.domain(binder, Some(bodies), true));
            self.binders_beside = outer;
        }
        (domains.len() == binders.len()).then_some(domains)
    }

    /// After an error in the clause: the body may have others.
    pub fn check_body_anyway(&mut self, body: &'a ast::Expr, clause: &'a ast::ForClause) {
        let depth = self.depth;
        self.in_region(|checker| {
            checker.in_scope(|checker| {
                clause.binders.iter().for_each(|binder| checker.bind_unknown(&binder.pattern));
                checker.around.push((Around::ArrayForm, depth));
                checker.expr(body, None);
                checker.around.pop();
            });
        });
    }

    /// Elements have a value.
    pub fn is_element(&mut self, value: &Expr) -> bool {
        if self.shallow(&value.ty) == Type::UNIT {
            self.cx.report(
                Diagnostic::error(codes::BAD_ELEMENT, value.span, "this element has no value")
                    .with_note("the value of a block is its last expression, without `;`"),
            );
            return false;
        }
        true
    }

    /// The sizes of an element must be known outside.
    pub fn regular(&mut self, ty: &Type, span: Span) -> bool {
        let mut bad = None;
        ty.for_each_size(&mut |size| {
            if !self.known_outside(size) && bad.is_none() {
                bad = Some(size.clone());
            }
        });
        let Some(size) = bad else { return true };
        let mut inner = None;
        size.for_each_atom(&mut |atom| {
            if let Atom::Local(local) = atom
                && self.local(*local).depth > self.depth
            {
                inner = Some(*local);
            }
        });
        let shown = self.show_size(&size);
        let mut error = Diagnostic::error(
            codes::IRREGULAR,
            span,
            format!("the elements of this array would have different sizes: `{shown}`"),
        );
        if let Some(local) = inner {
            let data = self.local(local);
            let (name, at, hidden) = (data.info.name.clone(), data.info.span, data.hidden);
            if !hidden {
                error = error.with_label(at, format!("`{name}` is another for each element"));
            }
        }
        self.cx.report(
            error.with_note(
                "nested arrays are rectangular; reduce the inner array here, or pad it to one size",
            ),
        );
        false
    }

    /// An array whose elements will all be overwritten.
    pub fn blank(&mut self, elem: &Type, sizes: Vec<Size>, span: Span) -> Expr {
        let elem = elem.clone();
        self.build(sizes, span, &mut |_, _| Expr {
            kind: ExprKind::Pending(u32::MAX, Vec::new()),
            ty: elem.clone(),
            span,
        })
    }
}

fn is_constant(value: &Expr, wanted: i64) -> bool {
    matches!(&value.kind, ExprKind::Size(size) if size.as_constant() == Some(wanted))
}

fn pattern_name(pattern: &ast::Pattern) -> Option<&str> {
    pattern.as_name().map(|name| name.text.as_str())
}
