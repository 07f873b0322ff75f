//! Maps a linked image into memory: code is executable and never writable, constants are read-only.
#![allow(unsafe_code, reason = "changes page permissions and makes functions of addresses")]

use memmap2::MmapMut;
use we3_backend_api::EntryFunction;

use crate::gdb::{self, Registered};
use crate::image::{Access, Image, ImageError, PAGE};

/// Why an object cannot be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// Its bytes are wrong.
    Image(ImageError),
    /// It is for another machine.
    OtherMachine,
    /// The operating system refused memory.
    System(std::io::Error),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LoadError::Image(error) => error.fmt(formatter),
            LoadError::OtherMachine => formatter.write_str("the object is for another machine"),
            LoadError::System(error) => write!(formatter, "no memory for code: {error}"),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<ImageError> for LoadError {
    fn from(error: ImageError) -> LoadError {
        LoadError::Image(error)
    }
}

/// An object in memory, ready to be called.
pub struct LoadedObject {
    image: Image,
    /// Goes before the memory does.
    _debugger: Option<Registered>,
    memory: MmapMut,
}

impl std::fmt::Debug for LoadedObject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.image.function_names()).finish()
    }
}

/// Permissions of `mprotect`, the same on every Linux.
const READ: i32 = 1;
const WRITE: i32 = 2;
const EXECUTE: i32 = 4;

unsafe extern "C" {
    fn mprotect(address: *mut std::ffi::c_void, length: usize, protection: i32) -> i32;
}

impl LoadedObject {
    /// Loads what a backend emitted. The bytes may be corrupt (that is an error), but what is well
    /// formed is trusted: running hostile code is not what a loader can prevent.
    pub fn load(object: &[u8]) -> Result<LoadedObject, LoadError> {
        let mut image = Image::parse(object)?;
        if !image.is_for_host() {
            return Err(LoadError::OtherMachine);
        }
        let mut memory = MmapMut::map_anon(image.bytes.len().max(PAGE)).map_err(LoadError::System)?;
        image.link(memory.as_ptr() as u64)?;
        memory[..image.bytes.len()].copy_from_slice(&image.bytes);
        image.bytes = Vec::new();
        for (access, range) in &image.parts {
            let protection = match access {
                Access::Code => READ | EXECUTE,
                Access::Constants => READ,
                Access::Data => READ | WRITE,
            };
            let length = (range.end - range.start).next_multiple_of(PAGE);
            // SAFETY: parts start at page boundaries of the image and do not share pages, the image
            // is padded to whole pages, so this changes only memory that `memory` owns. Nothing
            // writes through `memory` afterwards.
            let status = unsafe { mprotect(memory.as_mut_ptr().add(range.start).cast(), length, protection) };
            if status != 0 {
                return Err(LoadError::System(std::io::Error::last_os_error()));
            }
        }
        synchronize_instructions(&memory);
        let base = memory.as_ptr() as u64;
        let addresses = image.sections.iter().map(|(number, start)| (*number, base + *start as u64));
        let debugger = gdb::register(object, addresses);
        Ok(LoadedObject { image, _debugger: debugger, memory })
    }

    /// A global function of the object. The pointer is good as long as the object lives.
    pub fn entry(&self, symbol: &str) -> Option<EntryFunction> {
        let offset = self.image.function(symbol)?;
        let address = self.memory.as_ptr().wrapping_add(offset);
        // SAFETY: the offset lies in the executable part, where a backend put a function of this
        // signature (that is the meaning of a global symbol in our objects).
        Some(unsafe { std::mem::transmute::<*const u8, EntryFunction>(address) })
    }

    /// The names of all entries' symbols, sorted.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.image.function_names()
    }
}

/// Makes new code visible to the instruction fetch. x86 does that by itself.
#[cfg(target_arch = "x86_64")]
fn synchronize_instructions(_memory: &MmapMut) {}

/// Makes new code visible to the instruction fetch.
#[cfg(not(target_arch = "x86_64"))]
fn synchronize_instructions(memory: &MmapMut) {
    unsafe extern "C" {
        fn __clear_cache(start: *mut std::ffi::c_char, end: *mut std::ffi::c_char);
    }
    let start = memory.as_ptr().cast_mut().cast();
    // SAFETY: both ends are of the same mapping.
    unsafe { __clear_cache(start, memory.as_ptr().add(memory.len()).cast_mut().cast()) }
}
