//! `libwe3`: the C interface that `include/we3.h` declares and explains. Only pointers become references here, and
//! failures become numbers; everything else is `driver/src/host.rs`.
#![allow(
    unsafe_code,
    reason = "a C interface takes raw pointers; each function states what the header asks of the caller"
)]

mod error;
mod result;

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_void};
use std::num::NonZeroUsize;
use std::path::Path;

use we3_driver::executable::Budget;
use we3_driver::host::{HostArg, HostError, HostProgram};
use we3_driver::plan::{BackendChoice, Plan};
use we3_driver::sources::Sources;

pub use error::we3_error;
use error::{Status, guarded};
use result::CallResult;
pub use result::{Part, we3_part_count, we3_result_free, we3_result_part};

/// `we3_program`.
pub struct Program {
    program: HostProgram,
    signatures: Vec<CString>,
}

/// `we3_argument`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    bits: u64,
    data: *const c_void,
    sizes: *const u64,
    rank: usize,
}

/// `we3_output`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Output {
    data: *mut c_void,
    bytes: usize,
}

/// The text behind a pointer.
///
/// # Safety
/// It is null or a C string that stays as it is during the call.
unsafe fn text<'a>(pointer: *const c_char, what: &str) -> Result<&'a str, HostError> {
    if pointer.is_null() {
        return Err(HostError::Argument(format!("{what} is NULL")));
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|_| HostError::Argument(format!("{what} is not UTF-8")))
}

/// What a pointer points to.
///
/// # Safety
/// It is null or points to a value that nobody changes during the call.
unsafe fn reference<'a, T>(pointer: *const T, what: &str) -> Result<&'a T, HostError> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| HostError::Argument(format!("{what} is NULL")))
}

/// The elements behind a pointer.
///
/// # Safety
/// It points to so many values that nobody changes during the call, or `count` is 0.
unsafe fn elements<'a, T>(pointer: *const T, count: usize, what: &str) -> Result<&'a [T], HostError> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(HostError::Argument(format!("{what} is NULL")));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

fn open(
    sources: Result<Sources, HostError>,
    backend: *const c_char,
    program: *mut *mut Program,
) -> Result<(), HostError> {
    if program.is_null() {
        return Err(HostError::Argument(String::from("`program` is NULL")));
    }
    // SAFETY: the header asks for a C string or NULL.
    let name = if backend.is_null() { "cranelift" } else { unsafe { text(backend, "`backend`")? } };
    let choice = BackendChoice::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = BackendChoice::ALL.iter().map(|choice| choice.name()).collect();
        HostError::Argument(format!("there is no backend `{name}`; there are {}", names.join(", ")))
    })?;
    let opened = HostProgram::open(&sources?, Plan::host(choice))?;
    let signature =
        |entry: &we3_driver::host::HostEntry| CString::new(entry.kernel.signature()).unwrap_or_default();
    let signatures = opened.entries().iter().map(signature).collect();
    let boxed = Box::into_raw(Box::new(Program { program: opened, signatures }));
    // SAFETY: not null; the header asks for a place for a pointer.
    unsafe { program.write(boxed) };
    Ok(())
}

/// See `we3.h`.
///
/// # Safety
/// As the header says: C strings (or NULL for the backend), and a place for the program.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_load(
    path: *const c_char,
    backend: *const c_char,
    program: *mut *mut Program,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let path = unsafe { text(path, "`path`")? };
        let sources =
            Sources::from_file(Path::new(path)).map_err(|failure| HostError::Argument(failure.summary()));
        open(sources, backend, program)
    })
}

/// See `we3.h`.
///
/// # Safety
/// As the header says: C strings (or NULL for the backend), and a place for the program.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_compile(
    name: *const c_char,
    source: *const c_char,
    backend: *const c_char,
    program: *mut *mut Program,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (name, source) = unsafe { (text(name, "`name`")?, text(source, "`source`")?) };
        open(Ok(Sources::from_text(name, source)), backend, program)
    })
}

/// See `we3.h`.
///
/// # Safety
/// The program is NULL or came from here, was not freed before, and is in no call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_program_free(program: *mut Program) {
    if !program.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(program) });
    }
}

/// See `we3.h`.
///
/// # Safety
/// The program is NULL or came from here and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_entry_count(program: *const Program) -> usize {
    // SAFETY: the caller's promise.
    unsafe { program.as_ref() }.map_or(0, |program| program.signatures.len())
}

/// See `we3.h`.
///
/// # Safety
/// The program is NULL or came from here and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_entry_signature(program: *const Program, entry: usize) -> *const c_char {
    // SAFETY: the caller's promise.
    let signature = unsafe { program.as_ref() }.and_then(|program| program.signatures.get(entry));
    signature.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// See `we3.h`.
///
/// # Safety
/// A program from here that was not freed, a C string, and a place for the number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_entry(
    program: *const Program,
    name: *const c_char,
    entry: *mut usize,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (program, name) = unsafe { (reference(program, "`program`")?, text(name, "`name`")?) };
        if entry.is_null() {
            return Err(HostError::Argument(String::from("`entry` is NULL")));
        }
        let found = program.program.entry_named(name)?;
        // SAFETY: not null; the caller's promise.
        unsafe { entry.write(found) };
        Ok(())
    })
}

/// See `we3.h`.
///
/// # Safety
/// A program from here that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_prepare(program: *const Program, entry: usize) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        unsafe { reference(program, "`program`")? }.program.compile(entry)
    })
}

/// See `we3.h`.
///
/// # Safety
/// A program from here that was not freed; arguments whose sizes and data are there; outputs whose memory may be written and overlaps
/// nothing else that the call is given; a place for the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_call(
    program: *const Program,
    entry: usize,
    arguments: *const Argument,
    count: usize,
    outputs: *const Output,
    output_count: usize,
    threads: usize,
    result: *mut *mut CallResult,
) -> Status {
    guarded(|| {
        if result.is_null() {
            return Err(HostError::Argument(String::from("`result` is NULL")));
        }
        // SAFETY: the caller's promise.
        let program = &unsafe { reference(program, "`program`")? }.program;
        // SAFETY: the caller's promise.
        let arguments = unsafe { elements(arguments, count, "`arguments`")? };
        let mut args = Vec::with_capacity(count);
        for (number, argument) in arguments.iter().enumerate() {
            // SAFETY: the caller's promise.
            args.push(unsafe { host_argument(program, entry, number, argument)? });
        }
        let output_count = if outputs.is_null() { 0 } else { output_count };
        // SAFETY: the caller's promise.
        let outputs = unsafe { elements(outputs, output_count, "`outputs`")? };
        refuse_overlaps(&args, outputs)?;
        let mut given: BTreeMap<u32, &mut [u8]> = BTreeMap::new();
        for (number, output) in outputs.iter().enumerate().filter(|(_, output)| !output.data.is_null()) {
            // SAFETY: the caller's promise; that nothing overlaps was looked at.
            let memory = unsafe { std::slice::from_raw_parts_mut(output.data.cast::<u8>(), output.bytes) };
            given.insert(number as u32, memory);
        }
        let budget = Budget::default().on_threads(NonZeroUsize::new(threads));
        let outcome = program.call(entry, &args, given, budget)?;
        let made = CallResult::new(&program.entries()[entry].kernel.result, outcome, outputs)?;
        // SAFETY: not null; the caller's promise.
        unsafe { result.write(Box::into_raw(Box::new(made))) };
        Ok(())
    })
}

/// # Safety
/// The sizes and data of an array are there.
unsafe fn host_argument<'a>(
    program: &HostProgram,
    entry: usize,
    number: usize,
    argument: &'a Argument,
) -> Result<HostArg<'a>, HostError> {
    if argument.rank == 0 {
        return Ok(HostArg::Scalar(argument.bits));
    }
    // SAFETY: the caller's promise.
    let sizes = unsafe { elements(argument.sizes, argument.rank, "`sizes` of an argument")? };
    let bytes = program.argument_bytes(entry, number, sizes)?;
    // SAFETY: the header asks for data as long as type and sizes say.
    let bytes = unsafe { elements(argument.data.cast::<u8>(), bytes, "`data` of an argument")? };
    Ok(HostArg::Array { sizes, bytes })
}

fn refuse_overlaps(args: &[HostArg<'_>], outputs: &[Output]) -> Result<(), HostError> {
    let range = |start: usize, bytes: usize| (start, start.saturating_add(bytes));
    let mut taken: Vec<(usize, usize)> = Vec::new();
    for arg in args {
        if let HostArg::Array { bytes, .. } = arg {
            taken.push(range(bytes.as_ptr() as usize, bytes.len()));
        }
    }
    for output in outputs.iter().filter(|output| !output.data.is_null()) {
        let (start, end) = range(output.data as usize, output.bytes);
        if taken.iter().any(|other| start < other.1 && other.0 < end) {
            let what = "an output shares memory with an argument or another output";
            return Err(HostError::Argument(String::from(what)));
        }
        taken.push((start, end));
    }
    Ok(())
}

/// See `we3.h`.
#[unsafe(no_mangle)]
pub extern "C" fn we3_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}
