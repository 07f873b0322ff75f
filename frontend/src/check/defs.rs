//! The items of all modules, numbered. Filled by `collect`; signatures are added by `signature`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use crate::typed::{RecordId, Type};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])* #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u32);
        impl $name {
            /// As an index.
            pub fn index(self) -> usize { self.0 as usize }
        })*
    };
}

ids! {
    /// A module.
    ModuleId;
    /// A function, also one inside a trait or an `impl`.
    FnId;
    /// A trait.
    TraitId;
    /// An `impl`.
    ImplId;
    /// A constant.
    ConstId;
    /// A type alias.
    AliasId;
}

/// What a name of a module stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Def {
    Module(ModuleId),
    Fn(FnId),
    Struct(RecordId),
    Trait(TraitId),
    Const(ConstId),
    Alias(AliasId),
}

impl Def {
    /// With its article, for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Def::Module(_) => "a module",
            Def::Fn(_) => "a function",
            Def::Struct(_) => "a record type",
            Def::Trait(_) => "a trait",
            Def::Const(_) => "a constant",
            Def::Alias(_) => "a type",
        }
    }
}

/// A name in a module.
#[derive(Clone, Copy, Debug)]
pub struct NameEntry {
    pub def: Def,
    pub span: Span,
    pub is_pub: bool,
    /// Came in by `use`.
    pub imported: bool,
}

pub struct ModuleDef {
    pub path: Vec<String>,
    pub names: BTreeMap<String, NameEntry>,
    /// Imports that were not found, and reported.
    pub unresolved: BTreeSet<String>,
}

/// Where a function stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    Module,
    Trait(TraitId),
    Impl(ImplId),
}

pub struct FnDef<'a> {
    pub name: String,
    pub ast: &'a ast::FnItem,
    pub attrs: &'a [ast::Attr],
    pub docs: &'a [ast::Doc],
    pub module: ModuleId,
    pub owner: Owner,
    pub is_pub: bool,
}

pub struct StructDef<'a> {
    pub ast: &'a ast::StructItem,
    pub attrs: &'a [ast::Attr],
    pub module: ModuleId,
}

pub struct TraitDef<'a> {
    pub ast: &'a ast::TraitItem,
    pub module: ModuleId,
    pub fns: BTreeMap<String, FnId>,
    pub consts: BTreeMap<String, ConstId>,
    /// Stands in the prelude: its functions are callable by their bare names.
    pub builtin: bool,
}

pub struct ImplDef<'a> {
    pub ast: &'a ast::ImplItem,
    pub module: ModuleId,
    pub fns: BTreeMap<String, FnId>,
    pub consts: BTreeMap<String, ConstId>,
    pub span: Span,
}

pub struct ConstDef<'a> {
    pub ast: &'a ast::ConstItem,
    pub module: ModuleId,
    pub owner: Owner,
    pub span: Span,
}

pub struct AliasDef<'a> {
    pub ast: &'a ast::TypeAlias,
    pub module: ModuleId,
}

pub struct TestDef<'a> {
    pub module: ModuleId,
    pub name: &'a ast::StrLit,
    pub inputs: &'a [ast::TestInput],
    pub body: &'a ast::Block,
    pub attrs: &'a [ast::Attr],
    pub span: Span,
    pub is_bench: bool,
}

/// Every item of every module.
#[derive(Default)]
pub struct Defs<'a> {
    pub modules: Vec<ModuleDef>,
    pub fns: Vec<FnDef<'a>>,
    pub structs: Vec<StructDef<'a>>,
    pub traits: Vec<TraitDef<'a>>,
    pub impls: Vec<ImplDef<'a>>,
    pub consts: Vec<ConstDef<'a>>,
    pub aliases: Vec<AliasDef<'a>>,
    pub tests: Vec<TestDef<'a>>,
    /// The module `std::prelude`, if it was found.
    pub prelude: Option<ModuleId>,
    /// Functions of the prelude's traits by name.
    pub trait_fns: BTreeMap<String, FnId>,
}

/// The generic parameters of an item, those of the `impl` or trait around it first. In a trait, type
/// parameter 0 is `Self`.
#[derive(Clone, Debug, Default)]
pub struct Generics {
    pub types: Vec<TypeParam>,
    pub consts: Vec<ConstParam>,
    /// Size names: `size n` parameters, then the names parameter types bind, then `i64` parameters used as sizes.
    pub sizes: Vec<SizeParam>,
    /// How many of `types`, `consts` belong to the item around.
    pub outer: (usize, usize),
}

#[derive(Clone, Debug)]
pub struct TypeParam {
    pub name: String,
    pub span: Span,
    /// With everything the bounds themselves require.
    pub bounds: Vec<TraitId>,
    /// One of its bounds was wrong, and reported: missing ones are not told then.
    pub doubtful: bool,
}

#[derive(Clone, Debug)]
pub struct ConstParam {
    pub name: String,
    pub span: Span,
    pub ty: Scalar,
}

#[derive(Clone, Debug)]
pub struct SizeParam {
    pub name: String,
    pub span: Span,
    /// It is the parameter with this number (of type `i64`).
    pub value_param: Option<usize>,
}

/// A function's signature, its types written in `Type::Param`, `Atom::Param`, `Atom::Const`.
#[derive(Clone, Debug)]
pub struct Signature<'a> {
    pub generics: Rc<Generics>,
    pub params: Vec<ParamSig<'a>>,
    pub result: Type,
    pub result_span: Span,
    /// Names of the `?k` of the result, in order.
    pub fresh: Vec<String>,
    /// Sizes of the result that are no polynomials: the function checks that they are the fresh ones.
    pub opaque: Vec<(u32, &'a ast::Expr)>,
}

#[derive(Clone, Debug)]
pub struct ParamSig<'a> {
    pub name: String,
    pub span: Span,
    pub ty: ParamType,
    pub mutable: bool,
    pub default: Option<&'a ast::Expr>,
}

#[derive(Clone, Debug)]
pub enum ParamType {
    Value(Type),
    Fn { params: Vec<Type>, result: Type },
}
