//! Memory on a cache-line boundary: zeroed for results that a host reads, as it comes for scratch.
#![allow(unsafe_code, reason = "owns raw allocations")]

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// Alignment of everything that kernels allocate.
pub const ALIGN: usize = 64;

/// A block of bytes aligned to 64.
pub struct HostMemory {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: it is plain owned memory.
unsafe impl Send for HostMemory {}
// SAFETY: shared references only read.
unsafe impl Sync for HostMemory {}

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1), ALIGN).ok()
}

impl HostMemory {
    /// Zeroed memory, or `None` when there is not so much.
    pub fn zeroed(bytes: usize) -> Option<HostMemory> {
        let layout = layout(bytes)?;
        // SAFETY: the layout is not of size 0.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(HostMemory { start, bytes })
    }

    /// A copy of bytes.
    pub fn copy_of(source: &[u8]) -> Option<HostMemory> {
        let mut memory = HostMemory::zeroed(source.len())?;
        memory.as_mut_slice().copy_from_slice(source);
        Some(memory)
    }

    /// The address of the first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// The contents.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `start` is valid for `bytes` initialised (zeroed) bytes as long as `self` lives.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.bytes) }
    }

    /// The contents, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) }
    }
}

impl Drop for HostMemory {
    fn drop(&mut self) {
        if let Some(layout) = layout(self.bytes) {
            // SAFETY: allocated in `zeroed` with this layout, and only once given back.
            unsafe { dealloc(self.start.as_ptr(), layout) }
        }
    }
}

/// A block of bytes that only compiled code reads and writes. Its contents are not initialised; builds
/// with debug assertions fill it with a pattern, so that reading it too early shows.
pub struct Scratch {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: it is plain owned memory, which any thread may give back.
unsafe impl Send for Scratch {}

/// What debug builds fill scratch with.
const POISON: u8 = 0xa5;

impl Scratch {
    /// Memory, or `None` when there is not so much.
    pub fn new(bytes: usize) -> Option<Scratch> {
        let layout = layout(bytes)?;
        // SAFETY: the layout is not of size 0.
        let start = NonNull::new(unsafe { alloc(layout) })?;
        if cfg!(debug_assertions) {
            // SAFETY: the block has this many bytes and nothing else knows it yet.
            unsafe { start.as_ptr().write_bytes(POISON, bytes) };
        }
        Some(Scratch { start, bytes })
    }

    /// The address of the first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Its size.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(layout) = layout(self.bytes) {
            // SAFETY: allocated in `new` with this layout, and only once given back.
            unsafe { dealloc(self.start.as_ptr(), layout) }
        }
    }
}

impl std::fmt::Debug for HostMemory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "HostMemory({} bytes)", self.bytes)
    }
}
