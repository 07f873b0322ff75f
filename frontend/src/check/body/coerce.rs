//! A value where a type is wanted: types must be equal, sizes are proved equal, refuted, or checked
//! at run time.

use std::cmp::Ordering;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::CompareOp;
use we3_ir::span::Span;

use super::infer::Mismatch;
use super::{Body, VarKind};
use crate::codes;
use crate::typed::{Atom, Block, Expr, ExprKind, SiteKind, Size, Stmt, StmtKind, Type};

/// What the prover says of `a == b`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Equal,
    Different,
    Unknown,
}

/// Where a wanted type comes from, for messages.
#[derive(Clone, Copy)]
pub struct Wanted<'t> {
    /// The place that asks, if it is another than the value.
    pub span: Option<Span>,
    /// What asks: "the parameter `x`".
    pub what: &'t str,
}

impl Body<'_, '_, '_> {
    /// `value` as a `want`; checks are put before it where needed.
    pub fn coerce(&mut self, value: Expr, want: &Type, wanted: Wanted<'_>) -> Expr {
        let mut pairs = Vec::new();
        if let Err(mismatch) = self.unify(want, &value.ty, &mut pairs) {
            self.mismatch(mismatch, want, &value.ty, value.span, wanted);
            return self.error(value.span);
        }
        let mut checks = Vec::new();
        let mut ok = true;
        for (want, have) in &pairs {
            ok &= self.same_size(&mut checks, want, have, value.span, wanted);
        }
        if !ok {
            return self.error(value.span);
        }
        let same = pairs.iter().all(|(want, have)| want == have);
        if checks.is_empty() && same {
            return value;
        }
        let span = value.span;
        let mut stmts = Vec::new();
        let value = if checks.is_empty() { value } else { self.hoist(&mut stmts, value, "value") };
        stmts.append(&mut checks);
        let block = Block { stmts, value: Some(Box::new(value)) };
        Expr { kind: ExprKind::Block(Box::new(block)), ty: want.clone(), span }
    }

    /// Checks that two sizes are equal: nothing to do, a statement, or an error (then false).
    pub fn same_size(
        &mut self,
        checks: &mut Vec<Stmt>,
        want: &Size,
        have: &Size,
        span: Span,
        wanted: Wanted<'_>,
    ) -> bool {
        if self.solve_hole(want, have) || self.solve_hole(have, want) {
            return true;
        }
        match self.compare_sizes(want, have) {
            Verdict::Equal => true,
            Verdict::Different => {
                self.report_sizes(want, have, span, wanted);
                false
            }
            Verdict::Unknown => {
                self.check_sizes(checks, want, have, span, wanted);
                true
            }
        }
    }

    /// Emits a run-time check of an equality and remembers it.
    fn check_sizes(
        &mut self,
        checks: &mut Vec<Stmt>,
        want: &Size,
        have: &Size,
        span: Span,
        wanted: Wanted<'_>,
    ) {
        let (left, right) = (self.show_size(have), self.show_size(want));
        let other = wanted.span.unwrap_or(span);
        if self.cx.options.warn_sizes && !self.abstract_mode {
            let message = format!("whether `{left}` equals `{right}` is checked at run time");
            let mut note = Diagnostic::warning(codes::RUN_TIME_SIZE, span, message)
                .with_here(format!("has size `{left}`"));
            if other != span {
                note = note.with_label(other, format!("{} has size `{right}`", wanted.what));
            }
            self.cx.report(note);
        }
        let kind = SiteKind::SizeMismatch { left, left_span: span, right, right_span: other };
        let site = self.site(span, kind);
        let a = self.size_expr(have.clone(), span);
        let b = self.size_expr(want.clone(), span);
        let cond = Expr {
            kind: ExprKind::Compare(CompareOp::Eq, Box::new(a.clone()), Box::new(b.clone())),
            ty: Type::BOOL,
            span,
        };
        checks.push(Stmt { kind: StmtKind::Check { cond, site, notes: vec![a, b] }, span });
        self.learn_equal(want, have);
    }

    /// What is known about `a == b`.
    pub fn compare_sizes(&self, a: &Size, b: &Size) -> Verdict {
        let difference = self.reduce_size(&a.minus(b));
        match difference.as_constant() {
            Some(0) => Verdict::Equal,
            Some(_) => Verdict::Different,
            None => match self.sign(&difference) {
                Some(Ordering::Equal) | None => Verdict::Unknown,
                Some(_) => Verdict::Different,
            },
        }
    }

    /// Applies the equalities known here.
    pub fn reduce_size(&self, size: &Size) -> Size {
        let mut size = self.fill_holes(size);
        for (atom, value) in &self.facts {
            size = size.subst(&|seen| (seen == atom).then(|| value.clone()));
        }
        size
    }

    /// A size that is open until something asks for it.
    pub fn size_hole(&mut self, name: &str, span: Span) -> Size {
        let local = self.hidden_index(name, None, span);
        self.holes.push((local, None));
        Size::local(local)
    }

    /// If `hole` is an open size, it is `size` from now on.
    fn solve_hole(&mut self, hole: &Size, size: &Size) -> bool {
        let hole = self.fill_holes(hole);
        let Some(Atom::Local(local)) = hole.as_atom() else { return false };
        let Some(at) = self.holes.iter().position(|(open, value)| open == local && value.is_none()) else {
            return false;
        };
        let size = self.fill_holes(size);
        let mut inside = false;
        size.for_each_atom(&mut |atom| inside |= *atom == Atom::Local(*local));
        if !inside {
            self.holes[at].1 = Some(size);
        }
        true
    }

    /// Open sizes replaced by what was found for them.
    pub fn fill_holes(&self, size: &Size) -> Size {
        if self.holes.is_empty() {
            return size.clone();
        }
        let mut size = size.clone();
        for _ in 0..self.holes.len() {
            let filled = size.subst(&|atom| {
                let Atom::Local(local) = atom else { return None };
                self.holes.iter().find(|(hole, _)| hole == local).and_then(|(_, value)| value.clone())
            });
            if filled == size {
                break;
            }
            size = filled;
        }
        size
    }

    /// The sign of a size if it follows from the signs of its terms: all ≥ 0 and one > 0, or the reverse.
    fn sign(&self, size: &Size) -> Option<Ordering> {
        let constant = size.terms().iter().find(|(atoms, _)| atoms.is_empty()).map(|(_, c)| *c)?;
        let sign = constant.cmp(&0);
        size.terms()
            .iter()
            .all(|(atoms, c)| c.cmp(&0) == sign && atoms.iter().all(|a| self.atom_nonneg(a)))
            .then_some(sign)
    }

    /// Whether a size is ≥ 0 by its form.
    pub fn size_nonneg(&self, size: &Size) -> bool {
        let size = self.reduce_size(size);
        size.terms().iter().all(|(atoms, c)| *c >= 0 && atoms.iter().all(|a| self.atom_nonneg(a)))
    }

    fn atom_nonneg(&self, atom: &Atom) -> bool {
        match atom {
            Atom::Local(local) => self.local(*local).nonneg,
            Atom::FloorDiv(size, _) => self.size_nonneg(size),
            Atom::Min(a, b) => self.size_nonneg(a) && self.size_nonneg(b),
            Atom::Max(a, b) => self.size_nonneg(a) || self.size_nonneg(b),
            Atom::Fresh(_) => true,
            Atom::Param(_) | Atom::Const(_) => false,
        }
    }

    /// From here on the two are equal.
    pub fn learn_equal(&mut self, a: &Size, b: &Size) {
        let difference = self.reduce_size(&a.minus(b));
        let solvable = difference.terms().iter().rev().find_map(|(atoms, coefficient)| {
            let [atom] = atoms.as_slice() else { return None };
            if coefficient.abs() != 1 || !matches!(atom, Atom::Local(_)) {
                return None;
            }
            let rest = difference.minus(&Size::atom(atom.clone()).scaled(*coefficient));
            let mut inside = false;
            rest.for_each_atom(&mut |other| inside |= other == atom);
            (!inside).then(|| (atom.clone(), rest.scaled(-coefficient)))
        });
        if let Some(fact) = solvable {
            self.facts.push(fact);
        }
    }

    fn report_sizes(&mut self, want: &Size, have: &Size, span: Span, wanted: Wanted<'_>) {
        let (left, right) = (self.show_size(have), self.show_size(want));
        let difference = self.reduce_size(&have.minus(want));
        let why = match difference.as_constant() {
            Some(by) if want.as_constant().is_none() => {
                format!(
                    "for every value of the names in it, `{left}` is {} by {}",
                    if by > 0 { "larger" } else { "smaller" },
                    by.unsigned_abs()
                )
            }
            Some(_) => String::new(),
            None => format!("`{left}` and `{right}` can never be equal"),
        };
        let mut error = Diagnostic::error(
            codes::SIZE_MISMATCH,
            span,
            format!("sizes differ: `{left}` here, `{right}` wanted"),
        )
        .with_here(format!("this axis has size `{left}`"));
        match wanted.span {
            Some(other) if other != span => {
                error = error.with_label(other, format!("{} has size `{right}`", wanted.what));
            }
            _ => error = error.with_note(format!("{} has size `{right}`", wanted.what)),
        }
        let mut origins = Vec::new();
        for size in [have, want] {
            size.for_each_atom(&mut |atom| {
                if let Atom::Local(local) = atom
                    && !origins.contains(local)
                {
                    origins.push(*local);
                }
            });
        }
        for local in origins.into_iter().take(4) {
            let data = self.local(local);
            if !data.hidden && data.info.span != span && Some(data.info.span) != wanted.span {
                let (span, name) = (data.info.span, data.info.name.clone());
                error = error.with_label(span, format!("`{name}` comes from here"));
            }
        }
        if !why.is_empty() {
            error = error.with_note(why);
        }
        self.cx.report(error);
    }

    /// Reports types that differ.
    pub fn mismatch(&mut self, mismatch: Mismatch, want: &Type, have: &Type, span: Span, wanted: Wanted<'_>) {
        let (want_text, have_text) = (self.show(want), self.show(have));
        let want_elem = self.resolve(want.elem());
        let mut error = match mismatch {
            Mismatch::Rank => {
                let message = match (want.rank(), have.rank()) {
                    (0, rank) => {
                        format!("expected `{want_text}`, found an array of {}: `{have_text}`", axes(rank))
                    }
                    (_, 0) => format!("expected the array `{want_text}`, found `{have_text}`"),
                    (a, b) => format!("expected {}, found {b}: `{want_text}` against `{have_text}`", axes(a)),
                };
                Diagnostic::error(codes::WRONG_RANK, span, message)
            }
            Mismatch::Literal(VarKind::Float) => Diagnostic::error(
                codes::TYPE_MISMATCH,
                span,
                format!("expected `{want_text}`, found a float"),
            ),
            Mismatch::Literal(_) | Mismatch::Types => Diagnostic::error(
                codes::TYPE_MISMATCH,
                span,
                format!("expected `{want_text}`, found `{have_text}`"),
            ),
        };
        error = error.with_here(match self.var_kind(have) {
            Some(VarKind::Int | VarKind::Float) => format!("this is {have_text}"),
            Some(VarKind::Any) | None => format!("this is `{have_text}`"),
        });
        match wanted.span {
            Some(other) if other != span => {
                error = error.with_label(other, format!("{} is `{want_text}`", wanted.what));
            }
            _ => {
                if !wanted.what.is_empty() {
                    error = error.with_note(format!("{} is `{want_text}`", wanted.what));
                }
            }
        }
        let have_elem = self.resolve(have.elem());
        if let (Type::Scalar(want), Type::Scalar(_)) = (&want_elem, &have_elem)
            && !matches!(mismatch, Mismatch::Rank)
        {
            let text = self.cx.sources.slice(span).to_owned();
            if want.is_float() && divides(&text) {
                // Converted behind the division, what it dropped would be lost all the same.
                error = error
                    .with_note("`/` between integers drops the fraction")
                    .with_note(format!("convert both sides before: `a as {want} / b as {want}`"));
                self.cx.report(error);
                return;
            }
            let simple = text.chars().all(|c| c.is_alphanumeric() || "_.[](), ".contains(c));
            let fixed = if simple { format!("{text} as {want}") } else { format!("({text}) as {want}") };
            error = error.with_note("numbers are never converted silently").with_fix(
                format!("convert with `as {want}`"),
                span,
                fixed,
            );
        }
        if let Type::Param(index) = want_elem
            && matches!(mismatch, Mismatch::Literal(_))
        {
            let name = self.show(&want_elem);
            error = error
                .with_note(format!("`{name}` need not be a number type; write `{name}::zero`, `{name}::one` or `{name}::from_int(2)`"))
                .with_label(super::Checker::param_span(&self.generics, index), "this type parameter");
        }
        self.cx.report(error);
    }

    /// The smaller change: a note that nothing special asks for the type.
    pub fn plain(what: &str) -> Wanted<'_> {
        Wanted { span: None, what }
    }
}

/// "1 axis", "2 axes".
pub fn axes(count: usize) -> String {
    format!("{count} ax{}s", if count == 1 { "i" } else { "e" })
}

/// Whether an expression's text is a division: a `/` outside all brackets.
fn divides(text: &str) -> bool {
    let mut depth = 0;
    text.split_once("//").map_or(text, |(code, _)| code).chars().any(|c| {
        depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
        c == '/' && depth == 0
    })
}
