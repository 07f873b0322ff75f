//! What a call left as Python objects.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyTuple};
use we3_driver::Scalar;
use we3_driver::host::{CallOutcome, HostMemory};
use we3_driver::ir::eval;
use we3_driver::value::HostType;

use crate::buffer::Memory;
use crate::kernel::Parts;

/// Takes a result apart in order.
pub struct Results<'a> {
    scalars: std::vec::IntoIter<u64>,
    groups: BTreeMap<u32, HostMemory>,
    arrays: u32,
    records: usize,
    parts: &'a Parts,
    /// Arrays of the caller that received arrays of the result, with their sizes.
    out: &'a [(Py<PyAny>, Vec<u64>)],
}

impl<'a> Results<'a> {
    /// Of a call whose arrays went into `out` where they fitted.
    pub fn new(outcome: CallOutcome, parts: &'a Parts, out: &'a [(Py<PyAny>, Vec<u64>)]) -> Results<'a> {
        Results {
            scalars: outcome.results.into_iter(),
            groups: outcome.groups,
            arrays: 0,
            records: 0,
            parts,
            out,
        }
    }

    /// The next part of the result.
    pub fn object<'py>(&mut self, py: Python<'py>, ty: &HostType) -> PyResult<Bound<'py, PyAny>> {
        match ty {
            HostType::Scalar(scalar) => scalar_object(py, *scalar, self.scalar()?),
            HostType::Array { sizes, .. } => self.array(py, sizes.len()),
            HostType::Tuple(types) => {
                let parts = types.iter().map(|ty| self.object(py, ty)).collect::<PyResult<Vec<_>>>()?;
                Ok(PyTuple::new(py, parts)?.into_any())
            }
            HostType::Record { fields, .. } => {
                let class = self.parts.records.get(self.records).map(|class| class.bind(py).clone());
                self.records += 1;
                let parts =
                    fields.iter().map(|field| self.object(py, &field.ty)).collect::<PyResult<Vec<_>>>()?;
                class.ok_or_else(missing)?.call1(PyTuple::new(py, parts)?)
            }
        }
    }

    fn scalar(&mut self) -> PyResult<u64> {
        self.scalars.next().ok_or_else(missing)
    }

    fn array<'py>(&mut self, py: Python<'py>, rank: usize) -> PyResult<Bound<'py, PyAny>> {
        let sizes = (0..rank).map(|_| self.scalar()).collect::<PyResult<Vec<u64>>>()?;
        let number = self.arrays;
        self.arrays += 1;
        if let Some((array, given)) = self.out.get(number as usize) {
            if *given != sizes {
                return Err(pyo3::exceptions::PyValueError::new_err(format!(
                    "`out` has the sizes {given:?}, the result {sizes:?}"
                )));
            }
            return Ok(array.bind(py).clone());
        }
        let empty = || HostMemory::zeroed(0);
        let memory = self.groups.remove(&number).or_else(empty).ok_or_else(missing)?;
        let dtype = self.parts.outputs.get(number as usize).ok_or_else(missing)?;
        let memory = Bound::new(py, Memory(memory))?;
        self.parts.ndarray.bind(py).call1((PyTuple::new(py, sizes)?, dtype, memory))
    }
}

fn missing() -> PyErr {
    pyo3::exceptions::PyRuntimeError::new_err("bug in we3: a result is incomplete")
}

fn scalar_object(py: Python<'_>, ty: Scalar, bits: u64) -> PyResult<Bound<'_, PyAny>> {
    Ok(if ty == Scalar::Bool {
        PyBool::new(py, bits != 0).to_owned().into_any()
    } else if ty.is_float() {
        f64::from_bits(eval::convert(ty, Scalar::F64, bits)).into_pyobject(py)?.into_any()
    } else if ty.is_signed_int() {
        let shift = 64 - ty.bits();
        (((bits << shift) as i64) >> shift).into_pyobject(py)?.into_any()
    } else {
        bits.into_pyobject(py)?.into_any()
    })
}
