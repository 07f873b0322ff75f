//! Looking ahead in the syntax tree: which axes a binder alone subscripts, which names a block assigns.

use we3_ir::span::Span;
use we3_parser::ast::{
    Block, Expr, ExprKind, ForClause, Pattern, PatternKind, Place, PlaceKind, PlaceStep, Source, Stmt,
    StmtKind, Subscript,
};

use super::{BindingKind, Body};
use crate::check::defs::Def;
use crate::typed::{Size, Type};

impl<'a> Body<'_, 'a, '_> {
    /// Every axis that `name` alone subscripts, of arrays known here, with the subscripted expression's place.
    pub fn axes_subscripted(&mut self, name: &str, bodies: &[&'a Expr]) -> Vec<(Size, Span)> {
        let mut probe = Probe { name, bound: Vec::new(), found: Vec::new(), free: Vec::new() };
        bodies.iter().for_each(|body| probe.expr(body));
        let found = probe.found;
        found
            .into_iter()
            .filter_map(|(base, axis)| {
                let ty = self.static_type(base)?;
                Some((ty.sizes().get(axis)?.clone(), base.span))
            })
            .collect()
    }

    /// The type of a variable, field or row without checking it.
    fn static_type(&mut self, expr: &'a Expr) -> Option<Type> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.static_type(inner),
            ExprKind::Path(path) => {
                let name = path.as_name()?;
                if let Some(kind) = self.lookup(&name.text) {
                    let BindingKind::Local(local) = kind else { return None };
                    let data = self.local(local);
                    return match &data.open {
                        Some(open) => {
                            self.open_sizes.get(&local).map(|sizes| self.shallow(&open.with_sizes(sizes)))
                        }
                        None => Some(self.shallow(&data.info.ty)),
                    };
                }
                let Def::Const(id) = self.cx.own_name(self.module, &name.text)? else { return None };
                Some(self.cx.const_info(id, expr.span)?.ty)
            }
            ExprKind::Field { base, field } => {
                let ty = self.static_type(base)?;
                self.cx.quiet += 1;
                let errors = self.cx.errors;
                let found = self.field_index(&ty, field, expr.span);
                self.cx.errors = errors;
                self.cx.quiet -= 1;
                let sizes = ty.sizes().to_vec();
                found.map(|(_, part)| part.with_axes(sizes))
            }
            ExprKind::Index { base, subscripts } => {
                let ty = self.static_type(base)?;
                let mut sizes = Vec::new();
                for (index, size) in ty.sizes().iter().enumerate() {
                    match subscripts.get(index) {
                        Some(Subscript::At(_)) => {}
                        Some(Subscript::Slice { lo: None, hi: None, step: None, .. }) | None => {
                            sizes.push(size.clone());
                        }
                        Some(Subscript::Slice { .. }) => return None,
                    }
                }
                Some(ty.elem().clone().with_axes(sizes))
            }
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Str(_)
            | ExprKind::Operator(_)
            | ExprKind::Unary { .. }
            | ExprKind::Binary { .. }
            | ExprKind::Cast { .. }
            | ExprKind::Call { .. }
            | ExprKind::Tuple(_)
            | ExprKind::Array(_)
            | ExprKind::Comprehension { .. }
            | ExprKind::Record { .. }
            | ExprKind::If { .. }
            | ExprKind::Block(_)
            | ExprKind::Lambda { .. }
            | ExprKind::Precompute(_)
            | ExprKind::Error => None,
        }
    }
}

/// The names that an expression reads and does not bind itself, each once.
pub fn free_names(expr: &Expr) -> Vec<&str> {
    let mut probe = Probe { name: "", bound: Vec::new(), found: Vec::new(), free: Vec::new() };
    probe.expr(expr);
    probe.free
}

struct Probe<'n, 'a> {
    name: &'n str,
    /// Names bound inside the body.
    bound: Vec<&'a str>,
    found: Vec<(&'a Expr, usize)>,
    /// Names read that are not bound inside.
    free: Vec<&'a str>,
}

impl<'a> Probe<'_, 'a> {
    fn shadowed(&self) -> bool {
        self.bound.contains(&self.name)
    }

    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Index { base, subscripts } => {
                self.expr(base);
                for (axis, subscript) in subscripts.iter().enumerate() {
                    if let Subscript::At(at) = subscript
                        && is_name(at, self.name)
                        && !self.shadowed()
                        && root(base).is_some_and(|root| !self.bound.contains(&root))
                    {
                        self.found.push((base, axis));
                    }
                    self.subscript(subscript);
                }
            }
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
            }
            ExprKind::Cast { value, .. } => self.expr(value),
            ExprKind::Call { callee, args, clause } => {
                let depth = self.bound.len();
                if !matches!(callee.kind, ExprKind::Path(_)) {
                    self.expr(callee);
                }
                if let Some(clause) = clause {
                    self.clause(clause);
                }
                args.iter().for_each(|arg| self.expr(&arg.value));
                self.bound.truncate(depth);
            }
            ExprKind::Field { base, .. } => self.expr(base),
            ExprKind::Paren(inner) | ExprKind::Precompute(inner) => self.expr(inner),
            ExprKind::Tuple(parts) | ExprKind::Array(parts) => {
                parts.iter().for_each(|part| self.expr(part));
            }
            ExprKind::Comprehension { body, clause, .. } => {
                let depth = self.bound.len();
                self.clause(clause);
                self.expr(body);
                self.bound.truncate(depth);
            }
            ExprKind::Record { fields, base, .. } => {
                fields.iter().for_each(|field| self.expr(&field.value));
                if let Some(base) = base {
                    self.expr(base);
                }
            }
            ExprKind::If { cond, then, otherwise } => {
                self.expr(cond);
                self.block(then);
                if let Some(otherwise) = otherwise {
                    self.expr(otherwise);
                }
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::Lambda { params, body } => {
                let depth = self.bound.len();
                params.iter().for_each(|param| self.pattern(&param.pattern));
                self.expr(body);
                self.bound.truncate(depth);
            }
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Str(_)
            | ExprKind::Operator(_)
            | ExprKind::Error => {}
            ExprKind::Path(path) => {
                let name = path.as_name().map(|name| name.text.as_str());
                self.free.extend(name.filter(|name| !self.bound.contains(name) && !self.free.contains(name)));
            }
        }
    }

    fn subscript(&mut self, subscript: &'a Subscript) {
        match subscript {
            Subscript::At(expr) => self.expr(expr),
            Subscript::Slice { lo, hi, step, .. } => {
                [lo, hi, step].into_iter().flatten().for_each(|part| self.expr(part));
            }
        }
    }

    /// Sources are looked into, then the names are bound.
    fn clause(&mut self, clause: &'a ForClause) {
        for binder in &clause.binders {
            match &binder.source {
                Some(Source::Range(range)) => {
                    self.expr(&range.lo);
                    self.expr(&range.hi);
                    range.step.iter().for_each(|step| self.expr(step));
                }
                Some(Source::Values(values)) => self.expr(values),
                None => {}
            }
        }
        clause.binders.iter().for_each(|binder| self.pattern(&binder.pattern));
        clause.filter.iter().for_each(|filter| self.expr(filter));
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        match &pattern.kind {
            PatternKind::Name { name, .. } => self.bound.push(&name.text),
            PatternKind::Tuple(parts) => parts.iter().for_each(|part| self.pattern(part)),
            PatternKind::Wildcard | PatternKind::Error => {}
        }
    }

    fn block(&mut self, block: &'a Block) {
        let depth = self.bound.len();
        block.stmts.iter().for_each(|stmt| self.stmt(stmt));
        if let Some(value) = &block.value {
            self.expr(value);
        }
        self.bound.truncate(depth);
    }

    fn stmt(&mut self, stmt: &'a Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern, value, .. } => {
                self.expr(value);
                self.pattern(pattern);
            }
            StmtKind::Assign { place, value, .. } => {
                self.expr(value);
                self.place(place);
            }
            StmtKind::While { cond, body } => {
                self.expr(cond);
                self.block(body);
            }
            StmtKind::For { clause, body } => {
                let depth = self.bound.len();
                self.clause(clause);
                self.block(body);
                self.bound.truncate(depth);
            }
            StmtKind::Return(value) => value.iter().for_each(|value| self.expr(value)),
            StmtKind::Assert { cond, .. } => self.expr(cond),
            StmtKind::Expr(value) => self.expr(value),
            StmtKind::Break | StmtKind::Continue | StmtKind::Error => {}
        }
    }

    fn place(&mut self, place: &'a Place) {
        match &place.kind {
            PlaceKind::Var { steps, .. } => {
                for step in steps {
                    if let PlaceStep::Index { subscripts, .. } = step {
                        subscripts.iter().for_each(|subscript| self.subscript(subscript));
                    }
                }
            }
            PlaceKind::Tuple(places) => places.iter().for_each(|place| self.place(place)),
            PlaceKind::Error => {}
        }
    }
}

fn is_name(expr: &Expr, name: &str) -> bool {
    expr.without_parens().as_name().is_some_and(|found| found.text == name)
}

/// The variable at the root of `x.f[i].g`.
fn root(expr: &Expr) -> Option<&str> {
    let expr = expr.without_parens();
    if let ExprKind::Field { base, .. } | ExprKind::Index { base, .. } = &expr.kind {
        root(base)
    } else {
        expr.as_name().map(|name| name.text.as_str())
    }
}

/// Names that a block assigns, in any depth (shadowing only makes the answer larger).
pub fn assigned_in_block(block: &Block, names: &mut Vec<String>) {
    for stmt in &block.stmts {
        match &stmt.kind {
            StmtKind::Assign { place, value, .. } => {
                assigned_place(place, names);
                assigned_in_expr(value, names);
            }
            StmtKind::While { body, .. } | StmtKind::For { body, .. } => {
                assigned_in_block(body, names);
            }
            StmtKind::Expr(expr) => assigned_in_expr(expr, names),
            StmtKind::Let { value, .. } => assigned_in_expr(value, names),
            StmtKind::Break
            | StmtKind::Continue
            | StmtKind::Return(_)
            | StmtKind::Assert { .. }
            | StmtKind::Error => {}
        }
    }
    if let Some(value) = &block.value {
        assigned_in_expr(value, names);
    }
}

fn assigned_place(place: &Place, names: &mut Vec<String>) {
    match &place.kind {
        PlaceKind::Var { name, .. } => names.push(name.text.clone()),
        PlaceKind::Tuple(places) => places.iter().for_each(|place| assigned_place(place, names)),
        PlaceKind::Error => {}
    }
}

/// Names that the blocks inside an expression assign.
pub fn assigned_in_expr(expr: &Expr, names: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::If { then, otherwise, .. } => {
            assigned_in_block(then, names);
            if let Some(otherwise) = otherwise {
                assigned_in_expr(otherwise, names);
            }
        }
        ExprKind::Block(block) => assigned_in_block(block, names),
        ExprKind::Paren(inner) => assigned_in_expr(inner, names),
        ExprKind::Binary { lhs, rhs, .. } => {
            assigned_in_expr(lhs, names);
            assigned_in_expr(rhs, names);
        }
        ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Bool(_)
        | ExprKind::Str(_)
        | ExprKind::Path(_)
        | ExprKind::Operator(_)
        | ExprKind::Unary { .. }
        | ExprKind::Cast { .. }
        | ExprKind::Call { .. }
        | ExprKind::Field { .. }
        | ExprKind::Index { .. }
        | ExprKind::Tuple(_)
        | ExprKind::Array(_)
        | ExprKind::Comprehension { .. }
        | ExprKind::Record { .. }
        | ExprKind::Lambda { .. }
        | ExprKind::Precompute(_)
        | ExprKind::Error => {}
    }
}
