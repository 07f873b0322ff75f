//! Where the code of a module comes from, for line tables: files, and a place for each operation.

use serde::{Deserialize, Serialize};

/// Of a whole module.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Lines {
    /// The files that places point into.
    pub files: Vec<SourceFile>,
    /// One for each function, in their order.
    pub funcs: Vec<FuncLines>,
}

/// A file as a debugger looks for it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SourceFile {
    /// Where it lies.
    pub folder: String,
    /// Its name there.
    pub name: String,
}

/// A line and a column, both from 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The number of the file.
    pub file: u32,
    /// The line.
    pub line: u32,
    /// The column, in bytes.
    pub column: u32,
}

/// Of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct FuncLines {
    /// Where it begins.
    pub start: Place,
    /// Where its operations come from, in the order of the text (`Func::ops_in_order`), as far as that is known.
    pub ops: Vec<Option<Place>>,
}
