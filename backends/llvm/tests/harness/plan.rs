//! Carries out a launch plan on the CPU: the kernels are compiled for this machine, where a grid is a
//! loop. So the split of entries into kernels is tested without a GPU.

use std::collections::HashMap;

use we3_backend_api::launch::{Amount, Binding, ERROR_CELL, EntryPlan, PlanParam, Step};
use we3_backend_api::{STATUS_CHECK_FAILED, STATUS_OUT_OF_MEMORY};
use we3_device::{ArgSlot, CallError, CallLimits, HostMemory, LoadedObject, call_entry};

/// What a plan left: scalar results and the bytes of each array result.
#[derive(PartialEq, Eq, Debug)]
pub struct PlanOutcome {
    pub results: Vec<u64>,
    pub outputs: HashMap<u32, Vec<u8>>,
}

/// How a list of steps ended.
enum After {
    Next,
    Break(u32),
    Continue(u32),
}

struct Host<'a> {
    kernels: &'a LoadedObject,
    state: HostMemory,
    addresses: Vec<u64>,
    memory: Vec<HostMemory>,
    outputs: HashMap<u32, (usize, usize)>,
    element_bytes: &'a [u32],
    launches: u64,
}

/// Runs a plan. `element_bytes` are those of the array results. An error is a status.
pub fn run_plan(
    plan: &EntryPlan,
    kernels: &LoadedObject,
    args: &[ArgSlot<'_>],
    element_bytes: &[u32],
) -> Result<PlanOutcome, i32> {
    let mut host = Host {
        kernels,
        state: HostMemory::zeroed(plan.n_cells as usize * 8).expect("memory"),
        addresses: vec![0; plan.n_buffers as usize],
        memory: Vec::new(),
        outputs: HashMap::new(),
        element_bytes,
        launches: 0,
    };
    for (param, arg) in plan.params.iter().zip(args) {
        match (param, arg) {
            (PlanParam::Scalar(cell), ArgSlot::Scalar(bits)) => host.set_cell(*cell, *bits),
            (PlanParam::Buffer(buffer), ArgSlot::Buffer(bytes)) => {
                // A copy, since what a kernel might write must not be shared memory.
                let memory = HostMemory::copy_of(bytes).expect("memory");
                host.addresses[*buffer as usize] = memory.as_ptr() as u64;
                host.memory.push(memory);
            }
            (PlanParam::Scalar(_), ArgSlot::Buffer(_)) | (PlanParam::Buffer(_), ArgSlot::Scalar(_)) => {
                panic!("an argument of the wrong kind")
            }
        }
    }
    host.steps(&plan.steps)?;
    host.checked()?;
    let outputs = host
        .outputs
        .iter()
        .map(|(index, (memory, bytes))| (*index, host.memory[*memory].as_slice()[..*bytes].to_vec()))
        .collect();
    Ok(PlanOutcome { results: plan.results.iter().map(|cell| host.cell(*cell)).collect(), outputs })
}

impl Host<'_> {
    fn cell(&self, cell: u32) -> u64 {
        let start = cell as usize * 8;
        u64::from_le_bytes(self.state.as_slice()[start..start + 8].try_into().expect("8 bytes"))
    }

    fn set_cell(&mut self, cell: u32, bits: u64) {
        let start = cell as usize * 8;
        self.state.as_mut_slice()[start..start + 8].copy_from_slice(&bits.to_le_bytes());
    }

    fn checked(&self) -> Result<(), i32> {
        if self.cell(ERROR_CELL) == 0 { Ok(()) } else { Err(STATUS_CHECK_FAILED) }
    }

    fn amount(&self, amount: Amount) -> Result<i64, i32> {
        match amount {
            Amount::Known(number) => Ok(number),
            Amount::InCell(cell) => {
                self.checked()?;
                Ok(self.cell(cell) as i64)
            }
        }
    }

    fn allocate(&mut self, count: Amount, element_bytes: u32) -> Result<(usize, usize), i32> {
        let count = self.amount(count)?.max(0);
        let bytes = usize::try_from(count).ok().and_then(|count| count.checked_mul(element_bytes as usize));
        let bytes = bytes.filter(|bytes| *bytes < 1 << 40).ok_or(STATUS_OUT_OF_MEMORY)?;
        self.memory.push(HostMemory::zeroed(bytes.max(1)).ok_or(STATUS_OUT_OF_MEMORY)?);
        Ok((self.memory.len() - 1, bytes))
    }

    fn steps(&mut self, steps: &[Step]) -> Result<After, i32> {
        for step in steps {
            match step {
                Step::Alloc { buffer, count, element_bytes } => {
                    let (memory, _) = self.allocate(*count, *element_bytes)?;
                    self.addresses[*buffer as usize] = self.memory[memory].as_ptr() as u64;
                }
                Step::Output { buffer, index, count } => {
                    let (memory, bytes) = self.allocate(*count, self.element_bytes[*index as usize])?;
                    self.addresses[*buffer as usize] = self.memory[memory].as_ptr() as u64;
                    self.outputs.insert(*index, (memory, bytes));
                }
                Step::Free(_) => {}
                Step::Launch { kernel, buffers, threads } => self.launch(kernel, buffers, *threads)?,
                Step::Bind(bindings) => self.bind(bindings)?,
                Step::If(condition, then, otherwise) => {
                    let chosen = if self.amount(*condition)? == 0 { otherwise } else { then };
                    match self.steps(chosen)? {
                        After::Next => {}
                        after @ (After::Break(_) | After::Continue(_)) => return Ok(after),
                    }
                }
                Step::Loop(body) => loop {
                    match self.steps(body)? {
                        After::Next | After::Continue(0) => {}
                        After::Break(0) => break,
                        After::Break(levels) => return Ok(After::Break(levels - 1)),
                        After::Continue(levels) => return Ok(After::Continue(levels - 1)),
                    }
                },
                Step::Break(levels) => return Ok(After::Break(*levels)),
                Step::Continue(levels) => return Ok(After::Continue(*levels)),
            }
        }
        Ok(After::Next)
    }

    fn bind(&mut self, bindings: &[Binding]) -> Result<(), i32> {
        let mut new = Vec::new();
        for binding in bindings {
            let bytes = self.amount(binding.offset)? * i64::from(binding.element_bytes);
            new.push((binding.to, self.addresses[binding.from as usize].wrapping_add_signed(bytes)));
        }
        for (to, address) in new {
            self.addresses[to as usize] = address;
        }
        Ok(())
    }

    /// A kernel ends at once when the error cell is set, as `ptx/emit_kernel` makes it.
    fn launch(&mut self, kernel: &str, buffers: &[u32], threads: Amount) -> Result<(), i32> {
        self.launches += 1;
        self.amount(threads)?;
        self.checked()?;
        let mut args = vec![ArgSlot::Scalar(self.state.as_ptr() as u64)];
        args.extend(buffers.iter().map(|buffer| ArgSlot::Scalar(self.addresses[*buffer as usize])));
        match call_entry(self.kernels, kernel, &args, 0, &[], CallLimits::default()) {
            Ok(_) => Ok(()),
            Err(CallError::CheckFailed) => {
                self.set_cell(ERROR_CELL, 1);
                Ok(())
            }
            Err(error) => panic!("{kernel}: {error}"),
        }
    }
}
