//! Executing `scan` and `exscan`: Kogge–Stone in rows of 32, prefixes of rows recursively over their totals.

use std::rc::Rc;

use crate::machine::Machine;
use crate::program::{Combiner, ScanCode};
use crate::value::{Run, broken};

/// Elements of a row.
const ROW: usize = 32;

impl Machine<'_> {
    pub(crate) fn scan(&mut self, code: &ScanCode) -> Run<()> {
        let width = code.results.len();
        let size = self.get_i64(code.size).max(0);
        let mut arrays = Vec::with_capacity(width);
        for (_, elem) in &code.results {
            arrays.push(self.new_array(*elem, Box::new([size]))?);
        }
        let mut elements = Vec::new();
        self.walk(&[size], &code.body.subscripts, |machine, _| {
            machine.run_region(code.body.block)?;
            elements.extend(code.body.values.iter().map(|slot| machine.get(*slot)));
            Ok(())
        })?;
        let init: Vec<u64> = code.init.iter().map(|slot| self.get(*slot)).collect();
        let prefixes = Prefixes { combiner: &code.combiner, width }.of(self, elements)?;
        let shift = usize::from(code.exclusive);
        for number in 0..size as usize {
            let mut value = init.clone();
            if number >= shift {
                let at = (number - shift) * width;
                self.combine(&code.combiner, &mut value, &prefixes[at..at + width])?;
            }
            for (array, bits) in arrays.iter_mut().zip(&value) {
                if array.set(number, *bits).is_none() {
                    return broken("a scanned element has no place");
                }
            }
        }
        for ((dst, _), array) in code.results.iter().zip(arrays) {
            self.set_array(*dst, Rc::new(array));
        }
        Ok(())
    }
}

struct Prefixes<'c> {
    combiner: &'c Combiner,
    /// Values of an element.
    width: usize,
}

impl Prefixes<'_> {
    /// Element i becomes the combination of elements 0 … i.
    fn of(&self, machine: &mut Machine<'_>, mut values: Vec<u64>) -> Run<Vec<u64>> {
        self.rows(machine, &mut values)?;
        let levels = self.totals(machine, &values)?;
        for (row, elements) in values.chunks_mut(ROW * self.width).enumerate() {
            let Some(prefix) = self.before(machine, &levels, row)? else { continue };
            for element in elements.chunks_mut(self.width) {
                self.put_before(machine, &prefix, element)?;
            }
        }
        Ok(values)
    }

    /// K(level) for every level: Kogge–Stone over the totals of the rows of the level below.
    fn totals(&self, machine: &mut Machine<'_>, values: &[u64]) -> Run<Vec<Vec<u64>>> {
        let mut levels: Vec<Vec<u64>> = Vec::new();
        let mut below = values;
        while below.len() > ROW * self.width {
            let mut totals = Vec::new();
            for row in below.chunks(ROW * self.width) {
                totals.extend_from_slice(&row[row.len() - self.width..]);
            }
            self.rows(machine, &mut totals)?;
            levels.push(totals);
            below = levels.last().map_or(&[], Vec::as_slice);
        }
        Ok(levels)
    }

    /// EX(0, row): what comes before a row.
    fn before(&self, machine: &mut Machine<'_>, levels: &[Vec<u64>], row: usize) -> Run<Option<Vec<u64>>> {
        let Some((totals, above)) = levels.split_first() else { return Ok(None) };
        if row == 0 {
            return Ok(None);
        }
        let outer = self.before(machine, above, row / ROW)?;
        if row.is_multiple_of(ROW) {
            return Ok(outer);
        }
        let mut total = totals[(row - 1) * self.width..row * self.width].to_vec();
        if let Some(outer) = outer {
            self.put_before(machine, &outer, &mut total)?;
        }
        Ok(Some(total))
    }

    /// Kogge–Stone in every row.
    fn rows(&self, machine: &mut Machine<'_>, values: &mut [u64]) -> Run<()> {
        for row in values.chunks_mut(ROW * self.width) {
            let count = row.len() / self.width;
            for distance in [1, 2, 4, 8, 16] {
                // From the end, so that what is read is still old.
                for at in (distance..count).rev() {
                    let (left, right) = row.split_at_mut(at * self.width);
                    let left = &left[(at - distance) * self.width..(at - distance + 1) * self.width];
                    self.put_before(machine, left, &mut right[..self.width])?;
                }
            }
        }
        Ok(())
    }

    /// `element = prefix ⊕ element`.
    fn put_before(&self, machine: &mut Machine<'_>, prefix: &[u64], element: &mut [u64]) -> Run<()> {
        let mut value = prefix.to_vec();
        machine.combine(self.combiner, &mut value, element)?;
        element.copy_from_slice(&value);
        Ok(())
    }
}
