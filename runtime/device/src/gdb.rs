//! Tells a debugger of code in memory: gdb's JIT interface (<https://sourceware.org/gdb/current/onlinedocs/gdb.html/JIT-Interface.html>).
//! It reads the object itself, its sections at the addresses where they lie. Only objects with line tables are told of.
#![allow(unsafe_code, reason = "a list that a debugger reads in our memory")]

use std::ptr::null_mut;
use std::sync::{Mutex, PoisonError};

use object::{Object, ObjectSection};

/// An entry of the list, as gdb declares it.
#[repr(C)]
struct JitCodeEntry {
    next: *mut JitCodeEntry,
    previous: *mut JitCodeEntry,
    object: *const u8,
    size: u64,
}

/// The list, as gdb declares it.
#[repr(C)]
pub struct JitDescriptor {
    version: u32,
    action: u32,
    relevant: *mut JitCodeEntry,
    first: *mut JitCodeEntry,
}

const REGISTER: u32 = 1;
const UNREGISTER: u32 = 2;

/// gdb finds it by its name.
#[unsafe(no_mangle)]
#[used]
pub static mut __jit_debug_descriptor: JitDescriptor =
    JitDescriptor { version: 1, action: 0, relevant: null_mut(), first: null_mut() };

/// gdb stops here and reads the list.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn __jit_debug_register_code() {
    // Not to be left out, nor made one with other empty functions.
    std::hint::black_box(&raw const __jit_debug_descriptor);
}

/// Who holds it changes the list.
static LIST: Mutex<()> = Mutex::new(());

/// An object that the debugger knows of, as long as this lives.
pub struct Registered {
    entry: *mut JitCodeEntry,
    /// What `entry` points to.
    _object: Box<[u8]>,
}

// SAFETY: the entry is touched only by whoever holds `LIST`.
unsafe impl Send for Registered {}
// SAFETY: as above; nothing of it can be reached through a shared reference.
unsafe impl Sync for Registered {}

/// Tells of an object whose sections (by their numbers) lie at these addresses, if it has line tables.
pub fn register(object: &[u8], addresses: impl Iterator<Item = (usize, u64)>) -> Option<Registered> {
    let file: object::read::elf::ElfFile64<'_> = object::read::elf::ElfFile64::parse(object).ok()?;
    file.section_by_name(".debug_line").filter(|section| section.size() > 0)?;
    let mut copy = object.to_vec();
    place_sections(&mut copy, addresses)?;
    let object = copy.into_boxed_slice();
    let (start, size) = (object.as_ptr(), object.len() as u64);
    let _held = LIST.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: `LIST` is held; gdb only reads, while this process stands still.
    let entry = unsafe {
        let list = &raw mut __jit_debug_descriptor;
        let first = (*list).first;
        let entry =
            Box::into_raw(Box::new(JitCodeEntry { next: first, previous: null_mut(), object: start, size }));
        if !first.is_null() {
            (*first).previous = entry;
        }
        (*list).first = entry;
        tell(entry, REGISTER);
        entry
    };
    Some(Registered { entry, _object: object })
}

impl Drop for Registered {
    fn drop(&mut self) {
        let _held = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: `LIST` is held; the entry is in the list until here, and its neighbours are entries in it.
        unsafe {
            let (next, previous) = ((*self.entry).next, (*self.entry).previous);
            if !next.is_null() {
                (*next).previous = previous;
            }
            if previous.is_null() {
                (&raw mut __jit_debug_descriptor.first).write(next);
            } else {
                (*previous).next = next;
            }
            tell(self.entry, UNREGISTER);
            drop(Box::from_raw(self.entry));
        }
    }
}

/// # Safety
/// `LIST` is held, and `entry` points to an entry.
unsafe fn tell(entry: *mut JitCodeEntry, action: u32) {
    // SAFETY: `LIST` is held.
    unsafe {
        let list = &raw mut __jit_debug_descriptor;
        (*list).relevant = entry;
        (*list).action = action;
    }
    __jit_debug_register_code();
}

/// Writes the address of each section into its header.
fn place_sections(object: &mut [u8], addresses: impl Iterator<Item = (usize, u64)>) -> Option<()> {
    const TABLE: usize = 0x28;
    const HEADER_BYTES: usize = 64;
    const ADDRESS: usize = 0x10;
    let table = u64::from_le_bytes(object.get(TABLE..TABLE + 8)?.try_into().ok()?) as usize;
    for (section, address) in addresses {
        let field = table.checked_add(section.checked_mul(HEADER_BYTES)?)?.checked_add(ADDRESS)?;
        object.get_mut(field..field.checked_add(8)?)?.copy_from_slice(&address.to_le_bytes());
    }
    Some(())
}
