//! Python objects as the arguments of a kernel.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyTuple};
use we3_driver::Scalar;
use we3_driver::host::HostArg;
use we3_driver::random::float_bits;
use we3_driver::value::{HostArray, HostType, HostValue};

use crate::buffer::View;

/// One argument, with what keeps its memory.
pub enum Item {
    /// The bits of a scalar.
    Scalar(u64),
    /// Memory of a Python object.
    View(View, Vec<u64>),
    /// An array that stands for an argument that was left out.
    Default(HostArray),
}

impl Item {
    /// As the call takes it.
    pub fn as_arg(&self) -> HostArg<'_> {
        match self {
            Item::Scalar(bits) => HostArg::Scalar(*bits),
            Item::View(view, sizes) => HostArg::Array { sizes, bytes: view.bytes() },
            Item::Default(array) => HostArg::Array { sizes: array.sizes(), bytes: array.bytes() },
        }
    }
}

/// Collects arguments; arrays take the next of the NumPy types.
pub struct Binder<'a, 'py> {
    /// The kernel's name, for messages.
    pub kernel: &'a str,
    /// NumPy types of the arrays.
    pub inputs: &'a [Py<PyAny>],
    /// `we3._convert.array`, for what is no plain array yet.
    pub convert: &'a Py<PyAny>,
    /// What was bound.
    pub items: Vec<Item>,
    /// Number of arrays so far.
    pub arrays: usize,
    /// The interpreter.
    pub py: Python<'py>,
}

impl<'py> Binder<'_, 'py> {
    /// An argument for a parameter of this type.
    pub fn bind(&mut self, name: &str, ty: &HostType, object: &Bound<'py, PyAny>) -> PyResult<()> {
        match ty {
            HostType::Scalar(scalar) => {
                let bits = self.scalar(name, *scalar, object)?;
                self.items.push(Item::Scalar(bits));
            }
            HostType::Array { elem, sizes } => self.array(name, ty, elem, sizes.len(), object)?,
            HostType::Tuple(types) => {
                let parts = object.cast::<PyTuple>().map_err(|_| self.wrong(name, ty, object))?;
                if parts.len() != types.len() {
                    return Err(self.wrong(name, ty, object));
                }
                for (number, (ty, part)) in types.iter().zip(parts.iter()).enumerate() {
                    self.bind(&format!("{name}.{number}"), ty, &part)?;
                }
            }
            HostType::Record { fields, .. } => {
                for field in fields {
                    let part = match object.cast::<PyDict>() {
                        Ok(dict) => dict.get_item(&field.name)?,
                        Err(_) => object.getattr_opt(field.name.as_str())?,
                    };
                    let part = part.ok_or_else(|| self.wrong(name, ty, object))?;
                    self.bind(&format!("{name}.{}", field.name), &field.ty, &part)?;
                }
            }
        }
        Ok(())
    }

    /// What stands for an argument that was left out.
    pub fn bind_default(&mut self, value: &HostValue) {
        match value {
            HostValue::Scalar(constant) => self.items.push(Item::Scalar(constant.bits)),
            HostValue::Array(array) => {
                self.arrays += 1;
                self.items.push(Item::Default(array.clone()));
            }
            HostValue::Tuple(parts) => parts.iter().for_each(|part| self.bind_default(part)),
            HostValue::Record { fields, .. } => fields.iter().for_each(|(_, part)| self.bind_default(part)),
        }
    }

    fn array(
        &mut self,
        name: &str,
        ty: &HostType,
        elem: &HostType,
        rank: usize,
        object: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let dtype = &self.inputs[self.arrays];
        self.arrays += 1;
        let plain = match elem {
            HostType::Scalar(scalar) => View::of(object, false).ok().filter(|view| holds(view, *scalar)),
            HostType::Array { .. } | HostType::Tuple(_) | HostType::Record { .. } => None,
        };
        let view = match plain.filter(|view| view.rank() == rank) {
            Some(view) => view,
            None => {
                // Converts what may be converted, and says what is wrong with the rest.
                let label = format!("`{}`, argument `{name}: {ty}`", self.kernel);
                View::of(&self.convert.bind(self.py).call1((object, dtype, rank, label))?, false)?
            }
        };
        let sizes = view.sizes();
        self.items.push(Item::View(view, sizes));
        Ok(())
    }

    fn scalar(&self, name: &str, ty: Scalar, object: &Bound<'py, PyAny>) -> PyResult<u64> {
        let wrong = |_| self.wrong(name, &HostType::Scalar(ty), object);
        if ty == Scalar::Bool {
            return Ok(u64::from(object.extract::<bool>().map_err(wrong)?));
        }
        if object.is_instance_of::<PyBool>() {
            return Err(wrong(PyTypeError::new_err("")));
        }
        if ty.is_float() {
            return Ok(float_bits(ty, object.extract::<f64>().map_err(wrong)?));
        }
        if object.is_instance_of::<PyFloat>() {
            return Err(wrong(PyTypeError::new_err("")));
        }
        let too_large = || {
            PyOverflowError::new_err(format!("`{}`: {object} is no {ty} (argument `{name}`)", self.kernel))
        };
        let bits = if ty.is_signed_int() {
            let number = object.extract::<i64>();
            let number = number.map_err(|error| self.integer_error(error, name, ty, object))?;
            let shift = 64 - ty.bits();
            if (number << shift) >> shift != number {
                return Err(too_large());
            }
            number as u64
        } else {
            let number = object.extract::<u64>();
            number.map_err(|error| self.integer_error(error, name, ty, object))?
        };
        let mask = u64::MAX >> (64 - ty.bits());
        if !ty.is_signed_int() && bits & mask != bits {
            return Err(too_large());
        }
        Ok(bits & mask)
    }

    fn integer_error(&self, error: PyErr, name: &str, ty: Scalar, object: &Bound<'py, PyAny>) -> PyErr {
        if object.is_instance_of::<PyInt>() {
            return PyOverflowError::new_err(format!(
                "`{}`: {object} is no {ty} (argument `{name}`)",
                self.kernel
            ));
        }
        drop(error);
        self.wrong(name, &HostType::Scalar(ty), object)
    }

    fn wrong(&self, name: &str, ty: &HostType, object: &Bound<'py, PyAny>) -> PyErr {
        let given = object.get_type().name().map_or_else(|_| String::from("?"), |name| name.to_string());
        PyTypeError::new_err(format!("`{}`: argument `{name}` has to be {ty}, not {given}", self.kernel))
    }
}

/// Whether a view's elements are of this type.
pub fn holds(view: &View, ty: Scalar) -> bool {
    let native = view
        .format()
        .strip_prefix(b"@")
        .or_else(|| view.format().strip_prefix(b"="))
        .unwrap_or(view.format());
    let little =
        cfg!(target_endian = "little").then(|| native.strip_prefix(b"<")).flatten().unwrap_or(native);
    let [kind] = little else { return false };
    let fits = match ty {
        Scalar::Bool => *kind == b'?',
        Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64 => b"bhilq".contains(kind),
        Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => b"BHILQ".contains(kind),
        Scalar::F16 => *kind == b'e',
        Scalar::F32 => *kind == b'f',
        Scalar::F64 => *kind == b'd',
        // The buffer protocol has no word for it.
        Scalar::Bf16 => false,
    };
    fits && view.elem_bytes() == ty.bytes() as usize
}
