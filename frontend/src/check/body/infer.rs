//! Type variables: making, solving, reading. What literals may become is decided here.

use we3_ir::span::Span;
use we3_ir::types::Scalar;

use super::{Body, Var, VarKind};
use crate::typed::{Atom, ConstArg, Size, Type};

/// Why two types do not unify.
#[derive(Debug)]
pub enum Mismatch {
    /// Different kinds or scalars.
    Types,
    /// Arrays of different rank, or an array and an element.
    Rank,
    /// A literal that cannot become this type.
    Literal(VarKind),
}

impl Body<'_, '_, '_> {
    /// A new type variable.
    pub fn new_var(&mut self, kind: VarKind, span: Span) -> Type {
        self.vars.push(Var { kind, value: None, span });
        Type::Infer(self.vars.len() as u32 - 1)
    }

    /// The type with the outermost variables filled in.
    pub fn shallow(&self, ty: &Type) -> Type {
        let mut ty = ty;
        while let Type::Infer(index) = ty {
            match &self.vars[*index as usize].value {
                Some(value) => ty = value,
                None => break,
            }
        }
        if let Type::Array { elem, sizes } = ty {
            self.shallow(elem).with_axes(sizes.clone())
        } else {
            ty.clone()
        }
    }

    /// The type with all known variables filled in.
    pub fn resolve(&self, ty: &Type) -> Type {
        match self.shallow(ty) {
            Type::Array { elem, sizes } => self.resolve(&elem).with_axes(sizes),
            Type::Tuple(parts) => Type::Tuple(parts.iter().map(|part| self.resolve(part)).collect()),
            Type::Record(mut record) => {
                record.types = record.types.iter().map(|ty| self.resolve(ty)).collect();
                Type::Record(record)
            }
            known @ (Type::Scalar(_) | Type::Infer(_) | Type::Param(_) | Type::Error) => known,
        }
    }

    /// What an unsolved variable may become.
    pub fn var_kind(&self, ty: &Type) -> Option<VarKind> {
        let Type::Infer(index) = self.shallow(ty) else { return None };
        Some(self.vars[index as usize].kind)
    }

    /// Whether it is an array.
    pub fn is_array(&self, ty: &Type) -> bool {
        matches!(self.shallow(ty), Type::Array { .. })
    }

    /// Makes two types equal, collecting the sizes that must be equal.
    pub fn unify(&mut self, want: &Type, have: &Type, sizes: &mut Vec<(Size, Size)>) -> Result<(), Mismatch> {
        let (want, have) = (self.shallow(want), self.shallow(have));
        match (&want, &have) {
            (Type::Error, _) | (_, Type::Error) => Ok(()),
            (Type::Infer(a), Type::Infer(b)) => {
                self.join_vars(*a, *b);
                Ok(())
            }
            (Type::Infer(var), other) | (other, Type::Infer(var)) => self.solve(*var, other),
            (Type::Scalar(a), Type::Scalar(b)) => eq(a == b),
            (Type::Param(a), Type::Param(b)) => eq(a == b),
            (Type::Array { elem: a, sizes: left }, Type::Array { elem: b, sizes: right }) => {
                if left.len() != right.len() {
                    return Err(Mismatch::Rank);
                }
                self.unify(a, b, sizes)?;
                sizes.extend(left.iter().cloned().zip(right.iter().cloned()));
                Ok(())
            }
            (Type::Array { .. }, _) | (_, Type::Array { .. }) => Err(Mismatch::Rank),
            (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
                for (a, b) in a.iter().zip(b) {
                    self.unify(a, b, sizes)?;
                }
                Ok(())
            }
            (Type::Record(a), Type::Record(b)) if a.def == b.def => {
                for (a, b) in a.types.iter().zip(&b.types) {
                    self.unify(a, b, sizes)?;
                }
                eq(a.consts == b.consts)?;
                sizes.extend(a.sizes.iter().cloned().zip(b.sizes.iter().cloned()));
                Ok(())
            }
            _ => Err(Mismatch::Types),
        }
    }

    /// Unifies element types; sizes inside records are taken as equal.
    pub fn unify_elem(&mut self, a: &Type, b: &Type) -> bool {
        self.unify(a, b, &mut Vec::new()).is_ok()
    }

    fn join_vars(&mut self, a: u32, b: u32) {
        if a == b {
            return;
        }
        let kind = self.vars[a as usize].kind.max(self.vars[b as usize].kind);
        self.vars[b as usize].kind = kind;
        self.vars[a as usize].value = Some(Type::Infer(b));
    }

    fn solve(&mut self, var: u32, ty: &Type) -> Result<(), Mismatch> {
        let kind = self.vars[var as usize].kind;
        let fits = match (kind, ty) {
            (_, Type::Array { .. }) => return Err(Mismatch::Rank),
            (VarKind::Any, _) => !self.occurs(var, ty),
            (VarKind::Int, Type::Scalar(scalar)) => *scalar != Scalar::Bool,
            (VarKind::Float, Type::Scalar(scalar)) => scalar.is_float(),
            (VarKind::Int, Type::Param(_) | Type::Record(_)) => {
                self.has_trait(ty, "Int") || self.has_trait(ty, "Float")
            }
            (VarKind::Float, Type::Param(_) | Type::Record(_)) => self.has_trait(ty, "Float"),
            _ => false,
        };
        if !fits {
            return Err(if kind == VarKind::Any { Mismatch::Types } else { Mismatch::Literal(kind) });
        }
        self.vars[var as usize].value = Some(ty.clone());
        Ok(())
    }

    fn occurs(&self, var: u32, ty: &Type) -> bool {
        match self.shallow(ty) {
            Type::Infer(other) => other == var,
            Type::Array { elem, .. } => self.occurs(var, &elem),
            Type::Tuple(parts) => parts.iter().any(|part| self.occurs(var, part)),
            Type::Record(record) => record.types.iter().any(|ty| self.occurs(var, ty)),
            Type::Scalar(_) | Type::Param(_) | Type::Error => false,
        }
    }

    /// Whether a type has a trait of the prelude.
    pub fn has_trait(&mut self, ty: &Type, name: &str) -> bool {
        match self.cx.builtin_trait(name) {
            Some(id) => {
                let generics = self.generics.clone();
                self.cx.implements(ty, id, &generics)
            }
            None => false,
        }
    }

    /// The type an unsolved variable takes when nothing asks for another.
    pub fn default_var(&mut self, ty: &Type) {
        if let Type::Infer(var) = self.shallow(ty) {
            let scalar = match self.vars[var as usize].kind {
                VarKind::Int => Scalar::I64,
                VarKind::Float => Scalar::F64,
                VarKind::Any => return,
            };
            self.vars[var as usize].value = Some(Type::Scalar(scalar));
        }
    }

    /// Makes an integer's type `i64` if nothing else is known.
    pub fn default_int(&mut self, ty: &Type) {
        if self.var_kind(ty) == Some(VarKind::Int) {
            self.default_var(ty);
        }
    }

    /// As written, for messages.
    pub fn show(&self, ty: &Type) -> String {
        match self.shallow(ty) {
            Type::Scalar(scalar) => scalar.name().to_owned(),
            Type::Array { elem, sizes } => {
                let sizes: Vec<String> = sizes.iter().map(|size| self.show_size(size)).collect();
                format!("{}[{}]", self.show(&elem), sizes.join(", "))
            }
            Type::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.show(part)).collect();
                match parts.as_slice() {
                    [only] => format!("({only},)"),
                    _ => format!("({})", parts.join(", ")),
                }
            }
            Type::Record(record) => {
                let name = self.cx.defs.structs[record.def.0 as usize].ast.name.text.clone();
                let mut args: Vec<String> = record.types.iter().map(|ty| self.show(ty)).collect();
                args.extend(record.consts.iter().map(|value| self.show_const(*value)));
                args.extend(record.sizes.iter().map(|size| self.show_size(size)));
                if args.is_empty() { name } else { format!("{name}<{}>", args.join(", ")) }
            }
            Type::Infer(var) => match self.vars[var as usize].kind {
                VarKind::Any => "_".to_owned(),
                VarKind::Int => "an integer".to_owned(),
                VarKind::Float => "a float".to_owned(),
            },
            Type::Param(index) => {
                self.generics.types.get(index as usize).map_or("T".to_owned(), |param| param.name.clone())
            }
            Type::Error => "?".to_owned(),
        }
    }

    fn show_const(&self, value: ConstArg) -> String {
        match value {
            ConstArg::Value(value) => crate::check::consts::show_const(value),
            ConstArg::Param(index) => {
                self.generics.consts.get(index as usize).map_or("_".to_owned(), |param| param.name.clone())
            }
        }
    }

    /// A size as written, for messages.
    pub fn show_size(&self, size: &Size) -> String {
        size.display(&|atom| self.show_atom(atom))
    }

    fn show_atom(&self, atom: &Atom) -> String {
        match atom {
            Atom::Local(local) => self.local(*local).info.name.clone(),
            Atom::Fresh(index) => format!("?{index}"),
            Atom::Param(index) => {
                self.generics.sizes.get(*index as usize).map_or("_".to_owned(), |size| size.name.clone())
            }
            Atom::Const(index) => {
                self.generics.consts.get(*index as usize).map_or("_".to_owned(), |param| param.name.clone())
            }
            Atom::FloorDiv(..) | Atom::Min(..) | Atom::Max(..) => "_".to_owned(),
        }
    }
}

fn eq(equal: bool) -> Result<(), Mismatch> {
    if equal { Ok(()) } else { Err(Mismatch::Types) }
}
