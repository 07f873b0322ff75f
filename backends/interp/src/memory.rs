//! Loop-level memory: every access is checked for range, use after `free` and writes to inputs. Fresh
//! memory holds a pattern, so that reading it before writing shows.

use std::collections::BTreeMap;

use we3_ir::Scalar;

use crate::array::{Budget, read_element, reserve, write_element};
use crate::machine::Machine;
use crate::program::{CopyCode, Inst, Program};
use crate::value::{Run, RunArray, Stop, broken};

/// Fills fresh memory.
const POISON: u8 = 0xa5;

/// The address of an element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pointer {
    allocation: u32,
    generation: u32,
    offset: i64,
}

impl Default for Pointer {
    fn default() -> Pointer {
        Pointer { allocation: u32::MAX, generation: 0, offset: 0 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Input,
    Fresh,
    Stack,
    Output,
    Freed,
}

struct Allocation {
    data: Vec<u8>,
    kind: Kind,
    /// Pointers of another generation are to memory that was given back.
    generation: u32,
}

struct Output {
    pointer: Pointer,
    elem: Scalar,
    count: usize,
    stride: usize,
}

/// All memory of a run.
pub(crate) struct Memory {
    budget: Budget,
    allocations: Vec<Allocation>,
    unused: Vec<u32>,
    /// The memory of each `stack` operation's last execution.
    stacks: Vec<Option<Pointer>>,
    /// The memory of each table of constants that was made.
    tables: Vec<Option<Pointer>>,
    outputs: BTreeMap<u32, Output>,
    /// Distance between elements of each output.
    pub(crate) output_strides: Vec<u32>,
}

impl Memory {
    pub(crate) fn new(budget: Budget, program: &Program) -> Memory {
        Memory {
            budget,
            allocations: Vec::new(),
            unused: Vec::new(),
            stacks: vec![None; program.n_stacks as usize],
            tables: vec![None; program.tables.len()],
            outputs: BTreeMap::new(),
            output_strides: Vec::new(),
        }
    }

    /// Fresh memory for so many elements.
    fn allocate(&mut self, elem: Scalar, count: usize, kind: Kind) -> Run<Pointer> {
        let Some(bytes) = count.checked_mul(elem.bytes() as usize) else {
            return Err(Box::new(Stop::TooLarge));
        };
        let data = reserve(&self.budget, bytes, POISON)?;
        let (allocation, generation) = match self.unused.pop() {
            Some(number) => {
                let place = &mut self.allocations[number as usize];
                (place.data, place.kind) = (data, kind);
                (number, place.generation)
            }
            None => {
                self.allocations.push(Allocation { data, kind, generation: 0 });
                ((self.allocations.len() - 1) as u32, 0)
            }
        };
        Ok(Pointer { allocation, generation, offset: 0 })
    }

    /// Memory of an argument: its elements, a stride apart.
    pub(crate) fn input(&mut self, array: &RunArray, stride: u32) -> Run<Pointer> {
        let width = array.elem.bytes() as usize;
        let count = array.data.len() / width;
        let span = count.saturating_mul(stride as usize);
        let pointer = self.allocate(array.elem, span, Kind::Input)?;
        let data = &mut self.allocations[pointer.allocation as usize].data;
        for (number, element) in array.data.chunks_exact(width).enumerate() {
            let start = number * stride as usize * width;
            data[start..start + width].copy_from_slice(element);
        }
        Ok(pointer)
    }

    fn find(&self, pointer: Pointer) -> Run<&Allocation> {
        match self.allocations.get(pointer.allocation as usize) {
            Some(found) if found.generation == pointer.generation && found.kind != Kind::Freed => Ok(found),
            Some(_) | None => broken("memory was used after it was given back"),
        }
    }

    fn give_back(&mut self, pointer: Pointer) {
        if let Some(place) = self.allocations.get_mut(pointer.allocation as usize) {
            self.budget.set(self.budget.get() + place.data.len() as u64);
            place.data = Vec::new();
            place.kind = Kind::Freed;
            place.generation += 1;
            self.unused.push(pointer.allocation);
        }
    }

    fn free(&mut self, pointer: Pointer) -> Run<()> {
        let found = self.find(pointer)?;
        if found.kind != Kind::Fresh || pointer.offset != 0 {
            return broken(format!("`free` of memory that is no result of `alloc` ({:?})", found.kind));
        }
        self.give_back(pointer);
        Ok(())
    }

    fn table(&mut self, number: usize, table: &RunArray) -> Run<Pointer> {
        if let Some(made) = self.tables[number] {
            return Ok(made);
        }
        let pointer = self.input(table, 1)?;
        self.tables[number] = Some(pointer);
        Ok(pointer)
    }

    fn stack(&mut self, number: u32, elem: Scalar, len: u32) -> Run<Pointer> {
        if let Some(old) = self.stacks[number as usize].take() {
            self.give_back(old);
        }
        let pointer = self.allocate(elem, len as usize, Kind::Stack)?;
        self.stacks[number as usize] = Some(pointer);
        Ok(pointer)
    }

    fn output(&mut self, index: u32, elem: Scalar, count: i64) -> Run<Pointer> {
        if self.outputs.contains_key(&index) {
            return broken(format!("output {index} was made twice"));
        }
        let count = usize::try_from(count).unwrap_or(0);
        let stride = self.output_strides.get(index as usize).copied().unwrap_or(1) as usize;
        let pointer = self.allocate(elem, count.saturating_mul(stride), Kind::Output)?;
        self.outputs.insert(index, Output { pointer, elem, count, stride });
        Ok(pointer)
    }

    fn place(pointer: Pointer, offset: i64, lane: u32) -> usize {
        let position = pointer.offset.wrapping_add(offset).wrapping_add(i64::from(lane));
        // A negative position becomes one that no memory has.
        usize::try_from(position).unwrap_or(usize::MAX)
    }

    fn load(&self, elem: Scalar, pointer: Pointer, offset: i64, lane: u32) -> Run<u64> {
        let found = self.find(pointer)?;
        let position = Memory::place(pointer, offset, lane);
        match read_element(&found.data, elem, position) {
            Some(bits) if elem == Scalar::Bool => Ok(bits & 1),
            Some(bits) => Ok(bits),
            None => self.outside("load", elem, pointer, offset, lane),
        }
    }

    fn store(&mut self, elem: Scalar, pointer: Pointer, offset: i64, lane: u32, bits: u64) -> Run<()> {
        if self.find(pointer)?.kind == Kind::Input {
            return broken("a store to the memory of an argument");
        }
        let data = &mut self.allocations[pointer.allocation as usize].data;
        match write_element(data, elem, Memory::place(pointer, offset, lane), bits) {
            Some(()) => Ok(()),
            None => self.outside("store", elem, pointer, offset, lane),
        }
    }

    fn outside<T>(&self, what: &str, elem: Scalar, pointer: Pointer, offset: i64, lane: u32) -> Run<T> {
        let found = self.find(pointer)?;
        let count = found.data.len() / elem.bytes() as usize;
        let position = i128::from(pointer.offset) + i128::from(offset) + i128::from(lane);
        broken(format!("{what} of element {position} of {count} ({elem}, {:?})", found.kind))
    }

    fn copy(&mut self, elem: Scalar, dest: Pointer, source: Pointer, count: i64) -> Run<()> {
        let width = elem.bytes() as usize;
        let count = usize::try_from(count).unwrap_or(0);
        let range = |pointer: Pointer| {
            let start = Memory::place(pointer, 0, 0).checked_mul(width)?;
            Some(start..start.checked_add(count.checked_mul(width)?)?)
        };
        let (Some(from), Some(to)) = (range(source), range(dest)) else {
            return broken("a copy out of range");
        };
        if dest.allocation == source.allocation && from.start < to.end && to.start < from.end {
            return broken("a copy between places that overlap");
        }
        if self.find(dest)?.kind == Kind::Input {
            return broken("a copy to the memory of an argument");
        }
        let Some(data) = self.find(source)?.data.get(from).map(<[u8]>::to_vec) else {
            return broken("a copy from elements out of range");
        };
        match self.allocations[dest.allocation as usize].data.get_mut(to) {
            Some(place) => {
                place.copy_from_slice(&data);
                Ok(())
            }
            None => broken("a copy to elements out of range"),
        }
    }

    /// What a run left in its outputs, in order, dense.
    pub(crate) fn take_outputs(&self) -> Run<Vec<RunArray>> {
        let expected = self.output_strides.len() as u32;
        if let Some(missing) = (0..expected).find(|index| !self.outputs.contains_key(index)) {
            return broken(format!("output {missing} was never made"));
        }
        let mut arrays = Vec::new();
        for output in self.outputs.values() {
            let memory = &self.find(output.pointer)?.data;
            let width = output.elem.bytes() as usize;
            let mut data = Vec::with_capacity(output.count * width);
            for element in memory.chunks_exact(width).step_by(output.stride) {
                data.extend_from_slice(element);
            }
            arrays.push(RunArray { elem: output.elem, sizes: vec![output.count as i64], data });
        }
        Ok(arrays)
    }
}

impl Machine<'_> {
    pub(crate) fn run_memory(&mut self, inst: &Inst) -> Run<()> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the caller sends memory operations only")]
        match inst {
            Inst::Load { dst, elem, buffer, offset, lane } => {
                let pointer = self.buffers[*buffer as usize];
                let bits = self.memory.load(*elem, pointer, self.get_i64(*offset), *lane)?;
                self.set(*dst, bits);
            }
            Inst::Store { src, elem, buffer, offset, lane } => {
                let pointer = self.buffers[*buffer as usize];
                let (offset, bits) = (self.get_i64(*offset), self.get(*src));
                self.memory.store(*elem, pointer, offset, *lane, bits)?;
            }
            Inst::Masked { mask, access } => {
                if self.get(*mask) != 0 {
                    self.run_memory(access)?;
                } else if let Inst::Load { dst, .. } = **access {
                    self.set(dst, 0);
                }
            }
            Inst::Offset { dst, buffer, by } => {
                let mut pointer = self.buffers[*buffer as usize];
                pointer.offset = pointer.offset.wrapping_add(self.get_i64(*by));
                self.buffers[*dst as usize] = pointer;
            }
            Inst::DataBuffer { dst, table } => {
                let number = *table as usize;
                let pointer = self.memory.table(number, &self.program.tables[number])?;
                self.buffers[*dst as usize] = pointer;
            }
            Inst::Alloc { dst, elem, count } => {
                let count = usize::try_from(self.get_i64(*count)).unwrap_or(0);
                self.buffers[*dst as usize] = self.memory.allocate(*elem, count, Kind::Fresh)?;
            }
            Inst::Stack { dst, elem, len, number } => {
                self.buffers[*dst as usize] = self.memory.stack(*number, *elem, *len)?;
            }
            Inst::Free { buffer } => self.memory.free(self.buffers[*buffer as usize])?,
            Inst::Output { dst, elem, count, index } => {
                let count = self.get_i64(*count);
                self.buffers[*dst as usize] = self.memory.output(*index, *elem, count)?;
            }
            Inst::Copy(code) => self.copy(code)?,
            _ => {}
        }
        Ok(())
    }

    fn copy(&mut self, code: &CopyCode) -> Run<()> {
        let (dest, source) = (self.buffers[code.dest as usize], self.buffers[code.source as usize]);
        self.memory.copy(code.elem, dest, source, self.get_i64(code.count))
    }
}
