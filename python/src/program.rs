//! A checked program as a Python object: what its entries are, and kernels made of them.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use we3_driver::host::HostProgram;
use we3_driver::plan::{BackendChoice, Plan};
use we3_driver::sources::Sources;
use we3_driver::value::HostType;

use crate::kernel::{Kernel, Parts};
use crate::raised;

/// A checked program.
#[pyclass(frozen, module = "we3._native")]
pub struct Program {
    program: Arc<HostProgram>,
}

/// Checks the program in a file.
#[pyfunction]
pub fn open_file(py: Python<'_>, path: PathBuf, backend: &str) -> PyResult<Program> {
    let sources = Sources::from_file(&path)
        .map_err(|failure| pyo3::exceptions::PyFileNotFoundError::new_err(failure.summary()))?;
    open(py, &sources, backend)
}

/// Checks a program.
#[pyfunction]
pub fn open_text(py: Python<'_>, name: &str, text: &str, backend: &str) -> PyResult<Program> {
    open(py, &Sources::from_text(name, text), backend)
}

fn open(py: Python<'_>, sources: &Sources, backend: &str) -> PyResult<Program> {
    let Some(choice) = BackendChoice::from_name(backend) else {
        let names: Vec<&str> = BackendChoice::ALL.iter().map(|choice| choice.name()).collect();
        return Err(PyValueError::new_err(format!(
            "there is no backend `{backend}`; there are {}",
            names.join(", ")
        )));
    };
    let program = py.detach(|| HostProgram::open(sources, Plan::host(choice)));
    Ok(Program { program: Arc::new(program.map_err(raised)?) })
}

#[pymethods]
impl Program {
    /// What the checker warned of.
    #[getter]
    fn warnings(&self) -> &str {
        &self.program.warnings
    }

    /// For each entry: name, signature, documentation, parameters (name, type, whether it may be left out), result type.
    fn entries<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for entry in self.program.entries() {
            let params = PyList::empty(py);
            for (param, default) in entry.kernel.params.iter().zip(&entry.defaults) {
                let ty = described(py, &param.ty)?;
                params.append((&param.name, param.ty.to_string(), ty, default.is_some()))?;
            }
            let result = described(py, &entry.kernel.result)?;
            let docs = entry.docs.join("\n");
            list.append((&entry.kernel.name, entry.kernel.signature(), docs, params, result))?;
        }
        Ok(list)
    }

    /// The kernel of an entry. `inputs` and `outputs` are the NumPy types of its arrays, `records` the classes of
    /// the records in its result, all in order.
    fn kernel(
        &self,
        entry: usize,
        inputs: Vec<Py<PyAny>>,
        outputs: Vec<Py<PyAny>>,
        records: Vec<Py<PyAny>>,
        helpers: (Py<PyAny>, Py<PyAny>),
        threads: Option<usize>,
    ) -> PyResult<Kernel> {
        let (ndarray, convert) = helpers;
        Kernel::new(
            Arc::clone(&self.program),
            entry,
            Parts { inputs, outputs, records, ndarray, convert },
            threads,
        )
    }
}

/// A type as nested tuples: `("scalar", name)`, `("array", element, rank, text)`, `("tuple", [..])` or
/// `("record", name, [(field, type), ..])`.
fn described<'py>(py: Python<'py>, ty: &HostType) -> PyResult<Bound<'py, PyTuple>> {
    match ty {
        HostType::Scalar(scalar) => ("scalar", scalar.to_string()).into_pyobject(py),
        HostType::Array { elem, sizes } => {
            ("array", described(py, elem)?, sizes.len(), ty.to_string()).into_pyobject(py)
        }
        HostType::Tuple(parts) => {
            let parts = parts.iter().map(|part| described(py, part)).collect::<PyResult<Vec<_>>>()?;
            ("tuple", parts).into_pyobject(py)
        }
        HostType::Record { name, fields } => {
            let one =
                |field: &we3_driver::value::HostField| Ok((field.name.clone(), described(py, &field.ty)?));
            ("record", name, fields.iter().map(one).collect::<PyResult<Vec<_>>>()?).into_pyobject(py)
        }
    }
}
