//! The native part of the Python package: programs and kernels as Python objects. Types, conversions and everything that
//! need not be fast are written in Python (`python/we3`).

mod arguments;
mod buffer;
mod kernel;
mod program;
mod results;

use pyo3::exceptions::{PyException, PyMemoryError, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use we3_driver::host::HostError;

pyo3::create_exception!(
    we3,
    CompileError,
    PyException,
    "The program has errors; the message shows them in the source."
);
pyo3::create_exception!(
    we3,
    KernelError,
    PyRuntimeError,
    "A check in a kernel failed; the message shows it in the source."
);

/// What a failure is in Python.
fn raised(error: HostError) -> PyErr {
    let text = error.to_string();
    match error {
        HostError::Program(_) => CompileError::new_err(text),
        HostError::Stopped(_) => KernelError::new_err(text),
        HostError::Argument(_) => PyTypeError::new_err(text),
        HostError::Memory(_) => PyMemoryError::new_err(text),
        HostError::Unavailable(_) => PyRuntimeError::new_err(text),
    }
}

/// Programs and kernels.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::buffer::Memory;
    #[pymodule_export]
    use super::kernel::Kernel;
    #[pymodule_export]
    use super::program::{Program, open_file, open_text};
    #[pymodule_export]
    use super::{CompileError, KernelError};
}
