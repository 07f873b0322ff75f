//! How an element of an array lies in memory at the border: as C lays out the record, every scalar
//! aligned to its own size.

use we3_ir::Scalar;

use crate::value::HostType;

/// One scalar field of an element, nested ones included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// Which type.
    pub scalar: Scalar,
    /// Bytes from the start of the element.
    pub offset: usize,
    /// Names from the element down, joined by dots; empty for a plain scalar.
    pub path: String,
}

/// Where the fields of an element lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Bytes from one element to the next.
    pub size: usize,
    /// What an address is divisible by.
    pub align: usize,
    /// The scalars in order.
    pub leaves: Vec<Leaf>,
}

impl Layout {
    /// The layout of an element type; `None` when it holds an array.
    pub fn of(ty: &HostType) -> Option<Layout> {
        let mut layout = Layout { size: 0, align: 1, leaves: Vec::new() };
        layout.append(ty, "")?;
        layout.size = layout.size.next_multiple_of(layout.align);
        Some(layout)
    }

    /// Distance between consecutive elements of a leaf, counted in its own elements. Exact: sizes of
    /// scalars are powers of two and the largest divides the element's.
    pub fn stride(&self, leaf: usize) -> u32 {
        (self.size / self.leaves[leaf].scalar.bytes() as usize) as u32
    }

    fn append(&mut self, ty: &HostType, path: &str) -> Option<()> {
        match ty {
            HostType::Scalar(scalar) => {
                let bytes = scalar.bytes() as usize;
                let offset = self.size.next_multiple_of(bytes);
                self.leaves.push(Leaf { scalar: *scalar, offset, path: path.to_owned() });
                self.size = offset + bytes;
                self.align = self.align.max(bytes);
                Some(())
            }
            HostType::Array { .. } => None,
            HostType::Tuple(_) | HostType::Record { .. } => self.append_fields(ty, path),
        }
    }

    /// An inner record starts and ends at multiples of its own alignment, as in C.
    fn append_fields(&mut self, ty: &HostType, path: &str) -> Option<()> {
        let inner = {
            let mut inner = Layout { size: 0, align: 1, leaves: Vec::new() };
            for (name, field) in ty.fields() {
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                inner.append(field, &path)?;
            }
            inner
        };
        let start = self.size.next_multiple_of(inner.align);
        self.align = self.align.max(inner.align);
        self.size = start + inner.size.next_multiple_of(inner.align);
        self.leaves.extend(inner.leaves.into_iter().map(|leaf| Leaf { offset: start + leaf.offset, ..leaf }));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::HostField;

    fn scalar(ty: Scalar) -> HostType {
        HostType::Scalar(ty)
    }

    #[test]
    fn padding_is_as_c_puts_it() {
        let inner = HostType::Tuple(vec![scalar(Scalar::U16), scalar(Scalar::U8)]);
        let outer = HostType::Record {
            name: "S".into(),
            fields: vec![
                HostField { name: "a".into(), ty: scalar(Scalar::U8) },
                HostField { name: "b".into(), ty: inner },
                HostField { name: "c".into(), ty: scalar(Scalar::U8) },
                HostField { name: "d".into(), ty: scalar(Scalar::F32) },
            ],
        };
        let layout = Layout::of(&outer).unwrap();
        let places: Vec<_> = layout.leaves.iter().map(|leaf| (leaf.path.as_str(), leaf.offset)).collect();
        assert_eq!(places, [("a", 0), ("b.0", 2), ("b.1", 4), ("c", 6), ("d", 8)]);
        assert_eq!((layout.size, layout.align), (12, 4));
        assert_eq!((layout.stride(0), layout.stride(1), layout.stride(4)), (12, 6, 3));
    }

    #[test]
    fn an_element_with_an_array_has_no_layout() {
        assert!(Layout::of(&HostType::array(scalar(Scalar::F32), 1)).is_none());
        assert_eq!(Layout::of(&HostType::Tuple(vec![])).unwrap().size, 0);
    }
}
