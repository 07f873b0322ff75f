//! Memory on a cache-line boundary: zeroed for hosts, as it comes for what compiled code fills. Small blocks
//! come from the allocator of the process, large ones from a pool of pages (`pool.rs`).
#![allow(unsafe_code, reason = "owns raw allocations")]

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::LazyLock;

use crate::pages::Pages;
use crate::pool::{Contents, POOL_FROM, Pool};
use crate::{host, knobs};

/// Alignment of everything that kernels allocate.
pub const ALIGN: usize = 64;

/// What part of the machine's memory may wait in the pool.
const POOLED_PART: u64 = 8;

/// The pool that large blocks of this process come from.
pub fn process_pool() -> &'static Pool {
    static POOL: LazyLock<Pool> = LazyLock::new(|| {
        let part = || host::memory_bytes().unwrap_or(0) / POOLED_PART;
        Pool::new(knobs::pool().unwrap_or_else(part))
    });
    &POOL
}

/// What debug builds fill memory with that compiled code has to fill: reading it too early, or leaving a
/// part of a result as it was, shows.
const POISON: u8 = 0xa5;
/// So many bytes of it: tests are smaller, and times of large kernels stay true.
const MOST_POISON: usize = 1 << 20;

/// An owned block of bytes aligned to 64, of which nobody knows whether they are initialised.
struct Block {
    start: NonNull<u8>,
    bytes: usize,
    /// Where it lies, if not with the allocator of the process.
    pages: Option<Pages>,
}

// SAFETY: it is plain owned memory, which any thread may use and give back.
unsafe impl Send for Block {}
// SAFETY: shared references only give the address away.
unsafe impl Sync for Block {}

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1), ALIGN).ok()
}

impl Block {
    fn zeroed(bytes: usize) -> Option<Block> {
        if bytes < POOL_FROM {
            // SAFETY: the layout is not of size 0.
            let start = NonNull::new(unsafe { alloc_zeroed(layout(bytes)?) })?;
            return Some(Block { start, bytes, pages: None });
        }
        let (block, contents) = Block::pooled(bytes)?;
        if contents == Contents::Anything {
            // SAFETY: the block has at least this many bytes and nothing else knows it yet.
            unsafe { block.start.as_ptr().write_bytes(0, bytes) };
        }
        Some(block)
    }

    fn unfilled(bytes: usize) -> Option<Block> {
        let block = if bytes < POOL_FROM {
            // SAFETY: the layout is not of size 0.
            let start = NonNull::new(unsafe { alloc(layout(bytes)?) })?;
            Block { start, bytes, pages: None }
        } else {
            Block::pooled(bytes)?.0
        };
        if cfg!(debug_assertions) {
            // SAFETY: the block has at least this many bytes and nothing else knows it yet.
            unsafe { block.start.as_ptr().write_bytes(POISON, bytes.min(MOST_POISON)) };
        }
        Some(block)
    }

    fn pooled(bytes: usize) -> Option<(Block, Contents)> {
        let (pages, contents) = process_pool().take(bytes)?;
        let start = NonNull::new(pages.as_ptr())?;
        Some((Block { start, bytes, pages: Some(pages) }, contents))
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        match self.pages.take() {
            Some(pages) => process_pool().give_back(pages),
            None => {
                if let Some(layout) = layout(self.bytes) {
                    // SAFETY: allocated above with this layout, and only once given back.
                    unsafe { dealloc(self.start.as_ptr(), layout) }
                }
            }
        }
    }
}

/// Bytes that a host reads and writes.
pub struct HostMemory {
    block: Block,
}

impl HostMemory {
    /// Zeroed memory, or `None` when there is not so much.
    pub fn zeroed(bytes: usize) -> Option<HostMemory> {
        Some(HostMemory { block: Block::zeroed(bytes)? })
    }

    /// A copy of bytes.
    pub fn copy_of(source: &[u8]) -> Option<HostMemory> {
        let block = Block::unfilled(source.len())?;
        // SAFETY: the block is as long as the source and nothing else knows it yet.
        unsafe { block.start.as_ptr().copy_from_nonoverlapping(source.as_ptr(), source.len()) };
        Some(HostMemory { block })
    }

    /// Memory whose contents are not initialised, or `None` when there is not so much.
    ///
    /// # Safety
    /// Before anybody asks for its contents, something has written every byte.
    pub(crate) unsafe fn unfilled(bytes: usize) -> Option<HostMemory> {
        Some(HostMemory { block: Block::unfilled(bytes)? })
    }

    /// The address of the first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.block.start.as_ptr()
    }

    /// How many bytes.
    pub fn bytes(&self) -> usize {
        self.block.bytes
    }

    /// The contents.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the block lives as long as `self`; its bytes were initialised when it was made, or the
        // caller of `unfilled` saw to it.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.block.bytes) }
    }

    /// The contents, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr(), self.block.bytes) }
    }
}

/// Bytes that only compiled code reads and writes, at first not initialised.
pub struct Scratch {
    block: Block,
}

impl Scratch {
    /// Memory, or `None` when there is not so much.
    pub fn new(bytes: usize) -> Option<Scratch> {
        Some(Scratch { block: Block::unfilled(bytes)? })
    }

    /// The address of the first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.block.start.as_ptr()
    }

    /// Its size.
    pub fn bytes(&self) -> usize {
        self.block.bytes
    }
}

impl std::fmt::Debug for HostMemory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "HostMemory({} bytes)", self.block.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeroed_memory_is_zero_whoever_had_it_before() {
        for bytes in [0, 1, 100, POOL_FROM - 1, POOL_FROM, 3 * POOL_FROM + 7, (2 << 20) + 1] {
            for turn in 0..3 {
                let mut memory = HostMemory::zeroed(bytes).expect("memory");
                assert!(memory.as_slice().iter().all(|byte| *byte == 0), "{bytes}, turn {turn}");
                assert_eq!((memory.bytes(), memory.as_ptr() as usize % ALIGN), (bytes, 0));
                memory.as_mut_slice().fill(0xff);
                let copy = HostMemory::copy_of(memory.as_slice()).expect("memory");
                assert_eq!(copy.as_slice(), memory.as_slice());
            }
        }
    }

    #[test]
    fn too_much_is_refused() {
        assert!(HostMemory::zeroed(1 << 60).is_none());
        assert!(HostMemory::zeroed(usize::MAX).is_none());
        assert!(Scratch::new(usize::MAX - 100).is_none());
    }
}
