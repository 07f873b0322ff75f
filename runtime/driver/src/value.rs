//! Values as a host sees them: scalars, arrays in C layout, tuples, records, and their types with the
//! names of the source. No reading of files, no printing.

pub use we3_frontend::typed::{HostField, HostType};
use we3_ir::{Const, Scalar};

use std::sync::Arc;

use we3_device::HostMemory;

use crate::layout::Layout;

/// More bytes than this in one array is an error everywhere (`docs/language.md`, "Sizes").
pub const MAX_ARRAY_BYTES: u64 = 1 << 47;

/// A value at the border.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HostValue {
    /// One number or truth value.
    Scalar(Const),
    /// An array.
    Array(HostArray),
    /// A tuple.
    Tuple(Vec<HostValue>),
    /// A record.
    Record {
        /// Its name with generic arguments.
        name: String,
        /// Fields in order.
        fields: Vec<(String, HostValue)>,
    },
}

impl HostValue {
    /// A scalar from its bits.
    pub fn scalar(ty: Scalar, bits: u64) -> HostValue {
        HostValue::Scalar(Const { ty, bits })
    }

    /// The type, with the sizes that the value has.
    pub fn ty(&self) -> HostType {
        match self {
            HostValue::Scalar(constant) => HostType::Scalar(constant.ty),
            HostValue::Array(array) => array.ty(),
            HostValue::Tuple(parts) => HostType::Tuple(parts.iter().map(HostValue::ty).collect()),
            HostValue::Record { name, fields } => HostType::Record {
                name: name.clone(),
                fields: fields
                    .iter()
                    .map(|(name, value)| HostField { name: name.clone(), ty: value.ty() })
                    .collect(),
            },
        }
    }

    /// The value of this type with every number zero; arrays get the given sizes.
    pub fn zero(ty: &HostType, sizes: &[u64]) -> Option<HostValue> {
        Some(match ty {
            HostType::Scalar(scalar) => HostValue::scalar(*scalar, 0),
            HostType::Array { elem, .. } => {
                HostValue::Array(HostArray::zeros((**elem).clone(), sizes.to_vec())?)
            }
            HostType::Tuple(parts) => HostValue::Tuple(
                parts.iter().map(|part| HostValue::zero(part, sizes)).collect::<Option<_>>()?,
            ),
            HostType::Record { name, fields } => HostValue::Record {
                name: name.clone(),
                fields: fields
                    .iter()
                    .map(|field| Some((field.name.clone(), HostValue::zero(&field.ty, sizes)?)))
                    .collect::<Option<_>>()?,
            },
        })
    }
}

/// An array in C layout: row-major, elements one after the other as C would lay out the record. Its
/// memory starts at a cache line, as kernels like it. Cloning shares the memory until one side writes.
#[derive(Clone, Debug)]
pub struct HostArray {
    elem: HostType,
    layout: Layout,
    sizes: Vec<u64>,
    memory: Arc<HostMemory>,
}

impl PartialEq for HostArray {
    fn eq(&self, other: &HostArray) -> bool {
        self.elem == other.elem && self.sizes == other.sizes && self.bytes() == other.bytes()
    }
}

impl Eq for HostArray {}

impl HostArray {
    /// All bytes zero. `None` when the element holds an array or the memory is not to be had.
    pub fn zeros(elem: HostType, sizes: Vec<u64>) -> Option<HostArray> {
        let layout = Layout::of(&elem)?;
        let len = usize::try_from(byte_len(&sizes, layout.size)?).ok()?;
        Some(HostArray { elem, layout, sizes, memory: Arc::new(HostMemory::zeroed(len)?) })
    }

    /// Takes over memory in C layout; `None` when its length does not fit the sizes.
    pub fn from_memory(elem: HostType, sizes: Vec<u64>, memory: HostMemory) -> Option<HostArray> {
        let layout = Layout::of(&elem)?;
        let expected = byte_len(&sizes, layout.size)?;
        let fits = memory.as_slice().len() as u64 == expected;
        fits.then(|| HostArray { elem, layout, sizes, memory: Arc::new(memory) })
    }

    /// What it holds.
    pub fn elem(&self) -> &HostType {
        &self.elem
    }

    /// How an element lies in memory.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The axis sizes.
    pub fn sizes(&self) -> &[u64] {
        &self.sizes
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        // The product was bounded when the array was made; an empty axis may stand beside a huge one.
        if self.sizes.contains(&0) { 0 } else { self.sizes.iter().product::<u64>() as usize }
    }

    /// The memory.
    pub fn bytes(&self) -> &[u8] {
        self.memory.as_slice()
    }

    /// The memory, to be filled. Shared memory is copied first (and as everywhere in Rust, a copy for
    /// which there is no memory ends the program).
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        if Arc::get_mut(&mut self.memory).is_none() {
            let copy = HostMemory::copy_of(self.bytes());
            self.memory = Arc::new(copy.unwrap_or_else(|| {
                std::alloc::handle_alloc_error(std::alloc::Layout::for_value(self.bytes()))
            }));
        }
        match Arc::get_mut(&mut self.memory) {
            Some(memory) => memory.as_mut_slice(),
            // The copy above has no other owner.
            None => &mut [],
        }
    }

    /// The memory, to be filled, if nobody shares it.
    pub fn bytes_if_alone(&mut self) -> Option<&mut [u8]> {
        Arc::get_mut(&mut self.memory).map(HostMemory::as_mut_slice)
    }

    /// Whether both are views of the same memory.
    pub fn shares_memory_with(&self, other: &HostArray) -> bool {
        Arc::ptr_eq(&self.memory, &other.memory)
    }

    /// The type, with these sizes.
    pub fn ty(&self) -> HostType {
        HostType::Array {
            elem: Box::new(self.elem.clone()),
            sizes: self.sizes.iter().map(u64::to_string).collect(),
        }
    }

    /// One element, by its row-major number.
    pub fn element(&self, number: usize) -> HostValue {
        let start = number * self.layout.size;
        read_element(&self.elem, &self.layout, &mut 0, &self.bytes()[start..start + self.layout.size])
    }

    /// Replaces one element by a value of the element type (other values change nothing).
    pub fn set_element(&mut self, number: usize, value: &HostValue) {
        let layout = self.layout.clone();
        let start = number * layout.size;
        write_element(value, &layout, &mut 0, &mut self.bytes_mut()[start..start + layout.size]);
    }
}

/// Bytes of an array, or `None` past the limit.
pub fn byte_len(sizes: &[u64], elem_bytes: usize) -> Option<u64> {
    if sizes.contains(&0) {
        return Some(0);
    }
    let count = sizes.iter().try_fold(1_u64, |product, size| product.checked_mul(*size))?;
    let len = count.checked_mul(elem_bytes as u64)?;
    (count <= MAX_ARRAY_BYTES && len <= MAX_ARRAY_BYTES).then_some(len)
}

/// The bits of a scalar at the start of a piece of memory.
pub fn read_bits(ty: Scalar, memory: &[u8]) -> u64 {
    let mut word = [0; 8];
    let width = ty.bytes() as usize;
    word[..width].copy_from_slice(&memory[..width]);
    u64::from_le_bytes(word)
}

/// Writes the bits of a scalar to the start of a piece of memory.
pub fn write_bits(ty: Scalar, bits: u64, memory: &mut [u8]) {
    let width = ty.bytes() as usize;
    memory[..width].copy_from_slice(&bits.to_le_bytes()[..width]);
}

fn read_element(ty: &HostType, layout: &Layout, leaf: &mut usize, memory: &[u8]) -> HostValue {
    match ty {
        HostType::Scalar(scalar) => {
            let offset = layout.leaves[*leaf].offset;
            *leaf += 1;
            HostValue::scalar(*scalar, read_bits(*scalar, &memory[offset..]))
        }
        // A layout exists only for types without arrays inside.
        HostType::Array { .. } => HostValue::Tuple(Vec::new()),
        HostType::Tuple(parts) => {
            HostValue::Tuple(parts.iter().map(|part| read_element(part, layout, leaf, memory)).collect())
        }
        HostType::Record { name, fields } => HostValue::Record {
            name: name.clone(),
            fields: fields
                .iter()
                .map(|field| (field.name.clone(), read_element(&field.ty, layout, leaf, memory)))
                .collect(),
        },
    }
}

fn write_element(value: &HostValue, layout: &Layout, leaf: &mut usize, memory: &mut [u8]) {
    match value {
        HostValue::Scalar(constant) => {
            let Some(place) = layout.leaves.get(*leaf) else { return };
            *leaf += 1;
            write_bits(place.scalar, constant.bits, &mut memory[place.offset..]);
        }
        HostValue::Array(_) => {}
        HostValue::Tuple(parts) => parts.iter().for_each(|part| write_element(part, layout, leaf, memory)),
        HostValue::Record { fields, .. } => {
            fields.iter().for_each(|(_, part)| write_element(part, layout, leaf, memory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point() -> HostType {
        HostType::Record {
            name: "Point".into(),
            fields: vec![
                HostField { name: "tag".into(), ty: HostType::Scalar(Scalar::U8) },
                HostField { name: "x".into(), ty: HostType::Scalar(Scalar::F64) },
            ],
        }
    }

    #[test]
    fn elements_go_in_and_out_of_c_layout() {
        let mut array = HostArray::zeros(point(), vec![2]).unwrap();
        assert_eq!(array.bytes().len(), 32);
        let value = HostValue::Record {
            name: "Point".into(),
            fields: vec![
                ("tag".into(), HostValue::scalar(Scalar::U8, 7)),
                ("x".into(), HostValue::scalar(Scalar::F64, 1.5f64.to_bits())),
            ],
        };
        array.set_element(1, &value);
        assert_eq!(array.element(1), value);
        assert_eq!(array.bytes()[16], 7);
        assert_eq!(array.ty().to_string(), "Point[2]");
    }

    #[test]
    fn sizes_past_the_limit_are_refused_and_empty_ones_are_not() {
        assert_eq!(byte_len(&[1 << 62, 1 << 62], 8), None);
        assert_eq!(byte_len(&[1 << 62, 0], 8), Some(0));
        assert_eq!(byte_len(&[1 << 46], 4), None);
        assert_eq!(byte_len(&[1 << 62], 0), None);
        assert!(HostArray::zeros(HostType::Scalar(Scalar::F64), vec![1 << 45]).is_none());
    }

    #[test]
    fn types_print_as_the_source_writes_them() {
        let ty = HostType::Tuple(vec![HostType::array(point(), 2), HostType::Scalar(Scalar::Bool)]);
        assert_eq!(ty.to_string(), "(Point[?, ?], bool)");
        assert_eq!(HostType::Tuple(vec![HostType::Scalar(Scalar::I8)]).to_string(), "(i8,)");
    }
}
