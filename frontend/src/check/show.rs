//! Types in declarations as text, and other small answers for messages.

use super::consts::show_const;
use super::defs::*;
use super::session::Checker;
use crate::typed::{Atom, ConstArg, Size, Type};

impl Checker<'_, '_> {
    /// A type in the parameters of `generics`.
    pub fn type_text(&self, ty: &Type, generics: &Generics) -> String {
        match ty {
            Type::Scalar(scalar) => scalar.name().to_owned(),
            Type::Array { elem, sizes } => {
                let sizes: Vec<String> = sizes.iter().map(|size| self.size_text(size, generics)).collect();
                format!("{}[{}]", self.type_text(elem, generics), sizes.join(", "))
            }
            Type::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.type_text(part, generics)).collect();
                format!("({})", parts.join(", "))
            }
            Type::Record(record) => {
                let name = &self.defs.structs[record.def.0 as usize].ast.name.text;
                let mut args: Vec<String> =
                    record.types.iter().map(|ty| self.type_text(ty, generics)).collect();
                args.extend(record.consts.iter().map(|value| match value {
                    ConstArg::Value(value) => show_const(*value),
                    ConstArg::Param(index) => {
                        generics.consts.get(*index as usize).map_or("_".to_owned(), |c| c.name.clone())
                    }
                }));
                args.extend(record.sizes.iter().map(|size| self.size_text(size, generics)));
                if args.is_empty() { name.clone() } else { format!("{name}<{}>", args.join(", ")) }
            }
            Type::Param(index) => {
                generics.types.get(*index as usize).map_or("T".to_owned(), |param| param.name.clone())
            }
            Type::Infer(_) => "_".to_owned(),
            Type::Error => "?".to_owned(),
        }
    }

    /// A size in the parameters of `generics`.
    pub fn size_text(&self, size: &Size, generics: &Generics) -> String {
        size.display(&|atom| match atom {
            Atom::Param(index) => {
                generics.sizes.get(*index as usize).map_or("_".to_owned(), |size| size.name.clone())
            }
            Atom::Const(index) => {
                generics.consts.get(*index as usize).map_or("_".to_owned(), |c| c.name.clone())
            }
            Atom::Fresh(index) => format!("?{index}"),
            Atom::Local(local) => format!("n{}", local.0),
            Atom::FloorDiv(..) | Atom::Min(..) | Atom::Max(..) => "_".to_owned(),
        })
    }

    /// A loaded module that exports a name.
    pub fn module_with(&self, name: &str) -> Option<String> {
        self.defs
            .modules
            .iter()
            .find(|module| {
                !module.path.is_empty()
                    && module.names.get(name).is_some_and(|entry| entry.is_pub && !entry.imported)
            })
            .map(|module| module.path.join("::"))
    }
}
