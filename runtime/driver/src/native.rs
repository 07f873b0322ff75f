//! Calls of compiled code: values to the slots of an entry, and what it leaves to values.

use std::collections::BTreeMap;

use we3_backend_api::entry_symbol;
use we3_device::{
    ArgSlot, CallError, CallLimits, Given, HostMemory, LoadedObject, OutputLayout, Recorder, call_entry_into,
};

use crate::executable::Budget;
use crate::failure::Failure;
use crate::flatten::{FlatArg, Slot, flatten};
use crate::kernel::Kernel;
use crate::out;
use crate::value::{HostArray, HostType, HostValue};

/// Why a compiled call gave no result.
pub(crate) enum NativeError {
    /// What the call itself says.
    Call(CallError),
    /// The results do not fit the kernel's type: a bug.
    Shape,
    /// The value that was to receive the result does not fit it.
    Out(Failure),
}

/// An entry of an object, with what every call of it needs.
pub(crate) struct Native<'run> {
    object: &'run LoadedObject,
    kernel: &'run Kernel,
    symbol: String,
    n_scalars: usize,
    outputs: Vec<OutputLayout>,
}

impl<'run> Native<'run> {
    /// The entry of a kernel.
    pub(crate) fn new(object: &'run LoadedObject, kernel: &'run Kernel) -> Native<'run> {
        let (n_scalars, outputs) = output_layouts(kernel);
        Native { object, kernel, symbol: entry_symbol(&kernel.name), n_scalars, outputs }
    }

    /// Calls it; results lie in memory of their own.
    pub(crate) fn call(&self, args: &[HostValue], budget: Budget) -> Result<HostValue, NativeError> {
        self.recorded(args, budget, None)
    }

    /// The same; somebody may listen to the probes.
    pub(crate) fn recorded(
        &self,
        args: &[HostValue],
        budget: Budget,
        recorder: Option<&Recorder>,
    ) -> Result<HostValue, NativeError> {
        self.run(args, Given::new(), budget, recorder)?.value(&self.kernel.result).ok_or(NativeError::Shape)
    }

    /// Calls it; array results go into the memory of `out`, which `out::check` has seen.
    pub(crate) fn call_into(
        &self,
        args: &[HostValue],
        out: &mut HostValue,
        budget: Budget,
    ) -> Result<(), NativeError> {
        let mut given = Given::new();
        out::each_array(out, &mut |number, array| {
            if let Some(memory) = array.bytes_if_alone() {
                given.insert(number, memory);
            }
        });
        let mut left = self.run(args, given, budget, None)?;
        out::settle(self.kernel, out, &mut || left.scalar()).map_err(NativeError::Out)
    }

    fn run(
        &self,
        args: &[HostValue],
        given: Given<'_>,
        budget: Budget,
        recorder: Option<&Recorder>,
    ) -> Result<Left, NativeError> {
        let slots = slots(args);
        let limits = CallLimits { memory: budget.bytes, threads: budget.threads, recorder };
        let (n_scalars, outputs) = (self.n_scalars, &self.outputs);
        let outcome = call_entry_into(self.object, &self.symbol, &slots, n_scalars, outputs, given, limits);
        let outcome = outcome.map_err(NativeError::Call)?;
        Ok(Left { scalars: outcome.results.into_iter(), groups: outcome.groups, next_group: 0 })
    }
}

fn slots(args: &[HostValue]) -> Vec<ArgSlot<'_>> {
    let slot = |arg| match arg {
        FlatArg::Bits(bits) => ArgSlot::Scalar(bits),
        FlatArg::Leaf { array, leaf } => {
            // An empty array has no byte at the field's offset.
            let offset = array.layout().leaves[leaf].offset.min(array.bytes().len());
            ArgSlot::Buffer(&array.bytes()[offset..])
        }
    };
    flatten(args).into_iter().map(slot).collect()
}

/// The number of scalar results, and where the leaves of array results go: one allocation an array.
pub(crate) fn output_layouts(kernel: &Kernel) -> (usize, Vec<OutputLayout>) {
    let mut scalars = 0;
    let mut outputs = Vec::new();
    for slot in &kernel.result_slots {
        match slot {
            Slot::Scalar(_) | Slot::Size { .. } => scalars += 1,
            Slot::Leaf { array, scalar, offset, stride, .. } => outputs.push(OutputLayout {
                group: *array as u32,
                byte_offset: *offset as u32,
                elem_bytes: scalar.bytes(),
                stride: *stride,
            }),
        }
    }
    (scalars, outputs)
}

/// What a call left: its memory is taken without a copy.
struct Left {
    scalars: std::vec::IntoIter<u64>,
    groups: BTreeMap<u32, HostMemory>,
    next_group: u32,
}

impl Left {
    fn scalar(&mut self) -> Option<u64> {
        self.scalars.next()
    }

    fn value(&mut self, ty: &HostType) -> Option<HostValue> {
        Some(match ty {
            HostType::Scalar(scalar) => HostValue::scalar(*scalar, self.scalar()?),
            HostType::Array { elem, sizes } => {
                let sizes: Option<Vec<u64>> = sizes.iter().map(|_| self.scalar()).collect();
                let memory = self.groups.remove(&self.next_group);
                self.next_group += 1;
                HostValue::Array(match memory {
                    Some(memory) => HostArray::from_memory((**elem).clone(), sizes?, memory)?,
                    // An element without fields asks for no memory.
                    None => HostArray::zeros((**elem).clone(), sizes?).filter(|a| a.bytes().is_empty())?,
                })
            }
            HostType::Tuple(parts) => {
                HostValue::Tuple(parts.iter().map(|part| self.value(part)).collect::<Option<_>>()?)
            }
            HostType::Record { name, fields } => {
                let mut values = Vec::new();
                for field in fields {
                    values.push((field.name.clone(), self.value(&field.ty)?));
                }
                HostValue::Record { name: name.clone(), fields: values }
            }
        })
    }
}
