//! Running an entry: arguments in, results out.

use std::cell::Cell;
use std::rc::Rc;

use we3_ir::verify::Verified;
use we3_ir::{Func, FuncId, Level, Scalar, Type, Value};

use crate::array::{Array, element_count};
use crate::decode::{FuncCode, decode};
use crate::machine::Machine;
use crate::program::{Place, Program};
use crate::value::{ArgValue, Limits, ResultValue, Run, RunArray, RunValue, Stop, broken};

/// An entry, decoded and ready to run any number of times.
pub struct Interpreter<'m> {
    func: &'m Func,
    level: Level,
    program: Program,
    code: FuncCode,
}

/// Runs a function once.
pub fn run_entry(
    verified: Verified<'_>,
    func: FuncId,
    args: Vec<ArgValue>,
    limits: &Limits,
) -> Result<Vec<ResultValue>, Stop> {
    Interpreter::new(verified, func)?.run(args, limits)
}

impl<'m> Interpreter<'m> {
    /// Decodes a function (an entry or not) and what it calls.
    pub fn new(verified: Verified<'m>, func: FuncId) -> Result<Interpreter<'m>, Stop> {
        let module = verified.module();
        let (program, code) = decode(module, func).map_err(|stop| *stop)?;
        Ok(Interpreter { func: &module.funcs[func], level: module.level, program, code })
    }

    /// Runs it. Arguments are the function's parameters; results are its results, and at loop level the
    /// outputs after them, in order of their numbers.
    pub fn run(&self, args: Vec<ArgValue>, limits: &Limits) -> Result<Vec<ResultValue>, Stop> {
        self.run_boxed(args, limits).map_err(|stop| *stop)
    }

    fn run_boxed(&self, args: Vec<ArgValue>, limits: &Limits) -> Run<Vec<ResultValue>> {
        let budget = Rc::new(Cell::new(limits.bytes));
        let mut machine = Machine::new(&self.program, budget, limits);
        machine.memory.output_strides = self.output_strides();
        self.pass(&mut machine, args)?;
        machine.run_region(self.code.body)?;
        let mut results = Vec::with_capacity(self.code.returns.len());
        for (value, _) in &self.code.returns {
            results.push(self.result(&mut machine, *value)?);
        }
        if self.level == Level::Loop {
            results.extend(machine.memory.take_outputs()?.into_iter().map(RunValue::Array));
        }
        Ok(results)
    }

    /// At loop level the strides of outputs follow those of the scalar results.
    fn output_strides(&self) -> Vec<u32> {
        let strides = self.func.entry.as_ref().map_or(&[][..], |abi| &abi.result_strides);
        match self.level {
            Level::Array => Vec::new(),
            Level::Loop => strides.get(self.func.results.len()..).unwrap_or(&[]).to_vec(),
        }
    }

    fn pass(&self, machine: &mut Machine<'_>, args: Vec<ArgValue>) -> Run<()> {
        let params = &self.code.params;
        if args.len() != params.len() {
            return broken(format!("{} arguments for {} parameters", args.len(), params.len()));
        }
        for (number, (param, arg)) in params.iter().zip(args).enumerate() {
            self.pass_one(machine, number, *param, arg)?;
        }
        // Sizes may stand after the arrays that they belong to.
        for (number, param) in params.iter().enumerate() {
            self.check_sizes(machine, number, *param)?;
        }
        Ok(())
    }

    fn pass_one(&self, machine: &mut Machine<'_>, number: usize, param: Value, arg: ArgValue) -> Run<()> {
        let elem = self.func.ty(param).element();
        match (self.code.place(self.func, param), arg) {
            (Place::Scalar(slot), RunValue::Scalar(bits)) => {
                if elem.bits() < 64 && bits >> elem.bits() != 0 {
                    return broken(format!("argument {number} has more bits than {elem}"));
                }
                machine.set(slot, bits);
            }
            (Place::Array(slot), RunValue::Array(array)) => {
                check_data(number, &array, elem)?;
                let array = Array::adopt(&machine.budget, array)?;
                machine.set_array(slot, Rc::new(array));
            }
            (Place::Buffer(slot), RunValue::Array(array)) => {
                check_data(number, &array, elem)?;
                let strides = self.func.entry.as_ref().map(|abi| &abi.param_strides);
                let stride = strides.and_then(|strides| strides.get(number)).copied().unwrap_or(1);
                machine.buffers[slot as usize] = machine.memory.input(&array, stride)?;
            }
            (Place::Scalar(_), RunValue::Array(_)) => {
                return broken(format!("argument {number} is an array, expected a scalar"));
            }
            (Place::Array(_) | Place::Buffer(_), RunValue::Scalar(_)) => {
                return broken(format!("argument {number} is a scalar, expected an array"));
            }
        }
        Ok(())
    }

    fn check_sizes(&self, machine: &Machine<'_>, number: usize, param: Value) -> Run<()> {
        let Type::Array(_, sizes) = self.func.ty(param) else { return Ok(()) };
        let expected: Vec<i64> = sizes.iter().map(|size| machine.get_i64(self.code.slots[*size])).collect();
        let found = &machine.array(self.code.slots[param])?.sizes;
        if **found == *expected {
            return Ok(());
        }
        broken(format!("argument {number} has sizes {found:?}, its type says {expected:?}"))
    }

    fn result(&self, machine: &mut Machine<'_>, value: Value) -> Run<ResultValue> {
        match self.code.place(self.func, value) {
            Place::Scalar(slot) => Ok(RunValue::Scalar(machine.get(slot))),
            Place::Array(slot) => {
                // Returned twice, it is still in its slot.
                let uses = self.code.returns.iter().filter(|(other, _)| *other == value).count();
                let from = crate::program::ArrayUse { slot, take: uses == 1 };
                Ok(RunValue::Array(Array::into_host(machine.take_array(from)?)))
            }
            Place::Buffer(_) => broken("a buffer cannot be returned"),
        }
    }
}

/// Whether an array's memory holds what its sizes and type say.
fn check_data(number: usize, array: &RunArray, elem: Scalar) -> Run<()> {
    if array.elem != elem {
        return broken(format!("argument {number} has elements {}, expected {elem}", array.elem));
    }
    let bytes = element_count(array.sizes.iter().copied()).and_then(|n| n.checked_mul(elem.bytes() as usize));
    if bytes != Some(array.data.len()) || array.sizes.iter().any(|size| *size < 0) {
        return broken(format!(
            "argument {number} has {} bytes for sizes {:?}",
            array.data.len(),
            array.sizes
        ));
    }
    if elem == Scalar::Bool && array.data.iter().any(|byte| *byte > 1) {
        return broken(format!("argument {number} holds a bool that is neither 0 nor 1"));
    }
    Ok(())
}
