//! The typed tree: what the checker hands to `emit`. Plain data, monomorphic, nothing implicit.
//! `docs/typed-tree.md` says how to read it; each node's comment says what it means.

pub mod effects;
mod exprs;
mod host;
mod sites;
mod sizes;
mod types;
pub mod walk;

pub use exprs::{
    Axis, Block, Combine, Const, Expr, ExprKind, LoopAxis, ReduceOp, Returned, ScatterOp, Step, Stmt,
    StmtKind, Sub, const_as_i64,
};
pub use host::{Bench, Entry, HostField, HostParam, HostType, Test, TestInput, TestSize};
pub use sites::{Site, SiteId, SiteKind, too_large};
pub use sizes::{Atom, Size};
pub use types::{ConstArg, Field, RecordDef, RecordId, RecordType, Substitution, Type};

use we3_ir::span::Span;

/// A whole checked program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Every function that something needs; `FuncId` is the index. A callee may stand after its caller.
    pub funcs: Vec<Func>,
    /// Every record type declared; `RecordId` is the index.
    pub records: Vec<RecordDef>,
    /// What a host may call.
    pub entries: Vec<Entry>,
    /// The root module's tests (and those of modules the caller asked for).
    pub tests: Vec<Test>,
    /// The root module's benches.
    pub benches: Vec<Bench>,
    /// What a failed check has to say; `SiteId` is the index.
    pub sites: Vec<Site>,
}

/// The number of a function in `Program::funcs`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FuncId(pub u32);

/// The number of a variable in `Func::locals`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Local(pub u32);

/// A function without generic parameters. Its parameters are `sizes`, then `params`, in this order;
/// its results are `fresh` many `i64`, then the value of `result`.
#[derive(Clone, Debug)]
pub struct Func {
    /// Unique in the program: `matmul<f32>`, `mean<f64>#2` (specialised for a lambda).
    pub name: String,
    /// Its signature in the source.
    pub span: Span,
    /// Every variable of the body, parameters included.
    pub locals: Vec<LocalInfo>,
    /// Leading `i64` parameters: the sizes the parameter types name, each ≥ 0.
    pub sizes: Vec<Local>,
    /// The other parameters (captured values of lambdas first). Their types mention only `sizes`,
    /// and parameters of type `i64`.
    pub params: Vec<Local>,
    /// How many sizes are known only after the call (`?k`): `Atom::Fresh(0..fresh)` in `result`.
    pub fresh: u32,
    /// The type of the value; its atoms are `sizes`, `i64` parameters and `Atom::Fresh`.
    pub result: Type,
    /// What it computes: `stmts`, then the value (in `tail`).
    pub body: Block,
    /// What the end of the body returns; `None` when the end is not reached.
    pub tail: Option<Returned>,
    /// How exact the results must be.
    pub numerics: Numerics,
}

/// How exact a function's results must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Numerics {
    /// Bit for bit.
    #[default]
    Strict,
    /// `#[stable]`
    Stable,
    /// `#[fast]`
    Fast,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct LocalInfo {
    /// As written, or a made-up name for hidden ones.
    pub name: String,
    /// Its type. For an open variable (`let mut x: T[?]`) the type of its first value.
    pub ty: Type,
    /// Whether `Assign` may change it.
    pub mutable: bool,
    /// `let mut x: T[?]`: its sizes are whatever the last assigned value has. An `ExprKind::Local`
    /// that reads it has the sizes of this moment in its type.
    pub open: bool,
    /// Where it is bound.
    pub span: Span,
}

impl Program {
    /// The fields of a record type, its parameters filled in.
    pub fn fields(&self, record: &RecordType) -> Vec<Field> {
        match self.records.get(record.def.0 as usize) {
            Some(def) => def.fields_of(record),
            None => Vec::new(),
        }
    }

    /// A function.
    pub fn func(&self, id: FuncId) -> Option<&Func> {
        self.funcs.get(id.0 as usize)
    }
}
