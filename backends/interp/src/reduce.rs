//! Executing `reduce`, `dot` and `dot_by`.

use we3_ir::{BinaryOp, Scalar};

use crate::combine::Reducer;
use crate::machine::Machine;
use crate::program::{DotByCode, DotCode, Nothing, ReduceCode};
use crate::value::Run;
use we3_ir::eval as scalar;

/// Length of the runs of an inner product.
const RUN: usize = 512;

impl Machine<'_> {
    pub(crate) fn reduce(&mut self, code: &ReduceCode) -> Run<()> {
        let combining = &code.combining;
        let size = self.get_i64(code.size);
        let mut reducer = Reducer::new(&combining.combiner, combining.tree, code.results.len());
        let mut element = Vec::with_capacity(code.results.len());
        self.walk(&[size], &code.body.subscripts, |machine, _| {
            if !machine.run_body(&code.body)? {
                return reducer.push(machine, None);
            }
            machine.get_all(&code.body.values, &mut element);
            widen(combining.narrow, &mut element);
            reducer.push(machine, Some(&element))
        })?;
        let total = reducer.finish(self)?.map(|mut total| {
            narrow(combining.narrow, &mut total);
            total
        });
        match (total, &code.nothing) {
            (Some(total), _) => self.set_all(&code.results, &total),
            (None, Nothing::Bits(bits)) => self.set_all(&code.results, &[*bits]),
            (None, Nothing::Slots(slots)) => {
                let values: Vec<u64> = slots.iter().map(|slot| self.get(*slot)).collect();
                self.set_all(&code.results, &values);
            }
        }
        Ok(())
    }

    pub(crate) fn dot(&mut self, code: &DotCode) -> Run<()> {
        let ty = code.ty;
        // Adding to −0.0 is exact, so a chain starts from it.
        let start = if ty.is_float() { 1_u64 << (ty.bits() - 1) } else { 0 };
        let domain: Vec<i64> = code.sizes.iter().map(|slot| self.get_i64(*slot)).collect();
        let (mut chain, mut total) = (start, None);
        let mut length = 0;
        self.walk(&domain, &code.body.subscripts, |machine, _| {
            machine.run_region(code.body.block)?;
            if length == RUN {
                total = Some(add(ty, total, chain));
                (chain, length) = (start, 0);
            }
            if let [a, b] = code.body.values[..] {
                chain = scalar::fma(ty, machine.get(a), machine.get(b), chain);
            }
            length += 1;
            Ok(())
        })?;
        let result = if length == 0 { 0 } else { add(ty, total, chain) };
        self.set(code.dst, result);
        Ok(())
    }

    pub(crate) fn dot_by(&mut self, code: &DotByCode) -> Run<()> {
        let domain: Vec<i64> = code.sizes.iter().map(|slot| self.get_i64(*slot)).collect();
        let zeros: Vec<u64> = code.zeros.iter().map(|slot| self.get(*slot)).collect();
        let (mut chain, mut total): (Vec<u64>, Option<Vec<u64>>) = (zeros.clone(), None);
        let mut element = Vec::new();
        let mut length = 0;
        self.walk(&domain, &code.body.subscripts, |machine, _| {
            machine.run_region(code.body.block)?;
            machine.get_all(&code.body.values, &mut element);
            if length == RUN {
                let run = std::mem::replace(&mut chain, zeros.clone());
                total = Some(machine.join_runs(code, total.take(), run)?);
                length = 0;
            }
            machine.combine_by(&code.step, &mut chain, &element)?;
            length += 1;
            Ok(())
        })?;
        let result = if length == 0 { zeros } else { self.join_runs(code, total, chain)? };
        self.set_all(&code.results, &result);
        Ok(())
    }

    fn join_runs(&mut self, code: &DotByCode, total: Option<Vec<u64>>, run: Vec<u64>) -> Run<Vec<u64>> {
        match total {
            Some(mut total) => {
                self.combine(&code.join, &mut total, &run)?;
                Ok(total)
            }
            None => Ok(run),
        }
    }
}

fn add(ty: Scalar, total: Option<u64>, run: u64) -> u64 {
    match total {
        Some(total) => scalar::binary(BinaryOp::Add, ty, total, run),
        None => run,
    }
}

/// Elements of a narrow float as `f32`.
pub(crate) fn widen(narrow: Option<Scalar>, element: &mut [u64]) {
    if let Some(from) = narrow {
        for value in element {
            *value = scalar::convert(from, Scalar::F32, *value);
        }
    }
}

/// A total in `f32` as the narrow float, rounded once.
pub(crate) fn narrow(narrow: Option<Scalar>, total: &mut [u64]) {
    if let Some(to) = narrow {
        for value in total {
            *value = scalar::convert(Scalar::F32, to, *value);
        }
    }
}
