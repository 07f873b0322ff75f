//! Between values and the flat parameters of an entry (`docs/ir.md`, "Entry functions"): an array becomes
//! its axis sizes and one leaf array per scalar field; tuples and records become their parts in order.

use we3_ir::{EntryAbi, Scalar};

use crate::value::{HostArray, HostType, HostValue, read_bits, write_bits};

/// One flat parameter or result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Slot {
    /// A scalar of the value.
    Scalar(Scalar),
    /// Size of an axis of the array with this number.
    Size {
        /// Counted over the arrays of the whole list.
        array: usize,
    },
    /// A field of every element of the array with this number.
    Leaf {
        /// Counted over the arrays of the whole list.
        array: usize,
        /// Counted over the scalars of an element.
        leaf: usize,
        /// Its type.
        scalar: Scalar,
        /// Bytes from the start of an element.
        offset: usize,
        /// Elements of its own type from one to the next.
        stride: u32,
    },
}

impl Slot {
    /// The scalar, or the element type of a leaf.
    pub const fn scalar(&self) -> Scalar {
        match self {
            Slot::Scalar(scalar) | Slot::Leaf { scalar, .. } => *scalar,
            Slot::Size { .. } => Scalar::I64,
        }
    }
}

/// The flat list that a list of types becomes; `None` when an array holds arrays.
pub fn slots_of(types: &[HostType]) -> Option<Vec<Slot>> {
    let mut slots = Vec::new();
    let mut arrays = 0;
    types.iter().try_for_each(|ty| append_slots(ty, &mut arrays, &mut slots))?;
    Some(slots)
}

fn append_slots(ty: &HostType, arrays: &mut usize, slots: &mut Vec<Slot>) -> Option<()> {
    match ty {
        HostType::Scalar(scalar) => slots.push(Slot::Scalar(*scalar)),
        HostType::Array { elem, sizes } => {
            let array = *arrays;
            *arrays += 1;
            slots.extend(sizes.iter().map(|_| Slot::Size { array }));
            let layout = crate::layout::Layout::of(elem)?;
            for (leaf, place) in layout.leaves.iter().enumerate() {
                let stride = layout.stride(leaf);
                slots.push(Slot::Leaf { array, leaf, scalar: place.scalar, offset: place.offset, stride });
            }
        }
        HostType::Tuple(parts) => parts.iter().try_for_each(|part| append_slots(part, arrays, slots))?,
        HostType::Record { fields, .. } => {
            fields.iter().try_for_each(|field| append_slots(&field.ty, arrays, slots))?;
        }
    }
    Some(())
}

/// The strides that an entry with these parameters and results has.
pub fn abi_of(params: &[Slot], results: &[Slot]) -> EntryAbi {
    let strides = |slots: &[Slot]| {
        slots
            .iter()
            .map(|slot| match slot {
                Slot::Scalar(_) | Slot::Size { .. } => 1,
                Slot::Leaf { stride, .. } => *stride,
            })
            .collect()
    };
    EntryAbi { param_strides: strides(params), result_strides: strides(results) }
}

/// One flat argument: bits, or a view of a field of an array.
#[derive(Clone, Copy, Debug)]
pub enum FlatArg<'value> {
    /// A scalar or an axis size.
    Bits(u64),
    /// The field of every element of an array.
    Leaf {
        /// The array.
        array: &'value HostArray,
        /// Which scalar of its element.
        leaf: usize,
    },
}

impl FlatArg<'_> {
    /// The elements of a leaf one after the other, row-major (empty for bits).
    pub fn gather(&self) -> Vec<u64> {
        match self {
            FlatArg::Bits(_) => Vec::new(),
            FlatArg::Leaf { array, leaf } => {
                let layout = array.layout();
                let place = &layout.leaves[*leaf];
                (0..array.count())
                    .map(|number| {
                        read_bits(place.scalar, &array.bytes()[number * layout.size + place.offset..])
                    })
                    .collect()
            }
        }
    }
}

/// The flat arguments of a list of values.
pub fn flatten(values: &[HostValue]) -> Vec<FlatArg<'_>> {
    let mut flat = Vec::new();
    values.iter().for_each(|value| append_flat(value, &mut flat));
    flat
}

fn append_flat<'value>(value: &'value HostValue, flat: &mut Vec<FlatArg<'value>>) {
    match value {
        HostValue::Scalar(constant) => flat.push(FlatArg::Bits(constant.bits)),
        HostValue::Array(array) => {
            flat.extend(array.sizes().iter().map(|size| FlatArg::Bits(*size)));
            flat.extend((0..array.layout().leaves.len()).map(|leaf| FlatArg::Leaf { array, leaf }));
        }
        HostValue::Tuple(parts) => parts.iter().for_each(|part| append_flat(part, flat)),
        HostValue::Record { fields, .. } => fields.iter().for_each(|(_, field)| append_flat(field, flat)),
    }
}

/// Where the flat results of a call come from, in order.
pub trait FlatResults {
    /// The bits of the next result, a scalar.
    fn scalar(&mut self) -> Option<u64>;

    /// The next leaves: fills an array of these sizes (their number is its element's scalars).
    fn fill(&mut self, array: &mut HostArray) -> Option<()>;
}

/// The value of a type from flat results; `None` when they do not fit or memory is short.
pub fn unflatten(ty: &HostType, flat: &mut dyn FlatResults) -> Option<HostValue> {
    Some(match ty {
        HostType::Scalar(scalar) => HostValue::scalar(*scalar, flat.scalar()?),
        HostType::Array { elem, sizes } => {
            let sizes: Option<Vec<u64>> = sizes.iter().map(|_| flat.scalar()).collect();
            let mut array = HostArray::zeros((**elem).clone(), sizes?)?;
            flat.fill(&mut array)?;
            HostValue::Array(array)
        }
        HostType::Tuple(parts) => {
            HostValue::Tuple(parts.iter().map(|part| unflatten(part, flat)).collect::<Option<_>>()?)
        }
        HostType::Record { name, fields } => {
            let mut values = Vec::new();
            for field in fields {
                values.push((field.name.clone(), unflatten(&field.ty, flat)?));
            }
            HostValue::Record { name: name.clone(), fields: values }
        }
    })
}

/// Writes the elements of one leaf into an array.
pub fn scatter_leaf(array: &mut HostArray, leaf: usize, elements: impl Iterator<Item = u64>) {
    let layout = array.layout().clone();
    let place = &layout.leaves[leaf];
    let count = array.count();
    for (number, bits) in elements.take(count).enumerate() {
        write_bits(place.scalar, bits, &mut array.bytes_mut()[number * layout.size + place.offset..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::{NoFiles, bind};
    use crate::spec::parse_spec;
    use crate::value::HostField;

    fn body() -> HostType {
        HostType::Record {
            name: "Body".into(),
            fields: vec![
                HostField { name: "id".into(), ty: HostType::Scalar(Scalar::U16) },
                HostField { name: "mass".into(), ty: HostType::Scalar(Scalar::F64) },
            ],
        }
    }

    /// Gives back the flat arguments as if a kernel had returned them.
    struct Echo<'value>(std::vec::IntoIter<FlatArg<'value>>);

    impl FlatResults for Echo<'_> {
        fn scalar(&mut self) -> Option<u64> {
            match self.0.next()? {
                FlatArg::Bits(bits) => Some(bits),
                FlatArg::Leaf { .. } => None,
            }
        }

        fn fill(&mut self, array: &mut HostArray) -> Option<()> {
            for leaf in 0..array.layout().leaves.len() {
                let elements = self.0.next()?.gather();
                scatter_leaf(array, leaf, elements.into_iter());
            }
            Some(())
        }
    }

    #[test]
    fn a_value_survives_flattening() {
        let ty = HostType::Tuple(vec![
            HostType::array(body(), 2),
            HostType::Scalar(Scalar::Bool),
            HostType::array(HostType::Scalar(Scalar::F32), 1),
        ]);
        let elements = HostType::array(body(), 2);
        let bodies =
            bind(&parse_spec("[[(1, 2.0), (3, 4.0)]]").unwrap(), &elements, 0, &mut NoFiles).unwrap();
        let floats = HostType::array(HostType::Scalar(Scalar::F32), 1);
        let value = HostValue::Tuple(vec![
            bodies,
            HostValue::scalar(Scalar::Bool, 1),
            bind(&parse_spec("[0.5]").unwrap(), &floats, 0, &mut NoFiles).unwrap(),
        ]);
        let values = [value];
        let flat = flatten(&values);
        assert_eq!(flat.len(), slots_of(std::slice::from_ref(&ty)).unwrap().len());
        let again = unflatten(&ty, &mut Echo(flat.into_iter())).unwrap();
        assert_eq!(again, values[0]);
    }

    #[test]
    fn strides_count_elements_of_the_field() {
        let slots = slots_of(&[HostType::array(body(), 1), HostType::Scalar(Scalar::I64)]).unwrap();
        assert_eq!(abi_of(&slots, &[]).param_strides, [1, 8, 2, 1]);
        assert_eq!(slots[2], Slot::Leaf { array: 0, leaf: 1, scalar: Scalar::F64, offset: 8, stride: 2 });
    }
}
