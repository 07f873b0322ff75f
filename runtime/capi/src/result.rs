//! What a call left, as C looks at it: a list of scalars and arrays.

use std::collections::BTreeMap;
use std::ffi::c_void;

use we3_driver::Scalar;
use we3_driver::host::{CallOutcome, HostError, HostMemory};
use we3_driver::value::HostType;

use crate::error::{Status, guarded};
use crate::{Output, reference};

/// `we3_result`.
pub struct CallResult {
    parts: Vec<Owned>,
}

/// One scalar or array.
struct Owned {
    ty: i32,
    bits: u64,
    sizes: Vec<u64>,
    /// Where an array lies: here, or with the caller.
    memory: Option<HostMemory>,
    elsewhere: *const c_void,
}

/// `we3_part`.
#[repr(C)]
#[derive(Debug)]
pub struct Part {
    ty: i32,
    bits: u64,
    data: *const c_void,
    sizes: *const u64,
    rank: usize,
}

/// `WE3_RECORD`.
const RECORD: i32 = 13;

fn number_of(ty: &HostType) -> i32 {
    let HostType::Scalar(scalar) = ty else { return RECORD };
    match scalar {
        Scalar::Bool => 0,
        Scalar::I8 => 1,
        Scalar::I16 => 2,
        Scalar::I32 => 3,
        Scalar::I64 => 4,
        Scalar::U8 => 5,
        Scalar::U16 => 6,
        Scalar::U32 => 7,
        Scalar::U64 => 8,
        Scalar::F16 => 9,
        Scalar::Bf16 => 10,
        Scalar::F32 => 11,
        Scalar::F64 => 12,
    }
}

struct Taking<'a> {
    scalars: std::vec::IntoIter<u64>,
    groups: BTreeMap<u32, HostMemory>,
    outputs: &'a [Output],
    arrays: u32,
    parts: Vec<Owned>,
}

impl CallResult {
    /// Of a call with these outputs of the caller.
    pub fn new(ty: &HostType, outcome: CallOutcome, outputs: &[Output]) -> Result<CallResult, HostError> {
        let scalars = outcome.results.into_iter();
        let mut taking = Taking { scalars, groups: outcome.groups, outputs, arrays: 0, parts: Vec::new() };
        taking
            .part(ty)
            .ok_or_else(|| HostError::Unavailable(String::from("bug in we3: a result is incomplete")))?;
        Ok(CallResult { parts: taking.parts })
    }
}

impl Taking<'_> {
    fn part(&mut self, ty: &HostType) -> Option<()> {
        match ty {
            HostType::Scalar(_) => {
                let bits = self.scalars.next()?;
                let elsewhere = std::ptr::null();
                self.parts.push(Owned {
                    ty: number_of(ty),
                    bits,
                    sizes: Vec::new(),
                    memory: None,
                    elsewhere,
                });
            }
            HostType::Array { elem, sizes } => {
                let sizes = sizes.iter().map(|_| self.scalars.next()).collect::<Option<Vec<u64>>>()?;
                let number = self.arrays;
                self.arrays += 1;
                let memory = self.groups.remove(&number);
                let given = self.outputs.get(number as usize).filter(|_| memory.is_none());
                let elsewhere = given.map_or(std::ptr::null(), |output| output.data.cast_const());
                self.parts.push(Owned { ty: number_of(elem), bits: 0, sizes, memory, elsewhere });
            }
            HostType::Tuple(types) => types.iter().try_for_each(|ty| self.part(ty))?,
            HostType::Record { fields, .. } => fields.iter().try_for_each(|field| self.part(&field.ty))?,
        }
        Some(())
    }
}

/// See `we3.h`.
///
/// # Safety
/// The result is NULL or came from here and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_part_count(result: *const CallResult) -> usize {
    // SAFETY: the caller's promise.
    unsafe { result.as_ref() }.map_or(0, |result| result.parts.len())
}

/// See `we3.h`.
///
/// # Safety
/// A result from here that was not freed, and a place for the part.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_result_part(
    result: *const CallResult,
    number: usize,
    part: *mut Part,
) -> Status {
    guarded(|| {
        // SAFETY: the caller's promise.
        let result = unsafe { reference(result, "`result`")? };
        let Some(found) = result.parts.get(number).filter(|_| !part.is_null()) else {
            return Err(HostError::Argument(format!(
                "a result of {} parts has no part {number}",
                result.parts.len()
            )));
        };
        let own = found.memory.as_ref().map(|memory| memory.as_ptr().cast::<c_void>().cast_const());
        let data = own.unwrap_or(found.elsewhere);
        let (sizes, rank) = (found.sizes.as_ptr(), found.sizes.len());
        // SAFETY: not null; the caller's promise.
        unsafe { part.write(Part { ty: found.ty, bits: found.bits, data, sizes, rank }) };
        Ok(())
    })
}

/// See `we3.h`.
///
/// # Safety
/// The result is NULL or came from here and was not freed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn we3_result_free(result: *mut CallResult) {
    if !result.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(result) });
    }
}
