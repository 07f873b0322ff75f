//! `argmin`/`argmax` elements, `dot`, `fold`, `scatter`, `put`.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::{BinaryOp, CompareOp, Order};
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast::{self, BinOp, ExprKind as Ast, PatternKind};

use super::builtins::Args;
use super::call::{ArgValue, CallArg};
use super::coerce::Wanted;
use super::lambda::FnVal;
use super::{Around, BindingKind, Body};
use crate::check::round::float_bits;
use crate::codes;
use crate::typed::{
    Block, Expr, ExprKind, Local, LoopAxis, ScatterOp, Size, Step, Stmt, StmtKind, Sub, Type,
};

impl<'a> Body<'_, 'a, '_> {
    /// `(value, position, binder)` for `argmin`/`argmax` over a clause.
    pub fn arg_element(&mut self, value: Expr, binders: &'a [ast::Binder], span: Span) -> Expr {
        if value.ty == Type::Error {
            return value;
        }
        let mut values = Vec::new();
        let mut positions = Vec::new();
        for binder in binders {
            let PatternKind::Name { name, .. } = &binder.pattern.kind else {
                self.cx.report(Diagnostic::error(
                    codes::BAD_PATTERN,
                    binder.pattern.span,
                    "the binder of `argmin` and `argmax` needs one name: it is the result",
                ));
                return self.error(span);
            };
            let Some(BindingKind::Local(local)) = self.lookup(&name.text) else { return self.error(span) };
            let value = self.variable(local, span);
            positions.push(self.position_of(local, &value));
            values.push(value);
        }
        self.arg_tuple(value, positions, values, span)
    }

    /// Where a binder stands: itself if it counts, else the counter behind it.
    fn position_of(&mut self, local: Local, value: &Expr) -> Expr {
        if self.shallow(&value.ty) == Type::I64 && self.local(local).below.is_some() {
            return value.clone();
        }
        // The counter was made just before the variable.
        let mut counter = local;
        for index in (0..local.0).rev() {
            let candidate = Local(index);
            if self.local(candidate).hidden
                && self.local(candidate).below.is_some()
                && self.local(candidate).depth == self.local(local).depth
            {
                counter = candidate;
                break;
            }
        }
        let span = value.span;
        self.read(counter, span)
    }

    /// `(value, position, position)` for `argmin`/`argmax` of an array.
    pub fn indexed(&mut self, value: Expr, indices: Vec<Expr>, rank: usize, span: Span) -> Expr {
        let _ = rank;
        self.arg_tuple(value, indices.clone(), indices, span)
    }

    fn arg_tuple(&mut self, value: Expr, positions: Vec<Expr>, values: Vec<Expr>, span: Span) -> Expr {
        let tuple = |mut parts: Vec<Expr>, always: bool| {
            if parts.len() == 1 && !always {
                return parts.remove(0);
            }
            let ty = Type::Tuple(parts.iter().map(|part| part.ty.clone()).collect());
            Expr { kind: ExprKind::Tuple(parts), ty, span }
        };
        let position = tuple(positions, true);
        let binder = tuple(values, false);
        tuple(vec![value, position, binder], true)
    }

    /// The better of two `(value, position, binder)` triples; ties go to the lower position.
    pub fn better_arg(&mut self, smaller: bool, a: Expr, b: Expr, span: Span) -> Expr {
        let ty = self.shallow(&a.ty);
        let Type::Tuple(parts) = &ty else { return self.error(span) };
        let value_a = self.field_of(a.clone(), 0, parts[0].clone(), span);
        let value_b = self.field_of(b.clone(), 0, parts[0].clone(), span);
        let (wins, ties) = self.beats(smaller, &value_a, &value_b, span);
        if wins.ty == Type::Error || ties.ty == Type::Error {
            return self.error(span);
        }
        let Type::Tuple(positions) = self.shallow(&parts[1]) else { return self.error(span) };
        let at_a = self.field_of(a.clone(), 1, parts[1].clone(), span);
        let at_b = self.field_of(b.clone(), 1, parts[1].clone(), span);
        // Lexicographic: b before a.
        let mut before = self.constant(Scalar::Bool, 0, span);
        for (index, ty) in positions.iter().enumerate().rev() {
            let x = self.field_of(at_b.clone(), index as u32, ty.clone(), span);
            let y = self.field_of(at_a.clone(), index as u32, ty.clone(), span);
            let less = compare(CompareOp::Lt, &x, &y, span);
            let same = compare(CompareOp::Eq, &x, &y, span);
            before = logic(BinaryOp::Or, less, logic(BinaryOp::And, same, before, span), span);
        }
        let cond = logic(BinaryOp::Or, wins, logic(BinaryOp::And, ties, before, span), span);
        let kind = ExprKind::Select(Box::new(cond), Box::new(b), Box::new(a));
        Expr { kind, ty: ty.clone(), span }
    }

    /// Whether b beats a, and whether they tie, in the order of `min`/`max`: NaN wins, −0 < +0.
    fn beats(&mut self, smaller: bool, a: &Expr, b: &Expr, span: Span) -> (Expr, Expr) {
        let (op, name) = if smaller { (CompareOp::Lt, "lt") } else { (CompareOp::Gt, "gt") };
        // Which comparisons are needed depends on the type: it is decided now.
        self.default_var(&a.ty);
        let Some(scalar) = self.resolve(&a.ty).as_scalar() else {
            let wins = self.trait_fn(name, vec![b.clone(), a.clone()], span, if smaller { "<" } else { ">" });
            let loses =
                self.trait_fn(name, vec![a.clone(), b.clone()], span, if smaller { "<" } else { ">" });
            let not = |value: Expr| Expr {
                kind: ExprKind::Unary(we3_ir::op::UnaryOp::Not, Box::new(value)),
                ty: Type::BOOL,
                span,
            };
            let ties = logic(BinaryOp::And, not(wins.clone()), not(loses), span);
            return (wins, ties);
        };
        let wins = compare(op, b, a, span);
        let same = compare(CompareOp::Eq, b, a, span);
        if !scalar.is_float() {
            return (wins, same);
        }
        let nan = |value: &Expr| compare(CompareOp::Ne, value, value, span);
        let number = |value: &Expr| compare(CompareOp::Eq, value, value, span);
        let one = self.constant(scalar, float_bits(1.0, scalar), span);
        let sign = |value: &Expr| Expr {
            kind: ExprKind::Binary(BinaryOp::CopySign, Box::new(one.clone()), Box::new(value.clone()), None),
            ty: value.ty.clone(),
            span,
        };
        let (sign_a, sign_b) = (sign(a), sign(b));
        let zero_wins = logic(BinaryOp::And, same.clone(), compare(op, &sign_b, &sign_a, span), span);
        let nan_wins = logic(BinaryOp::And, nan(b), number(a), span);
        let wins = logic(BinaryOp::Or, nan_wins, logic(BinaryOp::Or, wins, zero_wins, span), span);
        let same = logic(BinaryOp::And, same, compare(CompareOp::Eq, &sign_b, &sign_a, span), span);
        let both_nan = logic(BinaryOp::And, nan(a), nan(b), span);
        (wins, logic(BinaryOp::Or, same, both_nan, span))
    }

    /// `dot(a, b for …)`, `dot(x, y)`.
    pub fn dot_call(
        &mut self,
        args: Args<'a>,
        clause: Option<&'a ast::ForClause>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let [left, right] = args.positional.as_slice() else {
            self.arity("`dot`", 2, args.positional.len(), span);
            return self.error(span);
        };
        let Some(clause) = clause else {
            let a = self.arg(left, None);
            let b = self.arg(right, None);
            for value in [&a, &b] {
                if value.ty != Type::Error && self.shallow(&value.ty).rank() != 1 {
                    let shown = self.show(&value.ty);
                    self.cx.report(
                        Diagnostic::error(
                            codes::WRONG_RANK,
                            value.span,
                            format!("`dot` takes vectors, this is `{shown}`"),
                        )
                        .with_note("for matrices write `a @ b`; over an index `dot(a[i, k], b[k, j] for k)`"),
                    );
                    return self.error(span);
                }
            }
            return self.matmul(a, b, span);
        };
        let (ArgValue::Ast(left), ArgValue::Ast(right)) = (&left.value, &right.value) else {
            return self.error(span);
        };
        if let Some(filter) = &clause.filter {
            self.cx.report(
                Diagnostic::error(codes::NEEDS_CLAUSE, filter.span, "`dot` has no filter")
                    .with_note("write `sum(a * b for … if …)`"),
            );
            return self.error(span);
        }
        self.dot_clause(left, right, clause, hint, span)
    }

    fn dot_clause(
        &mut self,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        clause: &'a ast::ForClause,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let mut domains = Vec::new();
        let mut pre = Vec::new();
        for binder in &clause.binders {
            match self.domain(binder, Some(&[left, right]), false) {
                Some(domain) => {
                    pre.extend(domain.pre.iter().cloned());
                    domains.push(domain);
                }
                None => {
                    self.check_body_anyway(left, clause);
                    return self.error(span);
                }
            }
        }
        let mut axes = Vec::new();
        let depth = self.depth;
        let (stmts, a, b) = self.in_region(|body| {
            body.in_scope(|body| {
                let mut stmts = Vec::new();
                for (domain, binder) in domains.iter().zip(&clause.binders) {
                    let index = body.enter_domain(domain, binder, &mut stmts);
                    axes.push(LoopAxis { index, count: Box::new(domain.count.clone()) });
                }
                body.around.push((Around::ArrayForm, depth));
                let a = body.expr(left, hint);
                let ty = a.ty.clone();
                let b = body.expr(right, if ty == Type::Error { None } else { Some(&ty) });
                body.around.pop();
                (stmts, a, b)
            })
        });
        let a = if a.ty == Type::Error { a } else { self.wrap(stmts, a) };
        let value = self.make_dot(axes, a, b, span);
        if value.ty == Type::Error { value } else { self.wrap(pre, value) }
    }

    /// A `dot` along one axis; `factors` gives both factors at an index.
    pub fn dot_over(
        &mut self,
        size: Size,
        span: Span,
        factors: &mut dyn FnMut(&mut Self, Local) -> (Expr, Expr),
    ) -> Expr {
        let (index, (a, b)) = self.in_region(|body| {
            let index = body.hidden_index("k", Some(size.clone()), span);
            (index, factors(body, index))
        });
        let count = Box::new(self.size_expr(size, span));
        self.make_dot(vec![LoopAxis { index, count }], a, b, span)
    }

    fn make_dot(&mut self, axes: Vec<LoopAxis>, a: Expr, b: Expr, span: Span) -> Expr {
        if a.ty == Type::Error || b.ty == Type::Error {
            return self.error(span);
        }
        if self.is_array(&a.ty) || self.is_array(&b.ty) || !self.unify_elem(&a.ty, &b.ty) {
            let (left, right) = (self.show(&a.ty), self.show(&b.ty));
            self.cx.report(
                Diagnostic::error(codes::TYPE_MISMATCH, span, format!("`dot` of `{left}` and `{right}`"))
                    .with_note("both factors are elements of one type"),
            );
            return self.error(span);
        }
        let ty = self.resolve(&a.ty);
        let scalar_dot = |a: Expr, b: Expr, ty: Type| Expr {
            kind: ExprKind::Dot { axes: axes.clone(), a: Box::new(a), b: Box::new(b) },
            ty,
            span,
        };
        match &ty {
            Type::Scalar(half @ (Scalar::F16 | Scalar::Bf16)) => {
                let (a, b) = (self.convert(a, Scalar::F32), self.convert(b, Scalar::F32));
                let value = scalar_dot(a, b, Type::Scalar(Scalar::F32));
                self.convert(value, *half)
            }
            Type::Scalar(Scalar::Bool) => {
                self.trait_fn("mul", vec![a, b], span, "*");
                self.error(span)
            }
            Type::Scalar(_) | Type::Infer(_) => scalar_dot(a, b, ty),
            Type::Array { .. } | Type::Tuple(_) | Type::Record(_) | Type::Param(_) | Type::Error => {
                self.dot_by(axes, a, b, ty, span)
            }
        }
    }

    fn dot_by(&mut self, axes: Vec<LoopAxis>, a: Expr, b: Expr, ty: Type, span: Span) -> Expr {
        let pair = Type::Tuple(vec![ty.clone(), ty.clone()]);
        let body = Expr { kind: ExprKind::Tuple(vec![a, b]), ty: pair.clone(), span };
        let of = self.cx.builtin_trait("Semiring");
        let zero = self.trait_const(of, "zero", &ty, span);
        let step = self.in_region(|checker| {
            let acc = checker.new_local("acc", ty.clone(), span);
            let elem = checker.new_local("elem", pair.clone(), span);
            checker.local_mut(acc).hidden = true;
            checker.local_mut(elem).hidden = true;
            let (total, factors) = (checker.read(acc, span), checker.read(elem, span));
            let left = checker.field_of(factors.clone(), 0, ty.clone(), span);
            let right = checker.field_of(factors, 1, ty.clone(), span);
            let next = checker.trait_fn("mul_add", vec![left, right, total], span, "mul_add");
            Step { acc, elem, body: Box::new(next) }
        });
        if step.body.ty == Type::Error {
            return self.error(span);
        }
        let join =
            self.combine_with(&ty, span, &mut |checker, p, q| checker.trait_fn("add", vec![p, q], span, "+"));
        let Some(join) = join else { return self.error(span) };
        let kind = ExprKind::DotBy { axes, zero: Box::new(zero), body: Box::new(body), step, join };
        Expr { kind, ty, span }
    }

    /// `fold(f, init, e for …)`: a loop.
    pub fn fold_call(
        &mut self,
        args: Args<'a>,
        clause: Option<&'a ast::ForClause>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let Some((function, init, source)) = self.op_init_source("fold", &args, span) else {
            return self.error(span);
        };
        let init = self.arg(&init, hint);
        if init.ty == Type::Error {
            return init;
        }
        let ty = init.ty.clone();
        let mut pre = Vec::new();
        let acc = self.hoist_local(&mut pre, init, "acc");
        self.local_mut(acc).info.mutable = true;
        self.local_mut(acc).size = None;
        let mut step = |body: &mut Self, elem: Expr| -> Option<Stmt> {
            let total = body.read(acc, span);
            let next = body.apply(&function, vec![total, elem], span);
            let next = body.coerce(next, &ty, Self::plain("the accumulator"));
            let kind = StmtKind::Assign { local: acc, path: Vec::new(), value: next.clone() };
            (next.ty != Type::Error).then_some(Stmt { kind, span })
        };
        let done = match (clause, &source.value) {
            (Some(clause), ArgValue::Ast(expr)) => {
                self.fold_clause(&clause.binders, clause.filter.as_ref(), expr, &mut step, &mut pre, span)
            }
            _ => self.fold_array(&source, &mut step, &mut pre, span),
        };
        if done.is_none() {
            return self.error(span);
        }
        let result = self.read(acc, span);
        self.wrap(pre, result)
    }

    fn fold_clause(
        &mut self,
        binders: &'a [ast::Binder],
        filter: Option<&'a ast::Expr>,
        expr: &'a ast::Expr,
        step: &mut dyn FnMut(&mut Self, Expr) -> Option<Stmt>,
        out: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<()> {
        let (binder, rest) = binders.split_first()?;
        let mut bodies = vec![expr];
        bodies.extend(filter);
        let domain = self.domain(binder, Some(&bodies), false)?;
        out.extend(domain.pre.iter().cloned());
        let mut index = None;
        let depth = self.depth;
        let stmts = self.in_region(|body| {
            body.in_scope(|body| {
                let mut stmts = Vec::new();
                index = Some(body.enter_domain(&domain, binder, &mut stmts));
                if !rest.is_empty() {
                    body.fold_clause(rest, filter, expr, step, &mut stmts, span)?;
                    return Some(stmts);
                }
                body.around.push((Around::ArrayForm, depth));
                let cond = filter.map(|filter| {
                    let cond = body.expr(filter, Some(&Type::BOOL));
                    body.condition(cond)
                });
                let mut inner = Vec::new();
                let elem = body.expr(expr, None);
                let done = if elem.ty == Type::Error { None } else { step(body, elem) };
                body.around.pop();
                inner.push(done?);
                match cond {
                    None => stmts.append(&mut inner),
                    Some(cond) if cond.ty == Type::Error => return None,
                    Some(cond) => {
                        let kind = ExprKind::If {
                            cond: Box::new(cond),
                            then: Box::new(Block { stmts: inner, value: None }),
                            otherwise: Box::default(),
                        };
                        let branch = Expr { kind, ty: Type::UNIT, span };
                        stmts.push(Stmt { kind: StmtKind::Expr(branch), span });
                    }
                }
                Some(stmts)
            })
        })?;
        let axis = LoopAxis { index: index?, count: Box::new(domain.count.clone()) };
        out.push(Stmt { kind: StmtKind::For { axis, body: Block { stmts, value: None } }, span });
        Some(())
    }

    fn fold_array(
        &mut self,
        source: &CallArg<'a>,
        step: &mut dyn FnMut(&mut Self, Expr) -> Option<Stmt>,
        out: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<()> {
        let array = self.source_array(source, "fold", out, span)?;
        let size = self.shallow(&array.ty).sizes().first().cloned()?;
        let (index, stmt) = self.in_region(|body| {
            let index = body.hidden_index("k", Some(size.clone()), span);
            let at = body.read(index, span);
            let elem = body.outer_element(array.clone(), at, span);
            (index, step(body, elem))
        });
        let count = Box::new(self.size_expr(size, span));
        let block = Block { stmts: vec![stmt?], value: None };
        out.push(Stmt { kind: StmtKind::For { axis: LoopAxis { index, count }, body: block }, span });
        Some(())
    }

    /// `scatter(op, dest, (index, value) for …)`, `put(dest, (index, value) for …)`.
    pub fn scatter_call(
        &mut self,
        put: bool,
        args: Args<'a>,
        clause: Option<&'a ast::ForClause>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let name = if put { "put" } else { "scatter" };
        let wanted = if put { 2 } else { 3 };
        let (Some(clause), true) = (clause, args.positional.len() == wanted) else {
            let form = if put { "put(dest, (i, v) for …)" } else { "scatter(+, dest, (i, v) for …)" };
            self.cx.report(Diagnostic::error(
                codes::NEEDS_CLAUSE,
                span,
                format!("`{name}` is written `{form}`"),
            ));
            return self.error(span);
        };
        let function = if put {
            None
        } else {
            let ArgValue::Ast(op) = &args.positional[0].value else { return self.error(span) };
            match self.fn_value(op, "the first argument of `scatter`") {
                Some(function) if self.may_associate(&function, args.positional[0].span).is_some() => {
                    Some(function)
                }
                Some(_) | None => return self.error(span),
            }
        };
        let dest = self.arg(&args.positional[wanted - 2], hint);
        let ArgValue::Ast(pair) = &args.positional[wanted - 1].value else { return self.error(span) };
        if dest.ty == Type::Error {
            return dest;
        }
        let sizes = self.shallow(&dest.ty).sizes().to_vec();
        if sizes.is_empty() {
            let shown = self.show(&dest.ty);
            self.cx.report(Diagnostic::error(
                codes::NOT_AN_ARRAY,
                dest.span,
                format!("`{name}` writes into an array, this is `{shown}`"),
            ));
            return self.error(span);
        }
        let mut pre = Vec::new();
        let dest = self.hoist(&mut pre, dest, "dest");
        let Some(parts) = self.updates(pair, clause, &dest, &sizes, &mut pre, span) else {
            return self.error(span);
        };
        let ty = dest.ty.clone();
        let dest = Box::new(dest);
        let Updates { axis, mask, prelude, subs, value } = parts;
        let kind = match function {
            None => ExprKind::Update { dest, axes: vec![axis], mask, prelude, subs, value: Box::new(value) },
            Some(function) => {
                let elem = self.shallow(ty.elem());
                let Some(op) = self.scatter_op(&function, &elem, span) else { return self.error(span) };
                ExprKind::Scatter { op, dest, axis, mask, prelude, subs, value: Box::new(value) }
            }
        };
        self.wrap(pre, Expr { kind, ty, span })
    }

    fn scatter_op(&mut self, function: &FnVal<'a>, elem: &Type, span: Span) -> Option<ScatterOp> {
        let scalar = self
            .resolve(elem)
            .as_scalar()
            .is_some_and(|scalar| !matches!(scalar, Scalar::Bool | Scalar::F16 | Scalar::Bf16));
        match function {
            FnVal::Operator(BinOp::Add) if scalar => Some(ScatterOp::Sum),
            FnVal::Operator(BinOp::Mul) if scalar => Some(ScatterOp::Prod),
            FnVal::Builtin("min", _) if scalar => Some(ScatterOp::Min),
            FnVal::Builtin("max", _) if scalar => Some(ScatterOp::Max),
            FnVal::Lambda { .. }
            | FnVal::Def(_)
            | FnVal::TraitFn { .. }
            | FnVal::Operator(_)
            | FnVal::Builtin(..)
            | FnVal::Given { .. }
            | FnVal::Abstract { .. } => {
                let order = if self.is_commutative(function) { Order::Lanes } else { Order::Pairs };
                let combine = self.combine(function, elem, span)?;
                Some(ScatterOp::Combine { order, combine })
            }
        }
    }

    /// The updates of a `scatter` or `put`: one axis, flattened if there are several binders.
    fn updates(
        &mut self,
        pair: &'a ast::Expr,
        clause: &'a ast::ForClause,
        dest: &Expr,
        sizes: &[Size],
        pre: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<Updates> {
        let mut bodies = vec![pair];
        bodies.extend(&clause.filter);
        let Some(flat) = self.flatten(&clause.binders, &bodies, false, pre, span) else {
            self.check_body_anyway(pair, clause);
            return None;
        };
        let mut binders = Vec::new();
        let mut prelude = Vec::new();
        let depth = self.depth;
        let (index, mask, at) = self.in_region(|body| {
            body.in_scope(|body| {
                let index = body.enter_flat(&flat, &bodies, &mut binders, span)?;
                body.around.push((Around::ArrayForm, depth));
                let mask = clause.filter.as_ref().map(|filter| {
                    let cond = body.expr(filter, Some(&Type::BOOL));
                    body.condition(cond)
                });
                let at = body.index_and_value(pair, dest, sizes, &mut prelude);
                body.around.pop();
                Some((index, mask, at))
            })
        })?;
        let (subs, value) = at?;
        let axis = LoopAxis { index, count: Box::new(flat.count.clone()) };
        match mask {
            // What the mask needs goes before it.
            Some(mask) if mask.ty == Type::Error => None,
            Some(mask) => {
                let mask = Some(Box::new(self.wrap(binders, mask)));
                Some(Updates { axis, mask, prelude, subs, value })
            }
            None => {
                binders.append(&mut prelude);
                Some(Updates { axis, mask: None, prelude: binders, subs, value })
            }
        }
    }

    /// `(index, value)` or `((i, j), value)`.
    fn index_and_value(
        &mut self,
        pair: &'a ast::Expr,
        dest: &Expr,
        sizes: &[Size],
        prelude: &mut Vec<Stmt>,
    ) -> Option<(Vec<Sub>, Expr)> {
        let elem = self.shallow(dest.ty.elem());
        let span = pair.span;
        let Ast::Tuple(parts) = &pair.without_parens().kind else {
            let value = self.expr(pair, None);
            if value.ty != Type::Error {
                self.cx.report(Diagnostic::error(
                    codes::BAD_ELEMENT,
                    span,
                    "an update is written `(index, value)`",
                ));
            }
            return None;
        };
        let [index, value] = parts.as_slice() else {
            self.cx.report(
                Diagnostic::error(
                    codes::BAD_ELEMENT,
                    span,
                    format!("an update is `(index, value)`, this has {} parts", parts.len()),
                )
                .with_note("for several axes: `((i, j), value)`"),
            );
            return None;
        };
        let indices = self.update_indices(index, prelude);
        if indices.len() != sizes.len() {
            let shown = self.show(&dest.ty);
            self.cx.report(
                Diagnostic::error(
                    codes::TOO_MANY_SUBSCRIPTS,
                    index.span,
                    format!("{} subscripts for `{shown}`", indices.len()),
                )
                .with_note("an update replaces one element: give an index for every axis, `((i, j), value)`"),
            );
            return None;
        }
        let value = self.expr(value, Some(&elem));
        let value = self.coerce(value, &elem, Wanted { span: Some(dest.span), what: "the element" });
        if value.ty == Type::Error || indices.iter().any(|index| index.ty == Type::Error) {
            return None;
        }
        let subs = indices
            .into_iter()
            .zip(sizes)
            .map(|(index, size)| {
                let site = self.bounds_site(&index, size);
                Sub { index, site }
            })
            .collect();
        Some((subs, value))
    }

    /// The subscripts of an update: the parts of a tuple, or one index.
    fn update_indices(&mut self, index: &'a ast::Expr, prelude: &mut Vec<Stmt>) -> Vec<Expr> {
        if let Ast::Tuple(parts) = &index.without_parens().kind {
            return parts.iter().map(|part| self.index_value(part)).collect();
        }
        let value = self.expr(index, Some(&Type::I64));
        let ty = self.shallow(&value.ty);
        let Some(types) = ty.parts() else { return vec![self.as_index(value)] };
        let value = self.hoist(prelude, value, "index");
        types
            .iter()
            .enumerate()
            .map(|(part, ty)| {
                let at = self.field_of(value.clone(), part as u32, ty.clone(), index.span);
                self.as_index(at)
            })
            .collect()
    }
}

struct Updates {
    axis: LoopAxis,
    mask: Option<Box<Expr>>,
    prelude: Vec<Stmt>,
    subs: Vec<Sub>,
    value: Expr,
}

fn compare(op: CompareOp, a: &Expr, b: &Expr, span: Span) -> Expr {
    Expr { kind: ExprKind::Compare(op, Box::new(a.clone()), Box::new(b.clone())), ty: Type::BOOL, span }
}

fn logic(op: BinaryOp, a: Expr, b: Expr, span: Span) -> Expr {
    Expr { kind: ExprKind::Binary(op, Box::new(a), Box::new(b), None), ty: Type::BOOL, span }
}
