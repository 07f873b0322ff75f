//! A kernel as a Python callable: arguments bound by position and name, the interpreter let go while it runs.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use we3_driver::executable::Budget;
use we3_driver::host::{HostArg, HostEntry, HostProgram};

use crate::arguments::{Binder, Item};
use crate::buffer::View;
use crate::raised;
use crate::results::Results;

/// What Python made for a kernel.
pub struct Parts {
    /// NumPy types of the arrays among the arguments, in order.
    pub inputs: Vec<Py<PyAny>>,
    /// NumPy types of the arrays in the result.
    pub outputs: Vec<Py<PyAny>>,
    /// Classes of the records in the result.
    pub records: Vec<Py<PyAny>>,
    /// `numpy.ndarray`.
    pub ndarray: Py<PyAny>,
    /// `we3._convert.array`.
    pub convert: Py<PyAny>,
}

/// A function of a program that can be called.
#[pyclass(module = "we3._native", dict)]
pub struct Kernel {
    program: Arc<HostProgram>,
    number: usize,
    parts: Parts,
    threads: Option<NonZeroUsize>,
}

impl Kernel {
    /// Of an entry, which exists.
    pub fn new(
        program: Arc<HostProgram>,
        number: usize,
        parts: Parts,
        threads: Option<usize>,
    ) -> PyResult<Kernel> {
        if number >= program.entries().len() {
            return Err(PyValueError::new_err(format!("there is no entry {number}")));
        }
        let threads = threads.map(|count| {
            NonZeroUsize::new(count).ok_or_else(|| PyValueError::new_err("a kernel needs a thread"))
        });
        Ok(Kernel { program, number, parts, threads: threads.transpose()? })
    }

    fn entry(&self) -> &HostEntry {
        &self.program.entries()[self.number]
    }

    fn bound(&self, args: &Bound<'_, PyTuple>, named: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<Item>> {
        let py = args.py();
        let (entry, parts) = (self.entry(), &self.parts);
        let kernel = &entry.kernel;
        if args.len() > kernel.params.len() {
            let (given, wanted) = (args.len(), kernel.params.len());
            let s = if wanted == 1 { "" } else { "s" };
            return Err(
                self.type_error(format!("takes {wanted} argument{s}, not {given}: {}", kernel.signature()))
            );
        }
        let items = Vec::with_capacity(kernel.param_slots.len());
        let mut binder = Binder {
            kernel: &kernel.name,
            inputs: &parts.inputs,
            convert: &parts.convert,
            items,
            arrays: 0,
            py,
        };
        let mut taken = 0;
        for (number, (param, default)) in kernel.params.iter().zip(&entry.defaults).enumerate() {
            let by_name = named.map(|named| named.get_item(&param.name)).transpose()?.flatten();
            taken += usize::from(by_name.is_some());
            match (args.get_item(number).ok(), by_name, default) {
                (Some(_), Some(_), _) => {
                    return Err(self.type_error(format!("got argument `{}` twice", param.name)));
                }
                (Some(object), None, _) | (None, Some(object), _) => {
                    binder.bind(&param.name, &param.ty, &object)?
                }
                (None, None, Some(default)) => binder.bind_default(default),
                (None, None, None) => {
                    return Err(
                        self.type_error(format!("argument `{}: {}` is missing", param.name, param.ty))
                    );
                }
            }
        }
        if let Some(named) = named.filter(|named| named.len() > taken) {
            for name in named.keys() {
                let name = name.to_string();
                if kernel.params.iter().all(|param| param.name != name) {
                    return Err(self.type_error(format!("has no parameter `{name}`: {}", kernel.signature())));
                }
            }
        }
        Ok(binder.items)
    }

    fn type_error(&self, what: String) -> PyErr {
        PyTypeError::new_err(format!("`{}` {what}", self.entry().kernel.name))
    }

    /// Writable memory of the arrays that are to receive the result.
    fn receivers(&self, out: Option<&Bound<'_, PyAny>>, items: &[Item]) -> PyResult<Vec<(View, Py<PyAny>)>> {
        let Some(out) = out.filter(|out| !out.is_none()) else { return Ok(Vec::new()) };
        let arrays: Vec<Bound<'_, PyAny>> = match out.cast::<PyTuple>() {
            Ok(parts) => parts.iter().collect(),
            Err(_) => vec![out.clone()],
        };
        if arrays.len() != self.parts.outputs.len() {
            let (given, wanted) = (arrays.len(), self.parts.outputs.len());
            return Err(self.type_error(format!("gives {wanted} arrays, `out` has {given}")));
        }
        let mut views = Vec::new();
        for (array, dtype) in arrays.iter().zip(&self.parts.outputs) {
            let found = array.getattr_opt("dtype")?;
            if !found.is_some_and(|found| found.eq(dtype).unwrap_or(false)) {
                return Err(
                    self.type_error(format!("gives elements of type {dtype}, which `out` does not have"))
                );
            }
            let view = View::of(array, true).map_err(|_| {
                self.type_error(String::from("needs an `out` that is writable and in C order"))
            })?;
            let (start, end) = view.range();
            let overlaps = |other: (usize, usize)| start < other.1 && other.0 < end;
            let in_argument =
                items.iter().any(|item| matches!(item, Item::View(arg, _) if overlaps(arg.range())));
            if in_argument || views.iter().any(|(other, _): &(View, Py<PyAny>)| overlaps(other.range())) {
                return Err(PyValueError::new_err(format!(
                    "`{}`: `out` shares memory with an argument; a result needs memory of its own",
                    self.entry().kernel.name
                )));
            }
            views.push((view, array.clone().unbind()));
        }
        Ok(views)
    }
}

#[pymethods]
impl Kernel {
    /// Calls it. `out` receives the arrays of the result.
    #[pyo3(signature = (*args, **named))]
    fn __call__<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = args.py();
        let out = named.map(|named| named.get_item("out")).transpose()?.flatten();
        let named = match (&out, named) {
            (Some(_), Some(named)) => {
                let rest = named.copy()?;
                rest.del_item("out")?;
                Some(rest)
            }
            (None, named) => named.cloned(),
            (Some(_), None) => None,
        };
        let items = self.bound(args, named.as_ref())?;
        let mut receivers = self.receivers(out.as_ref(), &items)?;
        let args: Vec<HostArg<'_>> = items.iter().map(Item::as_arg).collect();
        let places: Vec<(Py<PyAny>, Vec<u64>)> =
            receivers.iter().map(|(view, array)| (array.clone_ref(py), view.sizes())).collect();
        let given: BTreeMap<u32, &mut [u8]> = receivers
            .iter_mut()
            .enumerate()
            .map(|(number, (view, _))| (number as u32, view.bytes_mut()))
            .collect();
        let budget = Budget::default().on_threads(self.threads);
        let outcome = py.detach(|| self.program.call(self.number, &args, given, budget)).map_err(raised)?;
        Results::new(outcome, &self.parts, &places).object(py, &self.entry().kernel.result)
    }

    /// Compiles it now, and not when it is first called.
    fn compile(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.program.compile(self.number)).map_err(raised)
    }

    fn __repr__(&self) -> String {
        format!("<we3 kernel {}>", self.entry().kernel.signature())
    }
}
