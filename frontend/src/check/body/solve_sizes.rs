//! What a callee's sizes and const parameters are, from the sizes of the arguments: names on their own first,
//! then what is linear in one unknown; everything else becomes a check.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::CompareOp;
use we3_ir::span::Span;

use super::Body;
use super::coerce::Wanted;
use crate::check::consts::const_of_i64;
use crate::check::defs::Signature;
use crate::codes;
use crate::typed::{Atom, ConstArg, Expr, ExprKind, SiteKind, Size, Stmt, StmtKind, Substitution, Type};

/// Const parameters that are not known yet stand in sizes as `Atom::Param` from here on.
pub const OPEN_CONST: u32 = 1 << 20;

/// What a callee's parameters stand for at a call, as far as known.
pub struct CallSubst {
    pub types: Vec<Type>,
    pub consts: Vec<Option<ConstArg>>,
    pub sizes: Vec<Option<Size>>,
}

impl Substitution for CallSubst {
    fn type_param(&self, index: u32) -> Option<Type> {
        self.types.get(index as usize).cloned()
    }

    fn const_param(&self, index: u32) -> Option<ConstArg> {
        self.consts.get(index as usize).copied().flatten()
    }

    fn atom(&self, atom: &Atom) -> Option<Size> {
        match atom {
            Atom::Param(index) if *index >= OPEN_CONST => self.const_size(*index - OPEN_CONST),
            Atom::Param(index) => self.sizes.get(*index as usize).cloned().flatten(),
            Atom::Const(index) => {
                Some(self.const_size(*index).unwrap_or_else(|| Size::atom(Atom::Param(OPEN_CONST + index))))
            }
            Atom::Local(_) | Atom::FloorDiv(..) | Atom::Min(..) | Atom::Max(..) | Atom::Fresh(_) => None,
        }
    }
}

impl CallSubst {
    fn const_size(&self, index: u32) -> Option<Size> {
        match self.consts.get(index as usize).copied().flatten()? {
            ConstArg::Value(value) => Some(crate::check::signature::const_size(value)),
            ConstArg::Param(outer) => Some(Size::atom(Atom::Const(outer))),
        }
    }

    /// Fills in what has become known; `Atom::Const` is the caller's by now.
    pub fn size(&self, size: &Size) -> Size {
        size.subst(&|atom| if matches!(atom, Atom::Const(_)) { None } else { self.atom(atom) })
    }
}

impl<'a> Body<'_, 'a, '_> {
    /// Sizes from the axes of the arguments: bare names, then what is linear in one name, then the rest
    /// must agree.
    pub fn bind_sizes(
        &mut self,
        signature: &Signature<'a>,
        subst: &mut CallSubst,
        pairs: &[Pair],
        checks: &mut Vec<Stmt>,
        span: Span,
    ) {
        let mut bound_by = vec![None; signature.generics.sizes.len()];
        for pair in pairs {
            let want = subst.size(&pair.want);
            match want.as_atom() {
                Some(Atom::Param(index)) if *index >= OPEN_CONST => {
                    self.bind_const(signature, subst, *index - OPEN_CONST, pair);
                }
                Some(Atom::Param(index)) => {
                    if let Some(slot) = subst.sizes.get_mut(*index as usize) {
                        *slot = Some(pair.have.clone());
                        bound_by[*index as usize] = Some(pair.span);
                    }
                }
                _ => {}
            }
        }
        for pair in pairs {
            let want = subst.size(&pair.want);
            if let Some((index, coefficient, rest)) = linear(&want) {
                let solved = self.solve_linear(&pair.have.minus(&rest), coefficient, checks, pair.span);
                // `T[n + 1]` of an empty array would make `n` negative.
                if !self.size_nonneg(&solved) && self.check_size(&solved, checks, pair.span).is_none() {
                    return;
                }
                if let Some(slot) = subst.sizes.get_mut(index as usize) {
                    *slot = Some(solved);
                    bound_by[index as usize] = Some(pair.span);
                }
            }
        }
        for (param, slot) in signature.generics.sizes.iter().zip(&subst.sizes) {
            if slot.is_none() {
                self.cx.report(
                    Diagnostic::error(
                        codes::SIZE_UNKNOWN,
                        span,
                        format!("the size `{}` does not follow from the arguments", param.name),
                    )
                    .with_label(param.span, "this size"),
                );
                return;
            }
        }
        for pair in pairs {
            let want = subst.size(&pair.want);
            let from =
                first_param(&pair.want).and_then(|index| bound_by.get(index as usize).copied().flatten());
            let param = &signature.params[pair.param];
            let (other, what) = match from {
                Some(span) if span != pair.span => (span, "this argument".to_owned()),
                _ => (param.span, format!("the parameter `{}`", param.name)),
            };
            self.same_size(checks, &want, &pair.have, pair.span, Wanted { span: Some(other), what: &what });
        }
    }

    fn bind_const(&mut self, signature: &Signature<'a>, subst: &mut CallSubst, index: u32, pair: &Pair) {
        let Some(param) = signature.generics.consts.get(index as usize) else { return };
        match pair.have.as_constant() {
            Some(value) => {
                subst.consts[index as usize] = Some(ConstArg::Value(const_of_i64(value, param.ty)))
            }
            None => match pair.have.as_atom() {
                Some(Atom::Const(outer)) => subst.consts[index as usize] = Some(ConstArg::Param(*outer)),
                _ => {
                    let have = self.show_size(&pair.have);
                    self.cx.report(
                        Diagnostic::error(
                            codes::NOT_CONST,
                            pair.span,
                            format!("the size `{have}` is not known at compile time"),
                        )
                        .with_label(param.span, format!("the const parameter `{}` needs it", param.name)),
                    );
                }
            },
        }
    }

    /// `have / coefficient`, exact: by form, or with a check.
    fn solve_linear(&mut self, have: &Size, coefficient: i64, checks: &mut Vec<Stmt>, span: Span) -> Size {
        if let Some(size) = have.exact_div(coefficient) {
            return size;
        }
        let (have, coefficient) =
            if coefficient < 0 { (have.scaled(-1), -coefficient) } else { (have.clone(), coefficient) };
        let quotient = have.floor_div(coefficient);
        if let Some(value) = have.as_constant() {
            self.cx.report(Diagnostic::error(
                codes::SIZE_MISMATCH,
                span,
                format!("the size {value} is not a multiple of {coefficient}"),
            ));
            return quotient;
        }
        let site = self.site(span, SiteKind::SizeNotMultiple);
        let left = self.size_expr(have, span);
        let right = self.size_expr(quotient.scaled(coefficient), span);
        let kind = ExprKind::Compare(CompareOp::Eq, Box::new(left.clone()), Box::new(right));
        let cond = Expr { kind, ty: Type::BOOL, span };
        let notes = vec![left, self.int(coefficient, span)];
        checks.push(Stmt { kind: StmtKind::Check { cond, site, notes }, span });
        quotient
    }
}

/// An axis of a parameter's type and of its argument's.
pub struct Pair {
    pub want: Size,
    pub have: Size,
    pub span: Span,
    pub param: usize,
}

/// `coefficient * name + rest` with one open name.
pub fn linear(size: &Size) -> Option<(u32, i64, Size)> {
    let mut found: Option<(u32, i64)> = None;
    let mut open = 0;
    size.for_each_atom(&mut |atom| {
        open += u32::from(matches!(atom, Atom::Param(index) if *index < OPEN_CONST))
    });
    if open != 1 {
        return None;
    }
    for (atoms, coefficient) in size.terms() {
        if let [Atom::Param(index)] = atoms.as_slice() {
            found = Some((*index, *coefficient));
        }
    }
    let (index, coefficient) = found?;
    let rest = size.minus(&Size::atom(Atom::Param(index)).scaled(coefficient));
    Some((index, coefficient, rest))
}

fn first_param(size: &Size) -> Option<u32> {
    let mut first = None;
    size.for_each_atom(&mut |atom| {
        if let Atom::Param(index) = atom
            && *index < OPEN_CONST
            && first.is_none()
        {
            first = Some(*index);
        }
    });
    first
}

/// Const arguments of records in the argument's type.
pub fn bind_consts(template: &Type, have: &Type, consts: &mut [Option<ConstArg>]) {
    match (template, have) {
        (Type::Array { elem: a, .. }, Type::Array { elem: b, .. }) => bind_consts(a, b, consts),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.iter().zip(b).for_each(|(a, b)| bind_consts(a, b, consts));
        }
        (Type::Record(a), Type::Record(b)) if a.def == b.def => {
            a.types.iter().zip(&b.types).for_each(|(a, b)| bind_consts(a, b, consts));
            for (a, b) in a.consts.iter().zip(&b.consts) {
                if let ConstArg::Param(index) = a
                    && let Some(slot) = consts.get_mut(*index as usize)
                    && slot.is_none()
                {
                    *slot = Some(*b);
                }
            }
        }
        _ => {}
    }
}
