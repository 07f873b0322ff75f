//! Types of the typed tree. Two of the variants (`Infer`, `Param`) exist only while a body is being
//! checked; a finished `Program` holds neither.

use super::{Atom, Const, Size};
use we3_ir::types::Scalar;

/// The type of a value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Type {
    /// A number or `bool`.
    Scalar(Scalar),
    /// A dense array of rank ≥ 1. `elem` is a scalar, tuple or record, never an array.
    Array {
        /// What it holds.
        elem: Box<Type>,
        /// One size per axis.
        sizes: Vec<Size>,
    },
    /// A tuple; `()` is the type of what has no value.
    Tuple(Vec<Type>),
    /// A record.
    Record(RecordType),
    /// Only inside the checker: not known yet.
    Infer(u32),
    /// Only inside the checker and in `RecordDef`: a type parameter.
    Param(u32),
    /// Only inside the checker: something was wrong and has been reported.
    Error,
}

/// A record type with its arguments.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordType {
    /// Which declaration.
    pub def: RecordId,
    /// Its type arguments.
    pub types: Vec<Type>,
    /// Its const arguments.
    pub consts: Vec<ConstArg>,
    /// Its size arguments.
    pub sizes: Vec<Size>,
}

/// The number of a record declaration in `Program::records`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordId(pub u32);

/// The value of a const parameter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ConstArg {
    /// Known.
    Value(Const),
    /// Only inside the checker: a const parameter of what is being checked.
    Param(u32),
}

/// A record declaration. Field types are written in its parameters: `Type::Param(k)`,
/// `ConstArg::Param(k)`, `Atom::Param(k)`.
#[derive(Clone, Debug)]
pub struct RecordDef {
    /// Its name.
    pub name: String,
    /// Its fields in order.
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

impl Type {
    /// `()`.
    pub const UNIT: Type = Type::Tuple(Vec::new());
    /// `i64`.
    pub const I64: Type = Type::Scalar(Scalar::I64);
    /// `bool`.
    pub const BOOL: Type = Type::Scalar(Scalar::Bool);

    /// The scalar, if it is one.
    pub const fn as_scalar(&self) -> Option<Scalar> {
        match self {
            Type::Scalar(scalar) => Some(*scalar),
            Type::Array { .. }
            | Type::Tuple(_)
            | Type::Record(_)
            | Type::Infer(_)
            | Type::Param(_)
            | Type::Error => None,
        }
    }

    /// The types of a tuple's parts, if it is one.
    pub fn parts(&self) -> Option<&[Type]> {
        if let Type::Tuple(parts) = self { Some(parts) } else { None }
    }

    /// The record type, if it is one.
    pub const fn as_record(&self) -> Option<&RecordType> {
        if let Type::Record(record) = self { Some(record) } else { None }
    }

    /// The element type of an array, else the type itself.
    pub fn elem(&self) -> &Type {
        match self {
            Type::Array { elem, .. } => elem,
            Type::Scalar(_)
            | Type::Tuple(_)
            | Type::Record(_)
            | Type::Infer(_)
            | Type::Param(_)
            | Type::Error => self,
        }
    }

    /// The sizes of an array, none for anything else.
    pub fn sizes(&self) -> &[Size] {
        match self {
            Type::Array { sizes, .. } => sizes,
            Type::Scalar(_)
            | Type::Tuple(_)
            | Type::Record(_)
            | Type::Infer(_)
            | Type::Param(_)
            | Type::Error => &[],
        }
    }

    /// The number of axes; 0 for anything but an array.
    pub fn rank(&self) -> usize {
        self.sizes().len()
    }

    /// An array of `self` with these axes in front: more axes if `self` is an array, `self` if there are none.
    pub fn with_axes(self, mut axes: Vec<Size>) -> Type {
        if axes.is_empty() {
            return self;
        }
        match self {
            Type::Array { elem, sizes } => {
                axes.extend(sizes);
                Type::Array { elem, sizes: axes }
            }
            elem @ (Type::Scalar(_)
            | Type::Tuple(_)
            | Type::Record(_)
            | Type::Infer(_)
            | Type::Param(_)
            | Type::Error) => Type::Array { elem: Box::new(elem), sizes: axes },
        }
    }

    /// Replaces parameters: types, consts, and atoms of sizes.
    pub fn subst(&self, subst: &dyn Substitution) -> Type {
        match self {
            Type::Scalar(_) | Type::Infer(_) | Type::Error => self.clone(),
            Type::Param(index) => subst.type_param(*index).unwrap_or(Type::Param(*index)),
            Type::Array { elem, sizes } => {
                let sizes = sizes.iter().map(|size| size.subst(&|atom| subst.atom(atom))).collect();
                elem.subst(subst).with_axes(sizes)
            }
            Type::Tuple(parts) => Type::Tuple(parts.iter().map(|part| part.subst(subst)).collect()),
            Type::Record(record) => Type::Record(RecordType {
                def: record.def,
                types: record.types.iter().map(|ty| ty.subst(subst)).collect(),
                consts: record.consts.iter().map(|arg| arg.subst(subst)).collect(),
                sizes: record.sizes.iter().map(|size| size.subst(&|atom| subst.atom(atom))).collect(),
            }),
        }
    }

    /// Calls `visit` for every size in the type.
    pub fn for_each_size(&self, visit: &mut dyn FnMut(&Size)) {
        match self {
            Type::Scalar(_) | Type::Infer(_) | Type::Param(_) | Type::Error => {}
            Type::Array { elem, sizes } => {
                sizes.iter().for_each(&mut *visit);
                elem.for_each_size(visit);
            }
            Type::Tuple(parts) => parts.iter().for_each(|part| part.for_each_size(visit)),
            Type::Record(record) => {
                record.types.iter().for_each(|ty| ty.for_each_size(visit));
                record.sizes.iter().for_each(visit);
            }
        }
    }
}

impl ConstArg {
    fn subst(&self, subst: &dyn Substitution) -> ConstArg {
        match self {
            ConstArg::Value(_) => *self,
            ConstArg::Param(index) => subst.const_param(*index).unwrap_or(*self),
        }
    }
}

/// What parameters stand for; `None` leaves one as it is.
pub trait Substitution {
    /// The type a parameter stands for.
    fn type_param(&self, index: u32) -> Option<Type>;
    /// The value a const parameter stands for.
    fn const_param(&self, index: u32) -> Option<ConstArg>;
    /// The size an atom stands for.
    fn atom(&self, atom: &Atom) -> Option<Size>;
}

impl Substitution for RecordType {
    fn type_param(&self, index: u32) -> Option<Type> {
        self.types.get(index as usize).cloned()
    }

    fn const_param(&self, index: u32) -> Option<ConstArg> {
        self.consts.get(index as usize).copied()
    }

    fn atom(&self, atom: &Atom) -> Option<Size> {
        match atom {
            Atom::Param(index) => self.sizes.get(*index as usize).cloned(),
            // A const parameter used as a size of a field.
            Atom::Const(index) => match self.consts.get(*index as usize) {
                Some(ConstArg::Value(value)) => Some(Size::constant(super::const_as_i64(*value))),
                Some(ConstArg::Param(outer)) => Some(Size::atom(Atom::Const(*outer))),
                None => None,
            },
            Atom::Local(_) | Atom::FloorDiv(..) | Atom::Min(..) | Atom::Max(..) | Atom::Fresh(_) => None,
        }
    }
}

impl RecordDef {
    /// The fields with a type's arguments filled in.
    pub fn fields_of(&self, record: &RecordType) -> Vec<Field> {
        self.fields
            .iter()
            .map(|field| Field { name: field.name.clone(), ty: field.ty.subst(record) })
            .collect()
    }
}
