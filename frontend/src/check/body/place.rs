//! Assignments: variables, fields, elements, slices, tuples of places. The right side is evaluated
//! first and broadcast to the place.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::{self, BinOp, PlaceKind, PlaceStep};

use super::coerce::Wanted;
use super::index::Place;
use super::{Around, BindingKind, Body};
use crate::check::suggest::closest;
use crate::codes;
use crate::typed::{Expr, ExprKind, Local, LoopAxis, Size, Stmt, StmtKind, Sub, Type};

/// A place after checking.
struct Target {
    local: Local,
    /// Fields, outermost first.
    path: Vec<u32>,
    /// The type of what the path names, before subscripts.
    base: Type,
    /// Subscripts; empty: all of it.
    subs: Vec<Place>,
    span: Span,
}

impl<'a> Body<'_, 'a, '_> {
    /// `place op= value;`
    pub fn assign(
        &mut self,
        place: &'a ast::Place,
        op: Option<BinOp>,
        value: &'a ast::Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        match &place.kind {
            PlaceKind::Error => {
                self.expr(value, None);
            }
            PlaceKind::Tuple(places) => self.assign_tuple(places, op, value, span, out),
            PlaceKind::Var { name, steps } => {
                // The right side is evaluated before the subscripts of the place.
                let hint = self.place_hint(name, steps);
                let value = self.expr(value, hint.as_ref());
                let Some(target) = self.target(name, steps, place.span, out, Some(value)) else { return };
                let (target, value) = target;
                self.store(target, op, value, span, out);
            }
        }
    }

    /// `(a, b) = (b, a);`: all right sides first.
    fn assign_tuple(
        &mut self,
        places: &'a [ast::Place],
        op: Option<BinOp>,
        value: &'a ast::Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        if op.is_some() {
            self.cx.report(Diagnostic::error(codes::NOT_A_PLACE, span, "a tuple of places takes `=` only"));
            return;
        }
        let hints: Vec<Option<Type>> = places
            .iter()
            .map(|place| match &place.kind {
                PlaceKind::Var { name, steps } => self.place_hint(name, steps),
                PlaceKind::Tuple(_) | PlaceKind::Error => None,
            })
            .collect();
        let hint = hints.into_iter().collect::<Option<Vec<Type>>>().map(Type::Tuple);
        let value = self.expr(value, hint.as_ref());
        if value.ty == Type::Error {
            return;
        }
        let ty = self.shallow(&value.ty);
        let Some(types) = ty.parts().filter(|types| types.len() == places.len()) else {
            let shown = self.show(&ty);
            self.cx.report(Diagnostic::error(
                codes::BAD_PATTERN,
                span,
                format!("{} places, the value is `{shown}`", places.len()),
            ));
            return;
        };
        // Parts are bound before the first place changes.
        let parts: Vec<Expr> = if let ExprKind::Tuple(parts) = value.kind {
            parts
        } else {
            let value = self.hoist(out, value, "tuple");
            types
                .iter()
                .enumerate()
                .map(|(index, ty)| self.field_of(value.clone(), index as u32, ty.clone(), span))
                .collect()
        };
        let parts: Vec<Expr> = parts
            .into_iter()
            .map(|part| {
                let local = self.hoist_local(out, part, "part");
                self.read(local, span)
            })
            .collect();
        for (place, part) in places.iter().zip(parts) {
            match &place.kind {
                PlaceKind::Var { name, steps } => {
                    let Some((target, part)) = self.target(name, steps, place.span, out, Some(part)) else {
                        continue;
                    };
                    self.store(target, None, part, span, out);
                }
                PlaceKind::Tuple(_) => self.cx.report(Diagnostic::error(
                    codes::NOT_A_PLACE,
                    place.span,
                    "tuples of places are not nested",
                )),
                PlaceKind::Error => {}
            }
        }
    }

    /// The element type of a place, before it is checked.
    fn place_hint(&mut self, name: &ast::Name, steps: &'a [PlaceStep]) -> Option<Type> {
        let Some(BindingKind::Local(local)) = self.lookup(&name.text) else { return None };
        let mut ty = self.local(local).info.ty.clone();
        for step in steps {
            match step {
                PlaceStep::Field(field) => {
                    self.cx.quiet += 1;
                    let errors = self.cx.errors;
                    let found = self.field_index(&ty, field, name.span);
                    self.cx.errors = errors;
                    self.cx.quiet -= 1;
                    ty = found?.1;
                }
                PlaceStep::Index { .. } => {}
            }
        }
        Some(self.shallow(&ty).elem().clone())
    }

    /// Checks a place. `value` is passed through: it is bound before subscripts are evaluated.
    fn target(
        &mut self,
        name: &'a ast::Name,
        steps: &'a [PlaceStep],
        span: Span,
        out: &mut Vec<Stmt>,
        value: Option<Expr>,
    ) -> Option<(Target, Expr)> {
        let local = self.mutable_local(name)?;
        let value = value?;
        let has_subs = steps.iter().any(|step| matches!(step, PlaceStep::Index { .. }));
        let value = if has_subs && value.ty != Type::Error { self.hoist(out, value, "value") } else { value };
        let mut pre = Vec::new();
        let whole = self.variable(local, name.span);
        self.local_mut(local).assigned = true;
        let mut ty = self.shallow(&whole.ty);
        let mut path = Vec::new();
        let mut subs: Vec<Place> = Vec::new();
        // Axes of `ty` that subscripts have used up.
        let mut used = 0;
        for step in steps {
            match step {
                PlaceStep::Field(field) => {
                    let axes = ty.sizes().to_vec();
                    let (index, part) = self.field_index(&ty, field, span)?;
                    path.push(index);
                    ty = part.with_axes(axes);
                    ty = self.shallow(&ty);
                }
                PlaceStep::Index { subscripts, span } => {
                    let left = ty.sizes()[used.min(ty.rank())..].to_vec();
                    let view =
                        if left.is_empty() { ty.elem().clone() } else { ty.elem().clone().with_axes(left) };
                    let mut places = self.subscripts(&view, *span, subscripts, &mut pre)?;
                    places.truncate(subscripts.len());
                    if subs.iter().any(|place| matches!(place, Place::Run { .. })) {
                        self.cx.report(
                            Diagnostic::error(
                                codes::NOT_A_PLACE,
                                *span,
                                "a slice of a place cannot be subscripted again",
                            )
                            .with_note("write all subscripts in one pair of brackets"),
                        );
                        return None;
                    }
                    used += places.len();
                    subs.append(&mut places);
                }
            }
        }
        if !subs.is_empty() {
            let rest = ty.sizes().get(subs.len()..).unwrap_or(&[]).to_vec();
            for size in rest {
                subs.push(Place::Run { start: self.int(0, span), step: 1, size });
            }
        }
        out.append(&mut pre);
        if value.ty == Type::Error {
            return None;
        }
        Some((Target { local, path, base: ty, subs, span }, value))
    }

    /// The variable of a place; reports immutable ones.
    fn mutable_local(&mut self, name: &'a ast::Name) -> Option<Local> {
        let local = match self.lookup(&name.text) {
            Some(BindingKind::Local(local)) => local,
            Some(BindingKind::Fn(_)) => {
                self.cx.report(Diagnostic::error(
                    codes::NOT_A_PLACE,
                    name.span,
                    format!("`{}` is a function", name.text),
                ));
                return None;
            }
            None if self.cx.name(self.module, &name.text).is_some() => {
                let error = Diagnostic::error(
                    codes::NOT_A_PLACE,
                    name.span,
                    format!("`{}` is no variable", name.text),
                );
                self.cx
                    .report(error.with_note("constants and functions do not change; only a `let mut` does"));
                return None;
            }
            None => {
                let names: Vec<String> = self.scopes.iter().rev().map(|b| b.name.clone()).collect();
                let mut error = Diagnostic::error(
                    codes::UNKNOWN_NAME,
                    name.span,
                    format!("there is no variable `{}` here", name.text),
                );
                error = match closest(&name.text, names.iter().map(String::as_str)) {
                    Some(close) => error.with_fix(format!("did you mean `{close}`?"), name.span, close),
                    None => error.with_fix("declare it", name.span.start(), "let mut "),
                };
                self.cx.report(error);
                return None;
            }
        };
        let data = self.local(local);
        if data.info.ty == Type::Error {
            return None;
        }
        let (mutable, declared, depth) = (data.info.mutable, data.info.span, data.depth);
        if !mutable {
            self.cx.report(
                Diagnostic::error(
                    codes::NOT_MUTABLE,
                    name.span,
                    format!("`{}` cannot be assigned: it is not `mut`", name.text),
                )
                .with_label(declared, "declared here")
                .with_fix("make it mutable", declared.start(), "mut "),
            );
            return None;
        }
        // A variable from outside an array form cannot change inside it.
        let form = self.around.iter().rev().find(|(kind, _)| *kind == Around::ArrayForm);
        if let Some((_, form_depth)) = form
            && depth <= *form_depth
        {
            self.cx.report(
                Diagnostic::error(
                    codes::ASSIGNS_OUTER,
                    name.span,
                    format!("`{}` comes from outside this array form", name.text),
                )
                .with_label(declared, "declared here")
                .with_note("elements are independent of each other; use a `for` statement, or a reduction"),
            );
            return None;
        }
        Some(local)
    }

    fn store(&mut self, target: Target, op: Option<BinOp>, value: Expr, span: Span, out: &mut Vec<Stmt>) {
        if target.subs.is_empty() {
            self.store_whole(target, op, value, span, out);
        } else {
            self.store_part(target, op, value, span, out);
        }
    }

    /// `x = v`, `x.f = v`.
    fn store_whole(
        &mut self,
        target: Target,
        op: Option<BinOp>,
        value: Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let Target { local, path, base, span: place_span, .. } = target;
        let mut pre = Vec::new();
        let value = match op {
            None => value,
            Some(op) => {
                let value = self.hoist(out, value, "value");
                let old = self.place_value(local, &path, &base, place_span);
                self.binary_values(op, span, old, value, span)
            }
        };
        if value.ty == Type::Error {
            return;
        }
        let open = self.local(local).open.clone().filter(|_| path.is_empty());
        let value = if let Some(open) = &open {
            let want = match self.sizes_for_open(open, &value.ty) {
                Ok(sizes) => {
                    let want = open.with_sizes(&sizes);
                    self.open_sizes.insert(local, sizes);
                    want
                }
                Err(_) => base.clone(),
            };
            self.coerce(value, &want, Wanted { span: Some(place_span), what: "the variable" })
        } else {
            let value = self.spread(value, &base, &mut pre, span);
            let declared = self.local(local).info.span;
            self.coerce(value, &base, Wanted { span: Some(declared), what: "the variable" })
        };
        if value.ty == Type::Error {
            return;
        }
        out.append(&mut pre);
        out.push(Stmt { kind: StmtKind::Assign { local, path, value }, span });
        if let Some(open) = open {
            self.keep_sizes(local, &open, span, out);
        }
    }

    /// A value over a whole array place: scalars and missing axes stretch.
    fn spread(&mut self, value: Expr, want: &Type, pre: &mut Vec<Stmt>, span: Span) -> Expr {
        let have = self.shallow(&value.ty);
        if want.rank() <= have.rank() {
            return value;
        }
        let value = self.hoist(pre, value, "value");
        let sizes = want.sizes().to_vec();
        if !self.fits(&value, &sizes, pre, span) {
            return self.error(span);
        }
        self.build(sizes, span, &mut |body, locals| body.spread_elem(&value, &locals, span))
    }

    /// Checks that a value can be broadcast to a shape.
    fn fits(&mut self, value: &Expr, sizes: &[Size], pre: &mut Vec<Stmt>, span: Span) -> bool {
        let have = self.shallow(&value.ty).sizes().to_vec();
        if have.len() > sizes.len() {
            let shown = self.show(&value.ty);
            let rank = sizes.len();
            self.cx.report(Diagnostic::error(
                codes::WRONG_RANK,
                value.span,
                format!("the place has {rank} axes, the value is `{shown}`"),
            ));
            return false;
        }
        let missing = sizes.len() - have.len();
        for (want, have) in sizes[missing..].iter().zip(&have) {
            if have.as_constant() == Some(1) {
                continue;
            }
            let wanted = Wanted { span: Some(span), what: "the place" };
            if !self.same_size(pre, want, have, value.span, wanted) {
                return false;
            }
        }
        true
    }

    fn spread_elem(&mut self, value: &Expr, locals: &[Local], span: Span) -> Expr {
        let sizes = self.shallow(&value.ty).sizes().to_vec();
        if sizes.is_empty() {
            return value.clone();
        }
        let missing = locals.len() - sizes.len();
        let subs = sizes
            .iter()
            .zip(&locals[missing..])
            .map(
                |(size, local)| {
                    if size.as_constant() == Some(1) { self.int(0, span) } else { self.read(*local, span) }
                },
            )
            .collect();
        self.element(value.clone(), subs)
    }

    /// The present value of a place without its subscripts.
    fn place_value(&mut self, local: Local, path: &[u32], base: &Type, span: Span) -> Expr {
        let mut value = self.variable(local, span);
        if path.is_empty() {
            return value;
        }
        for (depth, index) in path.iter().enumerate() {
            let ty = if depth + 1 == path.len() { base.clone() } else { self.part_type(&value.ty, *index) };
            value = Expr { kind: ExprKind::Field(Box::new(value), *index), ty, span };
        }
        value
    }

    fn part_type(&mut self, ty: &Type, index: u32) -> Type {
        let ty = self.shallow(ty);
        let axes = ty.sizes().to_vec();
        let part = match self.shallow(ty.elem()) {
            Type::Tuple(parts) => parts.get(index as usize).cloned(),
            Type::Record(record) => self.fields(&record).get(index as usize).map(|field| field.ty.clone()),
            Type::Scalar(_) | Type::Array { .. } | Type::Infer(_) | Type::Param(_) | Type::Error => None,
        };
        part.unwrap_or(Type::Error).with_axes(axes)
    }

    /// `x[i, lo..hi] = v`.
    fn store_part(
        &mut self,
        target: Target,
        op: Option<BinOp>,
        value: Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let Target { local, path, base, subs, span: place_span } = target;
        let runs: Vec<Size> = subs
            .iter()
            .filter_map(|place| match place {
                Place::Run { size, .. } => Some(size.clone()),
                Place::At(_) => None,
            })
            .collect();
        // Fixed subscripts are evaluated once.
        let sizes = base.sizes().to_vec();
        let mut pre = Vec::new();
        let subs: Vec<Place> = subs
            .into_iter()
            .zip(&sizes)
            .map(|(place, size)| match place {
                Place::At(sub) if op.is_some() || !runs.is_empty() => {
                    let index = self.hoist(&mut pre, sub.index, "index");
                    if let Some(site) = sub.site {
                        self.check_index(&index, size, site, &mut pre);
                    }
                    Place::At(Sub { index, site: None })
                }
                place @ (Place::At(_) | Place::Run { .. }) => place,
            })
            .collect();
        out.append(&mut pre);
        let value = match op {
            None => value,
            Some(op) => {
                let old = self.place_value(local, &path, &base, place_span);
                let old = self.take(old, subs.clone(), place_span);
                let value = self.binary_values(op, span, old, value, span);
                if value.ty == Type::Error {
                    return;
                }
                self.hoist(out, value, "value")
            }
        };
        let elem = base.elem().clone();
        let have = self.shallow(&value.ty).elem().clone();
        let mut pairs = Vec::new();
        if let Err(mismatch) = self.unify(&elem, &have, &mut pairs) {
            self.mismatch(
                mismatch,
                &elem,
                &have,
                value.span,
                Wanted { span: Some(place_span), what: "the place" },
            );
            return;
        }
        if !self.fits(&value, &runs, out, place_span) {
            return;
        }
        let old = self.place_value(local, &path, &base, place_span);
        let (axes, subs, value) = self.in_region(|body| body.element_wise_store(subs, &value, span));
        let update = ExprKind::Update {
            dest: Box::new(old),
            axes,
            mask: None,
            prelude: Vec::new(),
            subs,
            value: Box::new(value),
        };
        let value = Expr { kind: update, ty: base, span };
        out.push(Stmt { kind: StmtKind::Assign { local, path, value }, span });
    }

    fn element_wise_store(
        &mut self,
        places: Vec<Place>,
        value: &Expr,
        span: Span,
    ) -> (Vec<LoopAxis>, Vec<Sub>, Expr) {
        let mut axes = Vec::new();
        let mut locals = Vec::new();
        let mut subs = Vec::new();
        for place in places {
            subs.push(match place {
                Place::At(sub) => sub,
                Place::Run { start, step, size } => {
                    let local = self.hidden_index("k", Some(size.clone()), span);
                    let count = Box::new(self.size_expr(size, span));
                    axes.push(LoopAxis { index: local, count });
                    locals.push(local);
                    let index = self.read(local, span);
                    Sub { index: self.affine(start, step, index, span), site: None }
                }
            });
        }
        let value = self.spread_elem(value, &locals, span);
        (axes, subs, value)
    }
}
