//! Modules and their items.

use super::{Arg, Block, Expr, Generics, Name, Path, Source, StrLit, Type};
use we3_ir::span::Span;

/// One file.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// The `//!` lines at its top.
    pub docs: Vec<Doc>,
    /// What it declares, in source order.
    pub items: Vec<Item>,
    /// The whole file.
    pub span: Span,
}

/// One line of documentation, without `///` or `//!` and the one space after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doc {
    /// The line.
    pub text: String,
    /// The comment.
    pub span: Span,
}

/// `#[name]` or `#[name(args)]`; strings may stand in the arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Attr {
    /// What it is called.
    pub name: Name,
    /// What it was given; `tile(i = 32)` nests as a call.
    pub args: Vec<Arg>,
    /// From `#` to `]`.
    pub span: Span,
}

/// An item with what stands before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its `///` lines.
    pub docs: Vec<Doc>,
    /// Its attributes.
    pub attrs: Vec<Attr>,
    /// Where `pub` stands, if it does.
    pub is_pub: Option<Span>,
    /// Which item.
    pub kind: ItemKind,
    /// The item without its docs and attributes.
    pub span: Span,
}

/// The items there are.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `use a::{b, c as d};`
    Use(UseTree),
    /// `const N: i64 = 4;`
    Const(ConstItem),
    /// `type Vec3<T> = T[3];`
    TypeAlias(TypeAlias),
    /// `struct S<T> { x: T }`
    Struct(StructItem),
    /// `trait Shape: Eq { … }`
    Trait(TraitItem),
    /// `impl Num for S { … }` or `impl S { … }`
    Impl(ImplItem),
    /// `fn f(x: f32) -> f32 = x;`
    Fn(FnItem),
    /// `test "name" { … }`
    Test(TestItem),
    /// `bench "name" { … }`
    Bench(BenchItem),
    /// Something that did not parse; it was reported.
    Error,
}

/// One branch of a `use`.
#[derive(Clone, Debug, PartialEq)]
pub struct UseTree {
    /// The names before the end of the branch; never empty.
    pub path: Vec<Name>,
    /// How the branch ends.
    pub kind: UseKind,
    /// The branch.
    pub span: Span,
}

/// How a branch of a `use` ends.
#[derive(Clone, Debug, PartialEq)]
pub enum UseKind {
    /// The last name of the path comes in, perhaps under another name.
    Leaf {
        /// The name after `as`.
        alias: Option<Name>,
    },
    /// `::{…}`; each branch continues the path.
    Group(Vec<UseTree>),
}

/// A constant; without type only in an `impl` of a trait, without value only in a trait.
#[derive(Clone, Debug, PartialEq)]
pub struct ConstItem {
    /// What it is called.
    pub name: Name,
    /// The type, if written.
    pub ty: Option<Type>,
    /// The value, if written.
    pub value: Option<Expr>,
}

/// Another name for a type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeAlias {
    /// What it is called.
    pub name: Name,
    /// Its parameters.
    pub generics: Generics,
    /// What it stands for.
    pub ty: Type,
}

/// A record type.
#[derive(Clone, Debug, PartialEq)]
pub struct StructItem {
    /// What it is called.
    pub name: Name,
    /// Its parameters.
    pub generics: Generics,
    /// Its fields in order.
    pub fields: Vec<FieldDef>,
}

/// One field of a record type.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDef {
    /// Its `///` lines.
    pub docs: Vec<Doc>,
    /// Its attributes.
    pub attrs: Vec<Attr>,
    /// What it is called.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Name and type.
    pub span: Span,
}

/// A trait.
#[derive(Clone, Debug, PartialEq)]
pub struct TraitItem {
    /// What it is called.
    pub name: Name,
    /// Its parameters.
    pub generics: Generics,
    /// The traits it builds on.
    pub supertraits: Vec<Path>,
    /// What an `impl` must or may give.
    pub items: Vec<AssocItem>,
}

/// An `impl`, of a trait or of a type's own functions.
#[derive(Clone, Debug, PartialEq)]
pub struct ImplItem {
    /// Its parameters.
    pub generics: Generics,
    /// The trait; `None` for a type's own functions.
    pub of_trait: Option<Path>,
    /// The type it is for.
    pub ty: Type,
    /// What it gives.
    pub items: Vec<AssocItem>,
}

/// An item of a trait or an `impl`.
#[derive(Clone, Debug, PartialEq)]
pub struct AssocItem {
    /// Its `///` lines.
    pub docs: Vec<Doc>,
    /// Its attributes.
    pub attrs: Vec<Attr>,
    /// Where `pub` stands, if it does.
    pub is_pub: Option<Span>,
    /// Which item.
    pub kind: AssocKind,
    /// The item without its docs and attributes.
    pub span: Span,
}

/// The items a trait or an `impl` may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum AssocKind {
    /// `const zero = …;`
    Const(ConstItem),
    /// `fn add(a, b) = …;`
    Fn(FnItem),
    /// Something that did not parse; it was reported.
    Error,
}

/// A function.
#[derive(Clone, Debug, PartialEq)]
pub struct FnItem {
    /// What it is called.
    pub name: Name,
    /// Its parameters at compile time.
    pub generics: Generics,
    /// Its parameters.
    pub params: Vec<Param>,
    /// The type after `->`.
    pub result: Option<Type>,
    /// What it computes; `None` only in a trait.
    pub body: Option<FnBody>,
    /// From `fn` to the end of the result type.
    pub signature: Span,
}

/// One parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Where `mut` stands, if it does.
    pub mutable: Option<Span>,
    /// What it is called.
    pub name: Name,
    /// Its type; left out only in an `impl` of a trait.
    pub ty: Option<Type>,
    /// The value a call may leave out.
    pub default: Option<Expr>,
    /// All of it.
    pub span: Span,
}

/// The body of a function.
#[derive(Clone, Debug, PartialEq)]
pub enum FnBody {
    /// `= e;`
    Expr(Expr),
    /// `{ … }`
    Block(Block),
}

/// `test "name" for inputs { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct TestItem {
    /// What it shows.
    pub name: StrLit,
    /// The generated inputs; none: it runs once.
    pub inputs: Vec<TestInput>,
    /// What it does.
    pub body: Block,
}

/// `bench "name" for inputs { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchItem {
    /// What it measures.
    pub name: StrLit,
    /// The generated inputs.
    pub inputs: Vec<TestInput>,
    /// What it does.
    pub body: Block,
}

/// One name after the `for` of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct TestInput {
    /// What it is called.
    pub name: Name,
    /// How it is generated.
    pub kind: TestInputKind,
    /// All of it.
    pub span: Span,
}

/// How an input of a test is generated.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are few, and a box would be in every reader's way")]
pub enum TestInputKind {
    /// `x: f32[n]`
    Typed(Type),
    /// `n in 1..9`
    In(Source),
}
