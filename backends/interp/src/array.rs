//! Array values at run time: shared when read, written in place when nobody else holds them.

use std::cell::Cell;
use std::rc::Rc;

use we3_ir::Scalar;

use crate::value::{Run, RunArray, Stop};

/// Bytes that may still be allocated; arrays give theirs back when they are dropped.
pub(crate) type Budget = Rc<Cell<u64>>;

/// What an array may have at most, in bytes.
const LARGEST: u64 = 1 << 47;

/// A dense, row-major array.
pub(crate) struct Array {
    pub(crate) elem: Scalar,
    pub(crate) sizes: Box<[i64]>,
    pub(crate) data: Vec<u8>,
    budget: Budget,
}

impl Drop for Array {
    fn drop(&mut self) {
        self.budget.set(self.budget.get() + self.data.len() as u64);
    }
}

/// The number of elements that sizes span (a negative one counts as 0), or `None` when there are too many.
pub(crate) fn element_count(sizes: impl IntoIterator<Item = i64>) -> Option<usize> {
    let mut total: u64 = 1;
    let mut overflow = false;
    for size in sizes {
        let size = size.max(0) as u64;
        if size == 0 {
            return Some(0);
        }
        match total.checked_mul(size) {
            Some(product) => total = product,
            None => overflow = true,
        }
    }
    if overflow { None } else { usize::try_from(total).ok() }
}

impl Array {
    /// An array of zeros.
    pub(crate) fn zeros(budget: &Budget, elem: Scalar, sizes: Box<[i64]>) -> Run<Array> {
        let count = element_count(sizes.iter().copied());
        let bytes = count.and_then(|count| count.checked_mul(elem.bytes() as usize));
        let data = match bytes {
            Some(bytes) => reserve(budget, bytes, 0)?,
            None => return Err(Box::new(Stop::TooLarge)),
        };
        Ok(Array { elem, sizes, data, budget: Rc::clone(budget) })
    }

    /// An array around data that came from outside.
    pub(crate) fn adopt(budget: &Budget, array: RunArray) -> Run<Array> {
        spend(budget, array.data.len())?;
        let sizes = array.sizes.into_boxed_slice();
        Ok(Array { elem: array.elem, sizes, data: array.data, budget: Rc::clone(budget) })
    }

    /// A copy of the same elements under other sizes of the same product.
    pub(crate) fn with_sizes(&self, sizes: Box<[i64]>) -> Run<Array> {
        let mut copy = Array::zeros(&self.budget, self.elem, sizes)?;
        let common = copy.data.len().min(self.data.len());
        copy.data[..common].copy_from_slice(&self.data[..common]);
        Ok(copy)
    }

    /// The value as a host sees it; its memory too, when nobody else holds it.
    pub(crate) fn into_host(mut array: Rc<Array>) -> RunArray {
        match Rc::get_mut(&mut array) {
            Some(own) => {
                own.budget.set(own.budget.get() + own.data.len() as u64);
                let data = std::mem::take(&mut own.data);
                RunArray { elem: own.elem, sizes: own.sizes.to_vec(), data }
            }
            None => RunArray { elem: array.elem, sizes: array.sizes.to_vec(), data: array.data.clone() },
        }
    }

    /// The element at a row-major position.
    pub(crate) fn get(&self, position: usize) -> Option<u64> {
        read_element(&self.data, self.elem, position)
    }

    /// Replaces the element at a row-major position.
    pub(crate) fn set(&mut self, position: usize, bits: u64) -> Option<()> {
        write_element(&mut self.data, self.elem, position, bits)
    }

    /// The row-major position of full subscripts, or `None` when one is out of range.
    pub(crate) fn position(&self, subscripts: impl IntoIterator<Item = u64>) -> Option<usize> {
        let mut position: u64 = 0;
        for (subscript, size) in subscripts.into_iter().zip(&self.sizes) {
            let size = *size as u64;
            // A negative subscript is a large unsigned number.
            if subscript >= size {
                return None;
            }
            position = position * size + subscript;
        }
        Some(position as usize)
    }
}

/// Makes an array writable: itself when nobody else holds it, else a copy.
pub(crate) fn writable(array: &mut Rc<Array>) -> Run<&mut Array> {
    if Rc::get_mut(array).is_none() {
        let copy = array.with_sizes(array.sizes.clone())?;
        *array = Rc::new(copy);
    }
    match Rc::get_mut(array) {
        Some(own) => Ok(own),
        None => crate::value::broken("a fresh array is shared"),
    }
}

fn spend(budget: &Budget, bytes: usize) -> Run<()> {
    match budget.get().checked_sub(bytes as u64) {
        Some(rest) => {
            budget.set(rest);
            Ok(())
        }
        None => Err(Box::new(Stop::OutOfMemory)),
    }
}

/// Memory filled with one byte, within the budget.
pub(crate) fn reserve(budget: &Budget, bytes: usize, fill: u8) -> Run<Vec<u8>> {
    if bytes as u64 > LARGEST {
        return Err(Box::new(Stop::TooLarge));
    }
    spend(budget, bytes)?;
    let mut data = Vec::new();
    if data.try_reserve_exact(bytes).is_err() {
        budget.set(budget.get() + bytes as u64);
        return Err(Box::new(Stop::OutOfMemory));
    }
    data.resize(bytes, fill);
    Ok(data)
}

/// Reads an element of little-endian memory.
pub(crate) fn read_element(data: &[u8], elem: Scalar, position: usize) -> Option<u64> {
    match elem.bytes() {
        1 => data.get(position).map(|byte| u64::from(*byte)),
        2 => word(data, position).map(|bytes| u64::from(u16::from_le_bytes(bytes))),
        4 => word(data, position).map(|bytes| u64::from(u32::from_le_bytes(bytes))),
        _ => word(data, position).map(u64::from_le_bytes),
    }
}

fn word<const N: usize>(data: &[u8], position: usize) -> Option<[u8; N]> {
    let start = position.checked_mul(N)?;
    data.get(start..start.checked_add(N)?)?.try_into().ok()
}

/// Writes an element of little-endian memory.
pub(crate) fn write_element(data: &mut [u8], elem: Scalar, position: usize, bits: u64) -> Option<()> {
    let width = elem.bytes() as usize;
    let start = position.checked_mul(width)?;
    let cell = data.get_mut(start..start.checked_add(width)?)?;
    match width {
        1 => cell.copy_from_slice(&[bits as u8]),
        2 => cell.copy_from_slice(&(bits as u16).to_le_bytes()),
        4 => cell.copy_from_slice(&(bits as u32).to_le_bytes()),
        _ => cell.copy_from_slice(&bits.to_le_bytes()),
    }
    Some(())
}
