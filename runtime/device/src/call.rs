//! Calls an entry: the arena behind the call context, outputs with their layouts, the status.
#![allow(unsafe_code, reason = "calls compiled code, which calls back with raw pointers")]

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use we3_backend_api::{
    BodyFunction, CallContext, PARALLEL_FROM, STATUS_CHECK_FAILED, STATUS_OK, STATUS_OUT_OF_MEMORY,
};

use crate::float_environment::DefaultFloats;
use crate::loader::LoadedObject;
use crate::memory::{HostMemory, Scratch};
use crate::profile::Recorder;
use crate::threads::{Loop, Threads};

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub enum ArgSlot<'a> {
    /// A scalar's bits, zero-extended.
    Scalar(u64),
    /// The memory of an array; the kernel reads it.
    Buffer(&'a [u8]),
}

/// Where an array result lies: leaves of one array of records share a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutputLayout {
    /// Results with the same number share one allocation.
    pub group: u32,
    /// Where the first element starts in it.
    pub byte_offset: u32,
    /// Size of an element.
    pub elem_bytes: u32,
    /// Distance between elements, in elements. `elem_bytes · stride` is the record's size and the
    /// same for all of a group.
    pub stride: u32,
}

impl OutputLayout {
    /// A dense array of its own.
    pub fn dense(group: u32, elem_bytes: u32) -> OutputLayout {
        OutputLayout { group, byte_offset: 0, elem_bytes, stride: 1 }
    }

    fn record_bytes(self) -> usize {
        self.elem_bytes as usize * self.stride as usize
    }
}

/// What a call may use.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallLimits<'a> {
    /// Bytes allocated at one time, outputs included.
    pub memory: Option<u64>,
    /// Threads.
    pub threads: Threads,
    /// Who wants to know what its probes say.
    pub recorder: Option<&'a Recorder>,
}

/// Memory that the caller has for groups of array results, by their numbers. It is used where its length is
/// just right. After a call that ended in an error it may hold a part of a result.
pub type Given<'a> = BTreeMap<u32, &'a mut [u8]>;

/// What an entry that ran to its end left.
#[derive(Debug)]
pub struct CallOutcome {
    /// Scalar results, each in its slot.
    pub results: Vec<u64>,
    /// For each array result its element count; `None` if the kernel did not ask for its memory.
    pub counts: Vec<Option<usize>>,
    /// The memory of each group that did not go into memory of the caller.
    pub groups: BTreeMap<u32, HostMemory>,
}

/// Why there are no results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallError {
    /// The object has no such function.
    NoSuchEntry(String),
    /// A `check` failed; the sequential version of the program tells which.
    CheckFailed,
    /// Not enough memory, or more than the limit.
    OutOfMemory,
    /// An array of more than `LARGEST` bytes.
    TooLarge,
    /// The code broke the convention: a bug of ours.
    Broken(&'static str),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CallError::NoSuchEntry(symbol) => write!(formatter, "the object has no entry `{symbol}`"),
            CallError::CheckFailed => formatter.write_str("a check failed"),
            CallError::OutOfMemory => formatter.write_str("out of memory"),
            CallError::TooLarge => formatter.write_str("an array is too large"),
            CallError::Broken(what) => write!(formatter, "compiled code broke its convention: {what}"),
        }
    }
}

impl std::error::Error for CallError {}

/// What the callbacks work on. The context comes first, so that its address is the arena's. Threads of
/// one call share it.
#[repr(C)]
struct Arena<'a> {
    context: CallContext,
    threads: Threads,
    recorder: Option<&'a Recorder>,
    layouts: &'a [OutputLayout],
    held: Mutex<Held<'a>>,
}

/// What a call holds.
struct Held<'a> {
    limit: u64,
    used: u64,
    scratch: BTreeMap<usize, Scratch>,
    counts: Vec<Option<usize>>,
    groups: BTreeMap<u32, HostMemory>,
    given: Given<'a>,
    broken: Option<&'static str>,
    /// An allocation of no more than `LARGEST` bytes was refused.
    refused: bool,
}

/// What an array may have at most, in bytes: 2^47, all that an address can reach.
pub const LARGEST: u64 = 1 << 47;

/// What is wrong with fields of one array of records that have different numbers of elements.
const UNEVEN: &str = "outputs of one array differ in length";

/// Memory for so many bytes of a group. What the kernel leaves alone (padding between the fields of a record)
/// has to be the same in every run: zero. It writes everything else.
fn group_memory(layouts: &[OutputLayout], layout: OutputLayout, bytes: usize) -> Option<HostMemory> {
    let fields = layouts.iter().filter(|other| other.group == layout.group);
    let written: usize = fields.map(|field| field.elem_bytes as usize).sum();
    if written < layout.record_bytes() {
        return HostMemory::zeroed(bytes);
    }
    // SAFETY: an entry that returns "done" has written every element of its results (`output` in docs/ir.md);
    // after any other status the memory is given back unread.
    unsafe { HostMemory::unfilled(bytes) }
}

impl Held<'_> {
    /// Counts bytes against the limit.
    fn take(&mut self, bytes: usize) -> Option<()> {
        if bytes as u64 > LARGEST {
            return None;
        }
        let used = self.used.checked_add(bytes as u64).filter(|used| *used <= self.limit);
        self.refused |= used.is_none();
        self.used = used?;
        Some(())
    }

    fn output(&mut self, layouts: &[OutputLayout], index: i64, count: i64) -> Option<*mut u8> {
        let number = usize::try_from(index).ok();
        let Some(layout) = number.and_then(|number| layouts.get(number)).copied() else {
            self.broken = Some("it asked for an output that is not declared");
            return None;
        };
        let count = usize::try_from(count).ok()?;
        let bytes = count.checked_mul(layout.record_bytes())?;
        let start = self.group(layouts, layout, bytes)?;
        if let Some(place) = number.and_then(|number| self.counts.get_mut(number)) {
            *place = Some(count);
        }
        Some(start.wrapping_add(layout.byte_offset as usize))
    }

    /// Where a group starts. The first of its outputs that is asked for settles its length.
    fn group(&mut self, layouts: &[OutputLayout], layout: OutputLayout, bytes: usize) -> Option<*mut u8> {
        if let Entry::Occupied(given) = self.given.entry(layout.group) {
            if given.get().len() == bytes {
                return Some(given.into_mut().as_mut_ptr());
            }
            let mut asked = layouts.iter().zip(&self.counts).filter(|(other, _)| other.group == layout.group);
            if asked.any(|(_, count)| count.is_some()) {
                self.broken = Some(UNEVEN);
                return None;
            }
            // Memory of the caller that does not fit is no longer given: its group lies elsewhere.
            given.remove();
        }
        match self.groups.get(&layout.group).map(|memory| (memory.bytes(), memory.as_ptr())) {
            Some((held, start)) if held == bytes => Some(start),
            Some(_) => {
                self.broken = Some(UNEVEN);
                None
            }
            None => {
                self.take(bytes)?;
                let memory = group_memory(layouts, layout, bytes);
                self.refused |= memory.is_none();
                let memory = memory?;
                let start = memory.as_ptr();
                self.groups.insert(layout.group, memory);
                Some(start)
            }
        }
    }
}

impl<'a> Arena<'a> {
    /// Nothing panics while it holds the lock, so what it protects is always whole.
    fn held(&self) -> MutexGuard<'_, Held<'a>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The system is asked without the lock, which others may wait for.
    fn alloc(&self, bytes: i64) -> Option<*mut u8> {
        let bytes = usize::try_from(bytes).ok()?;
        self.held().take(bytes)?;
        let Some(memory) = Scratch::new(bytes) else {
            let mut held = self.held();
            held.used -= bytes as u64;
            held.refused = true;
            return None;
        };
        let address = memory.as_ptr();
        self.held().scratch.insert(address as usize, memory);
        Some(address)
    }

    fn free(&self, address: *mut u8) {
        let mut held = self.held();
        match held.scratch.remove(&(address as usize)) {
            Some(memory) => {
                held.used -= memory.bytes() as u64;
                drop(held);
                drop(memory);
            }
            None => held.broken = Some("it freed memory that it had not allocated"),
        }
    }
}

/// The arena of a context that compiled code hands back.
///
/// # Safety
/// `context` is the address that `call_entry` passed to code that has not returned yet.
unsafe fn arena<'a>(context: *mut CallContext) -> &'a Arena<'a> {
    // SAFETY: the context is the arena's first field (`repr(C)`); the caller vouches that it is there.
    // All of it but what the lock protects stays as it is during the call.
    unsafe { &*context.cast::<Arena<'a>>() }
}

unsafe extern "C" fn alloc(context: *mut CallContext, bytes: i64) -> *mut u8 {
    // SAFETY: compiled code passes on the context it got, on threads that `parallel` waits for.
    unsafe { arena(context) }.alloc(bytes).unwrap_or(std::ptr::null_mut())
}

unsafe extern "C" fn free(context: *mut CallContext, address: *mut u8) {
    // SAFETY: as in `alloc`.
    unsafe { arena(context) }.free(address);
}

unsafe extern "C" fn output(context: *mut CallContext, index: i64, count: i64) -> *mut u8 {
    // SAFETY: as in `alloc`.
    let arena = unsafe { arena(context) };
    arena.held().output(arena.layouts, index, count).unwrap_or(std::ptr::null_mut())
}

unsafe extern "C" fn parallel(
    context: *mut CallContext,
    body: BodyFunction,
    environment: *const u8,
    lo: i64,
    hi: i64,
    grain: i64,
) -> i32 {
    // SAFETY: as in `alloc`.
    let arena = unsafe { arena(context) };
    let Some(recorder) = arena.recorder else {
        // SAFETY: compiled code passes a body with its environment, which is there until this returns.
        let whole = unsafe { Loop::new(context, body, environment, lo, hi) };
        return whole.run(grain, arena.threads);
    };
    let recorded = Recorded { recorder, nest: recorder.nest(), body, environment };
    // SAFETY: as above; `recorded_body` gets `recorded`, which is there until this returns.
    let whole = unsafe { Loop::new(context, recorded_body, std::ptr::from_ref(&recorded).cast(), lo, hi) };
    whole.run(grain, arena.threads)
}

/// A body whose calls are recorded, as an environment.
struct Recorded<'a> {
    recorder: &'a Recorder,
    nest: Option<u32>,
    body: BodyFunction,
    environment: *const u8,
}

unsafe extern "C" fn recorded_body(
    context: *mut CallContext,
    environment: *const u8,
    lo: i64,
    hi: i64,
) -> i32 {
    // SAFETY: `parallel` passes one and waits; what it holds is only read, by all threads.
    let recorded = unsafe { &*environment.cast::<Recorded<'_>>() };
    let start = Instant::now();
    // SAFETY: the body and the environment that compiled code passed for this range.
    let status = unsafe { (recorded.body)(context, recorded.environment, lo, hi) };
    recorded.recorder.part(recorded.nest, start);
    status
}

unsafe extern "C" fn enter(context: *mut CallContext, nest: i64) {
    // SAFETY: as in `alloc`.
    if let Some(recorder) = unsafe { arena(context) }.recorder {
        recorder.enter(nest);
    }
}

unsafe extern "C" fn leave(context: *mut CallContext, nest: i64, flops: i64, bytes: i64) {
    // SAFETY: as in `alloc`.
    if let Some(recorder) = unsafe { arena(context) }.recorder {
        recorder.leave(nest, flops, bytes);
    }
}

/// Calls an entry. `args` are its parameters in order, as its declaration says; `n_results` is the
/// number of its scalar results; `outputs` are the layouts of its array results.
pub fn call_entry(
    object: &LoadedObject,
    symbol: &str,
    args: &[ArgSlot<'_>],
    n_results: usize,
    outputs: &[OutputLayout],
    limits: CallLimits<'_>,
) -> Result<CallOutcome, CallError> {
    call_entry_into(object, symbol, args, n_results, outputs, Given::new(), limits)
}

/// The same, with memory for results that the caller has.
pub fn call_entry_into(
    object: &LoadedObject,
    symbol: &str,
    args: &[ArgSlot<'_>],
    n_results: usize,
    outputs: &[OutputLayout],
    given: Given<'_>,
    limits: CallLimits<'_>,
) -> Result<CallOutcome, CallError> {
    let entry = object.entry(symbol).ok_or_else(|| CallError::NoSuchEntry(symbol.to_owned()))?;
    let slots: Vec<u64> = args
        .iter()
        .map(|arg| match arg {
            ArgSlot::Scalar(bits) => *bits,
            ArgSlot::Buffer(bytes) => bytes.as_ptr() as u64,
        })
        .collect();
    let mut results = vec![0; n_results];
    let parallel_from = limits.threads.parallel_from(PARALLEL_FROM);
    let mut arena = Arena {
        context: CallContext { alloc, free, output, parallel, parallel_from, enter, leave },
        threads: limits.threads,
        recorder: limits.recorder,
        layouts: outputs,
        held: Mutex::new(Held {
            limit: limits.memory.unwrap_or(u64::MAX),
            used: 0,
            scratch: BTreeMap::new(),
            counts: vec![None; outputs.len()],
            groups: BTreeMap::new(),
            given,
            broken: None,
            refused: false,
        }),
    };
    let floats = DefaultFloats::set();
    let context = (&raw mut arena).cast::<CallContext>();
    // SAFETY: `entry` was made by a backend for this convention; the slots outlive the call, and the
    // arena is reached only through `context` until it returns, when no other thread works for it.
    let status = unsafe { entry(context, slots.as_ptr(), results.as_mut_ptr()) };
    drop(floats);
    let held = arena.held.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(what) = held.broken {
        return Err(CallError::Broken(what));
    }
    match status {
        STATUS_OK => Ok(CallOutcome { results, counts: held.counts, groups: held.groups }),
        STATUS_CHECK_FAILED => Err(CallError::CheckFailed),
        STATUS_OUT_OF_MEMORY if held.refused => Err(CallError::OutOfMemory),
        // More than is ever given, or more than a number can say.
        STATUS_OUT_OF_MEMORY => Err(CallError::TooLarge),
        _ => Err(CallError::Broken("an unknown status")),
    }
}
