//! Executing `scatter`: every cell becomes `dest ⊕ tree of its updates in index order`.

use std::collections::BTreeMap;

use crate::array::{Array, writable};
use crate::combine::Reducer;
use crate::machine::Machine;
use crate::program::{Combiner, ScatterCode, Tree};
use crate::reduce::{narrow, widen};
use crate::value::Run;
use we3_ir::eval as scalar;

/// The updates of a cell: their places in the list of all values.
type Cells = BTreeMap<usize, Vec<usize>>;

impl Machine<'_> {
    pub(crate) fn scatter(&mut self, code: &ScatterCode) -> Run<()> {
        let size = self.get_i64(code.size);
        let width = code.dests.len();
        let (mut positions, mut values) = (Vec::new(), Vec::new());
        // The body may read the destinations, and sees them as they were: updates wait.
        self.walk(&[size], &code.body.subscripts, |machine, _| {
            if machine.run_body(&code.body)? {
                let array = machine.array(code.dests[0].slot)?;
                positions.push(machine.target(array, &code.body.values)?);
                values.extend(code.body.values[code.rank..].iter().map(|slot| machine.get(*slot)));
            }
            Ok(())
        })?;
        let mut arrays = Vec::with_capacity(width);
        for dest in &code.dests {
            arrays.push(self.take_array(*dest)?);
        }
        let mut own = Vec::with_capacity(width);
        for array in &mut arrays {
            own.push(writable(array)?);
        }
        match &code.combining.combiner {
            // Any order gives the same bits.
            Combiner::Op { op, ty, .. } if code.combining.tree == Tree::Fold => {
                for (position, bits) in positions.iter().zip(&values) {
                    let old = own[0].get(*position).unwrap_or(0);
                    own[0].set(*position, scalar::binary(*op, *ty, old, *bits));
                }
            }
            Combiner::Op { .. } | Combiner::Region(_) => {
                let mut cells = Cells::new();
                for (number, position) in positions.iter().enumerate() {
                    cells.entry(*position).or_default().push(number * width);
                }
                for (position, updates) in cells {
                    self.update_cell(code, &mut own, position, &updates, &values)?;
                }
            }
        }
        for (slot, array) in code.results.iter().zip(arrays) {
            self.set_array(*slot, array);
        }
        Ok(())
    }

    fn update_cell(
        &mut self,
        code: &ScatterCode,
        dests: &mut [&mut Array],
        position: usize,
        updates: &[usize],
        values: &[u64],
    ) -> Run<()> {
        let combining = &code.combining;
        let width = dests.len();
        let mut reducer = Reducer::new(&combining.combiner, combining.tree, width);
        for at in updates {
            let mut element = values[*at..*at + width].to_vec();
            widen(combining.narrow, &mut element);
            reducer.push(self, Some(&element))?;
        }
        let Some(mut total) = reducer.finish(self)? else { return Ok(()) };
        narrow(combining.narrow, &mut total);
        let mut cell: Vec<u64> = dests.iter().map(|array| array.get(position).unwrap_or(0)).collect();
        match (&combining.combiner, combining.narrow) {
            // A narrow total was rounded; the last addition is one of the narrow type.
            (Combiner::Op { op, .. }, Some(ty)) => cell[0] = scalar::binary(*op, ty, cell[0], total[0]),
            (combiner, _) => self.combine(combiner, &mut cell, &total)?,
        }
        for (array, bits) in dests.iter_mut().zip(&cell) {
            array.set(position, *bits);
        }
        Ok(())
    }
}
