//! What a host does to run an entry that was compiled into GPU kernels (`docs/ptx.md`): plain data,
//! carried out step by step by a runtime. Scalars live in a *state* of 64-bit cells in device
//! memory, so that kernels compute sizes and conditions and the host reads back only what it needs
//! to decide. Cell 0 is the error cell: not 0 once a check has failed.

use serde::{Deserialize, Serialize};

/// A cell of the state.
pub type Cell = u32;

/// A variable of the host that holds the address of device memory.
pub type BufferVar = u32;

/// The cell that a failed check sets to 1.
pub const ERROR_CELL: Cell = 0;

/// All entries of a module.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LaunchPlan {
    /// One plan each.
    pub entries: Vec<EntryPlan>,
}

/// How to run one entry.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct EntryPlan {
    /// The entry's name.
    pub name: String,
    /// Where each parameter goes before the first step.
    pub params: Vec<PlanParam>,
    /// Number of cells; all zero at the start.
    pub n_cells: u32,
    /// Number of buffer variables.
    pub n_buffers: u32,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// The cell of each scalar result after the last step.
    pub results: Vec<Cell>,
}

/// Where a parameter goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum PlanParam {
    /// A scalar's bits, zero-extended, into a cell.
    Scalar(Cell),
    /// An array's address into a variable.
    Buffer(BufferVar),
}

/// A number that the host needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Amount {
    /// Known when the plan was made.
    Known(i64),
    /// In this cell, to be read back (after the launches before it; the error cell is looked at first).
    InCell(Cell),
}

/// One variable takes the address in another, moved by a number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Binding {
    /// The variable that changes.
    pub to: BufferVar,
    /// The one it is taken from.
    pub from: BufferVar,
    /// How many elements further.
    pub offset: Amount,
    /// Bytes of an element.
    pub element_bytes: u32,
}

/// One thing the host does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Step {
    /// Device memory for `count` (at least 0) elements; too much is "out of memory".
    Alloc {
        /// Holds its address from here on.
        buffer: BufferVar,
        /// Number of elements.
        count: Amount,
        /// Bytes of one.
        element_bytes: u32,
    },
    /// Memory of an array result.
    Output {
        /// Holds its address from here on.
        buffer: BufferVar,
        /// Which array result.
        index: u32,
        /// Number of elements, at least 0.
        count: Amount,
    },
    /// Gives memory of `Alloc` back.
    Free(BufferVar),
    /// Starts a kernel: its parameters are the state's address and these buffers. It strides over
    /// its iterations, so any number of threads is right; `threads` is the best one.
    Launch {
        /// Its name in the PTX text.
        kernel: String,
        /// Addresses passed after the state's.
        buffers: Vec<BufferVar>,
        /// `Known(1)` for sequential code, which must run on one thread.
        threads: Amount,
    },
    /// All at once.
    Bind(Vec<Binding>),
    /// One of two lists of steps: the first when the number is not 0.
    If(Amount, Vec<Step>, Vec<Step>),
    /// Again and again until a `Break`.
    Loop(Vec<Step>),
    /// Leaves this many enclosing loops plus one.
    Break(u32),
    /// Starts the next round of the loop this many levels out.
    Continue(u32),
}
