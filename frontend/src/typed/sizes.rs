//! Sizes in normal form: polynomials with integer coefficients over atoms. Two sizes that are equal
//! as polynomials compare equal. Arithmetic saturates; a size that large fails its check at run time.

use super::Local;

/// A size: a sum of `coefficient × product of atoms`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Size {
    /// Sorted by monomial; atoms inside a monomial are sorted, coefficients are not 0. The empty
    /// monomial is the constant.
    terms: Vec<(Vec<Atom>, i64)>,
}

/// What a size is made of: something whose value is an `i64`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Atom {
    /// The value of an immutable `i64` variable.
    Local(Local),
    /// A size divided by a literal > 0, rounded down.
    FloorDiv(Box<Size>, i64),
    /// The smaller of two.
    Min(Box<Size>, Box<Size>),
    /// The larger of two.
    Max(Box<Size>, Box<Size>),
    /// In `Func::result` only: the k-th size known after the call.
    Fresh(u32),
    /// In declarations only: a size parameter of the record or signature; in a `TestInput`: a `TestSize`.
    Param(u32),
    /// In declarations only: a const parameter.
    Const(u32),
}

/// Terms and atoms of the largest size that is computed with.
const MAX_ATOMS: usize = 300;

impl Size {
    /// A known number.
    pub fn constant(value: i64) -> Size {
        let terms = if value == 0 { Vec::new() } else { vec![(Vec::new(), value)] };
        Size { terms }
    }

    /// A single atom.
    pub fn atom(atom: Atom) -> Size {
        Size { terms: vec![(vec![atom], 1)] }
    }

    /// The value of a variable.
    pub fn local(local: Local) -> Size {
        Size::atom(Atom::Local(local))
    }

    /// The terms: atoms of the monomial (none for the constant) and its coefficient.
    pub fn terms(&self) -> &[(Vec<Atom>, i64)] {
        &self.terms
    }

    /// The number, if it is one.
    pub fn as_constant(&self) -> Option<i64> {
        match self.terms.as_slice() {
            [] => Some(0),
            [(atoms, value)] if atoms.is_empty() => Some(*value),
            _ => None,
        }
    }

    /// The atom, if the size is nothing else.
    pub fn as_atom(&self) -> Option<&Atom> {
        match self.terms.as_slice() {
            [(atoms, 1)] => match atoms.as_slice() {
                [only] => Some(only),
                _ => None,
            },
            _ => None,
        }
    }

    /// `self + other`.
    #[must_use]
    pub fn plus(&self, other: &Size) -> Size {
        let terms = self.terms.iter().chain(&other.terms).cloned().collect();
        Size::normalised(terms)
    }

    /// `self - other`.
    #[must_use]
    pub fn minus(&self, other: &Size) -> Size {
        self.plus(&other.scaled(-1))
    }

    /// `self * factor`.
    #[must_use]
    pub fn scaled(&self, factor: i64) -> Size {
        let terms = self
            .terms
            .iter()
            .map(|(atoms, coefficient)| (atoms.clone(), coefficient.saturating_mul(factor)))
            .collect();
        Size::normalised(terms)
    }

    /// `self * other`.
    #[must_use]
    pub fn times(&self, other: &Size) -> Size {
        let mut terms = Vec::with_capacity(self.terms.len() * other.terms.len());
        for (left, a) in &self.terms {
            for (right, b) in &other.terms {
                let mut atoms = left.clone();
                atoms.extend(right.iter().cloned());
                terms.push((atoms, a.saturating_mul(*b)));
            }
        }
        Size::normalised(terms)
    }

    /// Whether it is small enough to compute with: products of sums grow without end.
    pub fn is_small(&self) -> bool {
        self.takes_from(&mut MAX_ATOMS.clone())
    }

    fn takes_from(&self, left: &mut usize) -> bool {
        self.terms.iter().all(|(atoms, _)| {
            *left = left.saturating_sub(1);
            *left > 0
                && atoms.iter().all(|atom| {
                    *left = left.saturating_sub(1);
                    match atom {
                        Atom::FloorDiv(inner, _) => inner.takes_from(left),
                        Atom::Min(a, b) | Atom::Max(a, b) => a.takes_from(left) && b.takes_from(left),
                        Atom::Local(_) | Atom::Fresh(_) | Atom::Param(_) | Atom::Const(_) => *left > 0,
                    }
                })
        })
    }

    /// `self / divisor` rounded down, `divisor` > 0. What divides exactly is taken out of the division.
    #[must_use]
    pub fn floor_div(&self, divisor: i64) -> Size {
        if divisor == 1 {
            return self.clone();
        }
        let (mut whole, mut rest) = (Vec::new(), Vec::new());
        for (atoms, coefficient) in &self.terms {
            let quotient = coefficient.div_euclid(divisor);
            let remainder = coefficient.rem_euclid(divisor);
            whole.push((atoms.clone(), quotient));
            rest.push((atoms.clone(), remainder));
        }
        let (whole, rest) = (Size::normalised(whole), Size::normalised(rest));
        match rest.as_constant() {
            // 0 ≤ rest < divisor, so it adds nothing.
            Some(_) => whole,
            None => whole.plus(&Size::atom(Atom::FloorDiv(Box::new(rest), divisor))),
        }
    }

    /// `self / divisor` if every coefficient is divisible.
    pub fn exact_div(&self, divisor: i64) -> Option<Size> {
        if divisor == 0 {
            return None;
        }
        let mut terms = Vec::with_capacity(self.terms.len());
        for (atoms, coefficient) in &self.terms {
            if coefficient.checked_rem(divisor)? != 0 {
                return None;
            }
            terms.push((atoms.clone(), coefficient.checked_div(divisor)?));
        }
        Some(Size::normalised(terms))
    }

    /// The smaller of two.
    #[must_use]
    pub fn min_with(&self, other: &Size) -> Size {
        match self.minus(other).as_constant() {
            Some(difference) if difference <= 0 => self.clone(),
            Some(_) => other.clone(),
            None => {
                let (a, b) = ordered(self, other);
                Size::atom(Atom::Min(Box::new(a), Box::new(b)))
            }
        }
    }

    /// The larger of two.
    #[must_use]
    pub fn max_with(&self, other: &Size) -> Size {
        match self.minus(other).as_constant() {
            Some(difference) if difference >= 0 => self.clone(),
            Some(_) => other.clone(),
            None => {
                let (a, b) = ordered(self, other);
                Size::atom(Atom::Max(Box::new(a), Box::new(b)))
            }
        }
    }

    /// Replaces atoms; `replace` gives `None` for those that stay (their parts are looked into).
    #[must_use]
    pub fn subst(&self, replace: &dyn Fn(&Atom) -> Option<Size>) -> Size {
        let mut total = Size::default();
        for (atoms, coefficient) in &self.terms {
            let mut product = Size::constant(*coefficient);
            for atom in atoms {
                product = product.times(&subst_atom(atom, replace));
            }
            total = total.plus(&product);
        }
        total
    }

    /// Calls `visit` for every atom, those inside divisions, `min` and `max` included.
    pub fn for_each_atom(&self, visit: &mut dyn FnMut(&Atom)) {
        for (atoms, _) in &self.terms {
            for atom in atoms {
                visit(atom);
                match atom {
                    Atom::FloorDiv(size, _) => size.for_each_atom(visit),
                    Atom::Min(a, b) | Atom::Max(a, b) => {
                        a.for_each_atom(visit);
                        b.for_each_atom(visit);
                    }
                    Atom::Local(_) | Atom::Fresh(_) | Atom::Param(_) | Atom::Const(_) => {}
                }
            }
        }
    }

    /// As source text, with a name for each plain atom.
    pub fn display(&self, name: &dyn Fn(&Atom) -> String) -> String {
        if self.terms.is_empty() {
            return "0".to_owned();
        }
        let mut text = String::new();
        // The constant is sorted first and read last.
        for (atoms, coefficient) in self.terms.iter().rev() {
            let magnitude = coefficient.unsigned_abs();
            match (text.is_empty(), *coefficient < 0) {
                (true, true) => text.push('-'),
                (true, false) => {}
                (false, true) => text.push_str(" - "),
                (false, false) => text.push_str(" + "),
            }
            let mut factors: Vec<String> = atoms.iter().map(|atom| display_atom(atom, name)).collect();
            if magnitude != 1 || factors.is_empty() {
                factors.insert(0, magnitude.to_string());
            }
            text.push_str(&factors.join(" * "));
        }
        text
    }

    fn normalised(mut terms: Vec<(Vec<Atom>, i64)>) -> Size {
        for (atoms, _) in &mut terms {
            atoms.sort();
        }
        terms.sort();
        let mut merged: Vec<(Vec<Atom>, i64)> = Vec::with_capacity(terms.len());
        for (atoms, coefficient) in terms {
            match merged.last_mut() {
                Some((last, total)) if *last == atoms => *total = total.saturating_add(coefficient),
                _ => merged.push((atoms, coefficient)),
            }
        }
        merged.retain(|(_, coefficient)| *coefficient != 0);
        Size { terms: merged }
    }
}

fn ordered(a: &Size, b: &Size) -> (Size, Size) {
    if a <= b { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) }
}

fn subst_atom(atom: &Atom, replace: &dyn Fn(&Atom) -> Option<Size>) -> Size {
    if let Some(size) = replace(atom) {
        return size;
    }
    match atom {
        Atom::FloorDiv(size, divisor) => size.subst(replace).floor_div(*divisor),
        Atom::Min(a, b) => a.subst(replace).min_with(&b.subst(replace)),
        Atom::Max(a, b) => a.subst(replace).max_with(&b.subst(replace)),
        Atom::Local(_) | Atom::Fresh(_) | Atom::Param(_) | Atom::Const(_) => Size::atom(atom.clone()),
    }
}

fn display_atom(atom: &Atom, name: &dyn Fn(&Atom) -> String) -> String {
    match atom {
        Atom::FloorDiv(size, divisor) => {
            let text = size.display(name);
            if size.as_atom().is_some() {
                format!("{text} / {divisor}")
            } else {
                format!("({text}) / {divisor}")
            }
        }
        Atom::Min(a, b) => format!("min({}, {})", a.display(name), b.display(name)),
        Atom::Max(a, b) => format!("max({}, {})", a.display(name), b.display(name)),
        Atom::Local(_) | Atom::Fresh(_) | Atom::Param(_) | Atom::Const(_) => name(atom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n() -> Size {
        Size::local(Local(0))
    }

    fn m() -> Size {
        Size::local(Local(1))
    }

    fn show(size: &Size) -> String {
        size.display(&|atom| if *atom == Atom::Local(Local(0)) { "n".to_owned() } else { "m".to_owned() })
    }

    #[test]
    fn equal_polynomials_are_equal_sizes() {
        let left = n().plus(&m()).times(&n().minus(&m()));
        let right = n().times(&n()).minus(&m().times(&m()));
        assert_eq!(left, right);
        assert_ne!(left, right.plus(&Size::constant(1)));
    }

    #[test]
    fn division_takes_out_what_divides() {
        let size = n().scaled(2).plus(&Size::constant(5)).floor_div(2);
        assert_eq!(size, n().plus(&Size::constant(2)));
        assert_eq!(show(&n().plus(&Size::constant(1)).floor_div(2)), "(n + 1) / 2");
        assert_eq!(Size::constant(-3).floor_div(2), Size::constant(-2));
    }

    #[test]
    fn min_and_max_do_not_depend_on_the_order() {
        assert_eq!(n().min_with(&m()), m().min_with(&n()));
        assert_eq!(n().max_with(&n().plus(&Size::constant(1))), n().plus(&Size::constant(1)));
    }

    #[test]
    fn a_size_reads_as_written() {
        assert_eq!(show(&n().times(&m()).scaled(2).minus(&Size::constant(1))), "2 * n * m - 1");
    }
}
