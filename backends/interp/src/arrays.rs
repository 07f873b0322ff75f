//! Executing `build`, `index`, `update`, `reshape`, `resize`, and walking domains.

use std::rc::Rc;

use crate::array::{Array, element_count, writable};
use crate::machine::Machine;
use crate::program::{Body, BuildCode, BuildSource, Slot, UpdateCode, WithSizesCode};
use crate::value::{Run, broken};

impl Machine<'_> {
    pub(crate) fn index1(&mut self, dst: Slot, array: Slot, subscript: Slot) -> Run<()> {
        let position = usize::try_from(self.get(subscript)).unwrap_or(usize::MAX);
        let found = self.array(array)?;
        match found.get(position) {
            Some(bits) => {
                self.set(dst, bits);
                Ok(())
            }
            None => self.out_of_range(array, &[subscript]),
        }
    }

    pub(crate) fn index(&mut self, dst: Slot, array: Slot, subscripts: &[Slot]) -> Run<()> {
        let found = self.array(array)?;
        let position = found.position(subscripts.iter().map(|slot| self.get(*slot)));
        match position.and_then(|position| found.get(position)) {
            Some(bits) => {
                self.set(dst, bits);
                Ok(())
            }
            None => self.out_of_range(array, subscripts),
        }
    }

    fn out_of_range<T>(&self, array: Slot, subscripts: &[Slot]) -> Run<T> {
        let sizes = &self.array(array)?.sizes;
        let subscripts: Vec<i64> = subscripts.iter().map(|slot| self.get_i64(*slot)).collect();
        broken(format!("subscripts {subscripts:?} are out of range of sizes {sizes:?}"))
    }

    pub(crate) fn sizes(&self, slots: &[Slot]) -> Box<[i64]> {
        slots.iter().map(|slot| self.get_i64(*slot).max(0)).collect()
    }

    pub(crate) fn new_array(&self, elem: we3_ir::Scalar, sizes: Box<[i64]>) -> Run<Array> {
        Array::zeros(&self.budget, elem, sizes)
    }

    /// Calls back for every point of a domain, in row-major order, with the subscripts in their slots.
    pub(crate) fn walk(
        &mut self,
        sizes: &[i64],
        subscripts: &[Slot],
        mut each: impl FnMut(&mut Self, usize) -> Run<()>,
    ) -> Run<()> {
        if sizes.iter().any(|size| *size <= 0) {
            return Ok(());
        }
        let Some(count) = element_count(sizes.iter().copied()) else {
            // Nobody sees the end of it; the step limit does.
            return self.spend_steps(u64::MAX);
        };
        for slot in subscripts {
            self.set(*slot, 0);
        }
        for number in 0..count {
            each(self, number)?;
            self.next_point(sizes, subscripts);
        }
        Ok(())
    }

    /// The following point of a domain in row-major order.
    fn next_point(&mut self, sizes: &[i64], subscripts: &[Slot]) {
        for (size, slot) in sizes.iter().zip(subscripts).rev() {
            let next = self.get(*slot) + 1;
            if next < *size as u64 {
                return self.set(*slot, next);
            }
            self.set(*slot, 0);
        }
    }

    pub(crate) fn build(&mut self, code: &BuildCode) -> Run<()> {
        let domain = self.sizes(&code.sizes);
        let mut arrays = Vec::with_capacity(code.outputs.len());
        for output in &code.outputs {
            arrays.push(self.new_array(output.elem, self.sizes(&output.sizes))?);
        }
        self.walk(&domain, &code.subscripts, |machine, number| {
            machine.run_region(code.body)?;
            for (output, array) in code.outputs.iter().zip(&mut arrays) {
                match output.source {
                    BuildSource::Scalar(slot) => {
                        if array.set(number, machine.get(slot)).is_none() {
                            return broken("a built element has no place");
                        }
                    }
                    BuildSource::Array(source) => {
                        let part = machine.take_array(source)?;
                        let width = part.data.len();
                        let place = number.checked_mul(width).map(|start| start..start + width);
                        match place.and_then(|place| array.data.get_mut(place)) {
                            Some(place) => place.copy_from_slice(&part.data),
                            None => return broken("a built row has another size than its type says"),
                        }
                    }
                }
            }
            Ok(())
        })?;
        for (output, array) in code.outputs.iter().zip(arrays) {
            self.set_array(output.dst, Rc::new(array));
        }
        Ok(())
    }

    /// Runs a body at the point in its subscripts; whether its element is there.
    pub(crate) fn run_body(&mut self, body: &Body) -> Run<bool> {
        self.run_region(body.block)?;
        Ok(body.present.is_none_or(|slot| self.get(slot) != 0))
    }

    /// The position that the leading values of a body name in an array.
    pub(crate) fn target(&self, array: &Array, values: &[Slot]) -> Run<usize> {
        let rank = array.sizes.len();
        match array.position(values[..rank].iter().map(|slot| self.get(*slot))) {
            Some(position) => Ok(position),
            None => {
                let subscripts: Vec<i64> = values[..rank].iter().map(|slot| self.get_i64(*slot)).collect();
                broken(format!("subscripts {subscripts:?} are out of range of sizes {:?}", array.sizes))
            }
        }
    }

    pub(crate) fn update(&mut self, code: &UpdateCode) -> Run<()> {
        let Some((element, _)) = code.body.values.split_last() else {
            return broken("an update without a value");
        };
        if code.sizes.is_empty() {
            return self.update_one(code, *element);
        }
        let domain: Vec<i64> = code.sizes.iter().map(|slot| self.get_i64(*slot)).collect();
        // The body may read the array, and sees it as it was: writes wait until all are known.
        let mut writes = Vec::new();
        self.walk(&domain, &code.body.subscripts, |machine, _| {
            if machine.run_body(&code.body)? {
                let array = machine.array(code.dest.slot)?;
                let position = machine.target(array, &code.body.values)?;
                writes.push((position, machine.get(*element)));
            }
            Ok(())
        })?;
        let mut array = self.take_array(code.dest)?;
        let own = writable(&mut array)?;
        for (position, bits) in writes {
            own.set(position, bits);
        }
        self.set_array(code.result, array);
        Ok(())
    }

    /// One write.
    fn update_one(&mut self, code: &UpdateCode, element: Slot) -> Run<()> {
        let happens = self.run_body(&code.body)?;
        let mut array = self.take_array(code.dest)?;
        if happens {
            let position = self.target(&array, &code.body.values)?;
            let bits = self.get(element);
            writable(&mut array)?.set(position, bits);
        }
        self.set_array(code.result, array);
        Ok(())
    }

    pub(crate) fn with_sizes(&mut self, code: &WithSizesCode) -> Run<()> {
        let sizes = self.sizes(&code.sizes);
        let mut array = self.take_array(code.array)?;
        if array.sizes != sizes {
            if element_count(array.sizes.iter().copied()) != element_count(sizes.iter().copied()) {
                return broken(format!("an array of sizes {:?} under sizes {sizes:?}", array.sizes));
            }
            match Rc::get_mut(&mut array) {
                Some(own) => own.sizes = sizes,
                None => array = Rc::new(array.with_sizes(sizes)?),
            }
        }
        self.set_array(code.dst, array);
        Ok(())
    }
}
