//! Memory between Python and kernels: views of objects that have a buffer, and results as objects that have one.
#![allow(unsafe_code, reason = "the buffer protocol is a C interface")]

use std::ffi::{CStr, c_int};

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use we3_driver::host::HostMemory;

/// The memory of an object, in C layout, held until this is dropped.
pub struct View {
    /// On the heap: exporters may let it point into itself.
    raw: Box<ffi::Py_buffer>,
}

// SAFETY: it is an address, with an owner that stays until the view is dropped. A view is dropped where it was made,
// attached to the interpreter.
unsafe impl Send for View {}
// SAFETY: shared references only read what does not change as long as the view is there.
unsafe impl Sync for View {}

impl View {
    /// The memory of an object, if that has any in C layout (and may be written, if that is asked for).
    pub fn of(object: &Bound<'_, PyAny>, writable: bool) -> PyResult<View> {
        let mut raw = Box::new(ffi::Py_buffer::new());
        let access = if writable { ffi::PyBUF_WRITABLE } else { 0 };
        let flags = ffi::PyBUF_FORMAT | ffi::PyBUF_C_CONTIGUOUS | access;
        // SAFETY: both pointers are good; the buffer is released when the view is dropped.
        let status = unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), &raw mut *raw, flags) };
        if status == 0 { Ok(View { raw }) } else { Err(PyErr::fetch(object.py())) }
    }

    /// The axis sizes.
    pub fn sizes(&self) -> Vec<u64> {
        if self.raw.shape.is_null() {
            return Vec::new();
        }
        // SAFETY: with `PyBUF_ND` there are `ndim` sizes.
        let sizes = unsafe { std::slice::from_raw_parts(self.raw.shape, self.rank()) };
        sizes.iter().map(|size| *size as u64).collect()
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        usize::try_from(self.raw.ndim).unwrap_or(0)
    }

    /// Bytes of an element.
    pub fn elem_bytes(&self) -> usize {
        usize::try_from(self.raw.itemsize).unwrap_or(0)
    }

    /// What an element is, in the words of Python's `struct`.
    pub fn format(&self) -> &[u8] {
        if self.raw.format.is_null() {
            return b"B";
        }
        // SAFETY: with `PyBUF_FORMAT` it is a C string, which lives as long as the buffer.
        unsafe { CStr::from_ptr(self.raw.format) }.to_bytes()
    }

    /// Where it lies: the first byte, and the one after the last.
    pub fn range(&self) -> (usize, usize) {
        let start = self.raw.buf as usize;
        (start, start + self.len())
    }

    fn len(&self) -> usize {
        usize::try_from(self.raw.len).unwrap_or(0)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        if self.len() == 0 {
            return &[];
        }
        // SAFETY: the exporter keeps these bytes where they are until the buffer is released.
        unsafe { std::slice::from_raw_parts(self.raw.buf.cast::<u8>(), self.len()) }
    }

    /// The bytes, to be written; the view has to be a writable one, and no other may be looked at meanwhile.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        if self.len() == 0 || self.raw.readonly != 0 {
            return &mut [];
        }
        // SAFETY: as in `bytes`; the exporter said that it may be written.
        unsafe { std::slice::from_raw_parts_mut(self.raw.buf.cast::<u8>(), self.len()) }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: `PyObject_GetBuffer` filled it, and only once is it released.
        unsafe { ffi::PyBuffer_Release(&raw mut *self.raw) }
    }
}

/// The memory of a result, from which NumPy makes an array without a copy.
#[pyclass(frozen, module = "we3._native")]
pub struct Memory(pub HostMemory);

#[pymethods]
impl Memory {
    /// Python's buffer protocol.
    ///
    /// # Safety
    /// Only the interpreter calls it, with a view to be filled.
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("no view"));
        }
        let memory = &slf.get().0;
        let bytes = memory.as_slice().len() as isize;
        // SAFETY: the memory lives as long as the object, to which the view holds a reference. Rust does not look at it
        // any more.
        let status =
            unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), memory.as_ptr().cast(), bytes, 0, flags) };
        if status == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}
