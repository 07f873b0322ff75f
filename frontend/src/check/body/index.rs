//! Subscripts: elements, rows, slices. What is proved to be in range needs no site.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::{BinaryOp, CompareOp};
use we3_ir::span::Span;
use we3_parser::ast::{self, Subscript};

use super::Body;
use crate::codes;
use crate::typed::{Axis, Expr, ExprKind, SiteKind, Size, Stmt, StmtKind, Sub, Type};

/// One subscript after checking: a position, or a run of positions.
#[derive(Clone)]
pub enum Place {
    At(Sub),
    /// `start + k * step` for k below `size`.
    Run {
        start: Expr,
        step: i64,
        size: Size,
    },
}

impl<'a> Body<'_, 'a, '_> {
    /// `base[subscripts]`.
    pub fn index_expr(&mut self, base: &'a ast::Expr, subscripts: &'a [Subscript], span: Span) -> Expr {
        let value = self.expr(base, None);
        if value.ty == Type::Error {
            for subscript in subscripts {
                if let Subscript::At(expr) = subscript {
                    self.expr(expr, None);
                }
            }
            return value;
        }
        let mut pre = Vec::new();
        let value = self.hoist(&mut pre, value, "array");
        let Some(places) = self.subscripts(&value.ty, base.span, subscripts, &mut pre) else {
            return self.error(span);
        };
        let result = self.take(value, places, span);
        self.wrap(pre, result)
    }

    /// Checks subscripts against the axes of a type.
    pub fn subscripts(
        &mut self,
        ty: &Type,
        base_span: Span,
        subscripts: &'a [Subscript],
        pre: &mut Vec<Stmt>,
    ) -> Option<Vec<Place>> {
        let ty = self.shallow(ty);
        let sizes = ty.sizes().to_vec();
        if sizes.is_empty() {
            let shown = self.show(&ty);
            let error = Diagnostic::error(
                codes::NOT_AN_ARRAY,
                base_span,
                format!("only arrays have subscripts, this is `{shown}`"),
            );
            let error = if matches!(ty, Type::Tuple(_)) {
                error.with_note("parts of a tuple are `.0`, `.1`")
            } else {
                error
            };
            self.cx.report(error);
            return None;
        }
        if subscripts.len() > sizes.len() {
            let shown = self.show(&ty);
            let extra = subscripts.get(sizes.len()).map_or(base_span, Subscript::span);
            self.cx.report(
                Diagnostic::error(
                    codes::TOO_MANY_SUBSCRIPTS,
                    extra,
                    format!("{} subscripts for {}", subscripts.len(), super::coerce::axes(sizes.len())),
                )
                .with_label(base_span, format!("this is `{shown}`")),
            );
            return None;
        }
        let mut places = Vec::new();
        let mut failed = false;
        let errors = self.cx.errors;
        for (subscript, size) in subscripts.iter().zip(&sizes) {
            match subscript {
                Subscript::At(expr) => {
                    let index = self.index_value(expr);
                    let site = self.bounds_site(&index, size);
                    places.push(Place::At(Sub { index, site }));
                }
                Subscript::Slice { lo, hi, step, span } => {
                    let place = self.slice(lo.as_ref(), hi.as_ref(), step.as_ref(), size, *span, pre);
                    failed |= place.is_none();
                    places.extend(place);
                }
            }
        }
        for size in &sizes[subscripts.len()..] {
            places.push(Place::Run { start: self.int(0, base_span), step: 1, size: size.clone() });
        }
        (self.cx.errors == errors && !failed).then_some(places)
    }

    /// The site of a bounds check; `None` if the index is proved to be in range.
    pub fn bounds_site(&mut self, index: &Expr, size: &Size) -> Option<crate::typed::SiteId> {
        if index.ty == Type::Error || self.in_range(index, size) {
            return None;
        }
        if let (Some(index_size), Some(_)) = (self.as_size(index), Some(()))
            && let Some(value) = index_size.as_constant()
        {
            let shown = self.show_size(size);
            if value < 0 {
                let mut error = Diagnostic::error(
                    codes::NEGATIVE_INDEX,
                    index.span,
                    format!("index {value} is out of range"),
                )
                .with_note("negative indices do not count from the end");
                let last = if value == -1 {
                    format!("{shown} - 1")
                } else {
                    format!("{shown} - {}", value.unsigned_abs())
                };
                if size.as_constant().is_none() {
                    error = error.with_fix(format!("count from the end: `{last}`"), index.span, last);
                } else if let Some(size) = size.as_constant()
                    && size + value >= 0
                {
                    error = error.with_fix("count from the end", index.span, (size + value).to_string());
                }
                self.cx.report(error);
                return None;
            }
            if size.as_constant().is_some_and(|size| value >= size) {
                self.cx.report(Diagnostic::error(
                    codes::CONSTANT_INDEX,
                    index.span,
                    format!("index {value} is out of range for an axis of size {shown}"),
                ));
                return None;
            }
        }
        if self.surely_behind(index, size) {
            let (text, shown) = (self.cx.text(index.span), self.show_size(size));
            self.cx.report(
                Diagnostic::error(
                    codes::CONSTANT_INDEX,
                    index.span,
                    format!("index `{text}` is out of range for an axis of size `{shown}`"),
                )
                .with_note("the last index is one less than the size"),
            );
            return None;
        }
        Some(self.site(index.span, SiteKind::Bounds))
    }

    /// Whether an index is the size of its axis, or that and some more.
    fn surely_behind(&self, index: &Expr, size: &Size) -> bool {
        let Some(index) = self.as_size(index) else { return false };
        self.reduce_size(&index.minus(size)).as_constant().is_some_and(|difference| difference >= 0)
    }

    /// Whether 0 ≤ index < size follows from what the index is.
    fn in_range(&self, index: &Expr, size: &Size) -> bool {
        if let ExprKind::Local(local) = &index.kind
            && let Some(below) = &self.local(*local).below
        {
            let room = self.reduce_size(&size.minus(below));
            return self.size_nonneg(&room);
        }
        if let Some(index) = self.as_size(index) {
            // A constant inside a constant axis, or `n - 1` of `n` would need `n ≥ 1`.
            if let (Some(index), Some(size)) = (index.as_constant(), self.reduce_size(size).as_constant()) {
                return 0 <= index && index < size;
            }
        }
        false
    }

    fn slice(
        &mut self,
        lo: Option<&'a ast::Expr>,
        hi: Option<&'a ast::Expr>,
        step: Option<&'a ast::Expr>,
        size: &Size,
        span: Span,
        pre: &mut Vec<Stmt>,
    ) -> Option<Place> {
        let zero = Size::default();
        let lo_given = lo.is_some();
        let hi_given = hi.is_some();
        let lo_size = match lo {
            Some(expr) => self.bound(expr, pre)?,
            None => zero,
        };
        let hi_size = match hi {
            Some(expr) => self.bound(expr, pre)?,
            None => size.clone(),
        };
        let step = match step {
            Some(expr) => self.const_step(expr)?,
            None => 1,
        };
        let length = hi_size.minus(&lo_size);
        for (bound, given) in [(&lo_size, lo), (&hi_size, hi)] {
            if let (Some(value), Some(expr)) = (bound.as_constant(), given)
                && value < 0
            {
                let shown = self.show_size(size);
                self.cx.report(
                    Diagnostic::error(
                        codes::NEGATIVE_INDEX,
                        expr.span,
                        "negative bounds do not count from the end",
                    )
                    .with_fix(
                        "count from the end",
                        expr.span,
                        format!("{shown} - {}", value.unsigned_abs()),
                    ),
                );
                return None;
            }
        }
        if let (Some(end), Some(axis), Some(expr)) = (hi_size.as_constant(), size.as_constant(), hi)
            && end > axis
        {
            let message = format!("a slice up to {end} of an axis of size {axis}");
            self.cx.report(Diagnostic::error(codes::CONSTANT_INDEX, expr.span, message));
            return None;
        }
        let proved = (!lo_given || self.size_nonneg(&lo_size))
            && self.size_nonneg(&length)
            && (!hi_given || self.size_nonneg(&size.minus(&hi_size)));
        if !proved && (lo_given || hi_given) {
            self.check_slice(&lo_size, &hi_size, size, span, pre);
        }
        let count = if step == 1 { length } else { length.plus(&Size::constant(step - 1)).floor_div(step) };
        let start = self.size_expr(lo_size, span);
        Some(Place::Run { start, step, size: count })
    }

    fn check_slice(&mut self, lo: &Size, hi: &Size, size: &Size, span: Span, pre: &mut Vec<Stmt>) {
        let (a, b, n) = (
            self.size_expr(lo.clone(), span),
            self.size_expr(hi.clone(), span),
            self.size_expr(size.clone(), span),
        );
        let zero = self.int(0, span);
        let le = |a: &Expr, b: &Expr| Expr {
            kind: ExprKind::Compare(CompareOp::Le, Box::new(a.clone()), Box::new(b.clone())),
            ty: Type::BOOL,
            span,
        };
        let and = |a: Expr, b: Expr| Expr {
            kind: ExprKind::Binary(BinaryOp::And, Box::new(a), Box::new(b), None),
            ty: Type::BOOL,
            span,
        };
        let cond = and(and(le(&zero, &a), le(&a, &b)), le(&b, &n));
        let site = self.site(span, SiteKind::SliceBounds);
        pre.push(Stmt { kind: StmtKind::Check { cond, site, notes: vec![a, b, n] }, span });
    }

    /// An `i64` as a size, bound in `pre` if it is no polynomial.
    pub fn bound(&mut self, expr: &'a ast::Expr, pre: &mut Vec<Stmt>) -> Option<Size> {
        let value = self.index_value(expr);
        self.size_of_value(value, pre)
    }

    /// A step known at compile time.
    pub fn const_step(&mut self, expr: &'a ast::Expr) -> Option<i64> {
        let value = self.index_value(expr);
        if value.ty == Type::Error {
            return None;
        }
        match self
            .fold(&value)
            .map(crate::typed::const_as_i64)
            .or_else(|| self.as_size(&value)?.as_constant())
        {
            Some(step) if step > 0 => Some(step),
            Some(step) => {
                self.cx.report(
                    Diagnostic::error(
                        codes::BAD_SIZE,
                        expr.span,
                        format!("a step is positive, this is {step}"),
                    )
                    .with_note("to go backwards: `rev(a..b)` in a `for`, `reverse(x)` of an array"),
                );
                None
            }
            None => {
                self.cx.report(
                    Diagnostic::error(
                        codes::NEEDS_CONSTANT,
                        expr.span,
                        "the step of a slice must be known at compile time",
                    )
                    .with_note("with another step write a comprehension: `[x[k] for k in a..b by s]`"),
                );
                None
            }
        }
    }

    /// The element, row or slice at checked places.
    pub fn take(&mut self, base: Expr, places: Vec<Place>, span: Span) -> Expr {
        let elem = self.shallow(&base.ty).elem().clone();
        let runs: Vec<Size> = places
            .iter()
            .filter_map(|place| match place {
                Place::At(_) => None,
                Place::Run { size, .. } => Some(size.clone()),
            })
            .collect();
        if runs.is_empty() {
            let subs = places
                .into_iter()
                .filter_map(|place| match place {
                    Place::At(sub) => Some(sub),
                    Place::Run { .. } => None,
                })
                .collect();
            return Expr { kind: ExprKind::Index { base: Box::new(base), subs }, ty: elem, span };
        }
        // Positions are evaluated, and checked, once before the elements.
        let mut pre = Vec::new();
        let rank = places.len();
        let sizes = self.shallow(&base.ty).sizes().to_vec();
        let mut fixed = Vec::new();
        for (place, size) in places.into_iter().zip(&sizes) {
            fixed.push(match place {
                Place::At(sub) => {
                    let index = self.hoist(&mut pre, sub.index, "index");
                    if let Some(site) = sub.site {
                        self.check_index(&index, size, site, &mut pre);
                    }
                    Place::At(Sub { index, site: None })
                }
                run @ Place::Run { .. } => run,
            });
        }
        let mut locals = Vec::new();
        let body = self.in_region(|body| {
            let mut subs = Vec::with_capacity(rank);
            for place in &fixed {
                subs.push(match place {
                    Place::At(sub) => sub.clone(),
                    Place::Run { start, step, size } => {
                        let local = body.hidden_index("k", Some(size.clone()), span);
                        locals.push(Axis { index: local, size: size.clone() });
                        let index = body.read(local, span);
                        Sub { index: body.affine(start.clone(), *step, index, span), site: None }
                    }
                });
            }
            Expr { kind: ExprKind::Index { base: Box::new(base), subs }, ty: elem.clone(), span }
        });
        let ty = elem.with_axes(runs);
        let value =
            Expr { kind: ExprKind::Build { axes: locals, body: Box::new(body), schedule: None }, ty, span };
        self.wrap(pre, value)
    }

    /// A check that stands before an array form instead of at its subscript.
    pub fn check_index(
        &mut self,
        index: &Expr,
        size: &Size,
        site: crate::typed::SiteId,
        pre: &mut Vec<Stmt>,
    ) {
        let span = index.span;
        let n = self.size_expr(size.clone(), span);
        let compare = |op, a: Expr, b: Expr| Expr {
            kind: ExprKind::Compare(op, Box::new(a), Box::new(b)),
            ty: Type::BOOL,
            span,
        };
        let low = compare(CompareOp::Le, self.int(0, span), index.clone());
        let high = compare(CompareOp::Lt, index.clone(), n.clone());
        let cond = Expr {
            kind: ExprKind::Binary(BinaryOp::And, Box::new(low), Box::new(high), None),
            ty: Type::BOOL,
            span,
        };
        let notes = vec![index.clone(), n];
        pre.push(Stmt { kind: StmtKind::Check { cond, site, notes }, span });
    }

    /// `start + step * index`.
    pub fn affine(&self, start: Expr, step: i64, index: Expr, span: Span) -> Expr {
        let scaled = if step == 1 {
            index
        } else {
            let factor = self.int(step, span);
            Expr {
                kind: ExprKind::Binary(BinaryOp::Mul, Box::new(index), Box::new(factor), None),
                ty: Type::I64,
                span,
            }
        };
        if matches!(&start.kind, ExprKind::Size(size) if size.as_constant() == Some(0)) {
            return scaled;
        }
        Expr {
            kind: ExprKind::Binary(BinaryOp::Add, Box::new(start), Box::new(scaled), None),
            ty: Type::I64,
            span,
        }
    }

    /// `value[index]` along the outer axis, the index known to be in range.
    pub fn outer_element(&mut self, value: Expr, index: Expr, span: Span) -> Expr {
        let sizes = self.shallow(&value.ty).sizes().to_vec();
        let mut places = vec![Place::At(Sub { index, site: None })];
        for size in sizes.into_iter().skip(1) {
            places.push(Place::Run { start: self.int(0, span), step: 1, size });
        }
        self.take(value, places, span)
    }
}
