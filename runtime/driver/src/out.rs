//! Values that receive the result of a call (`out=` of other languages): which ones may, and what is compared
//! when the result's sizes are known.

use crate::failure::Failure;
use crate::kernel::Kernel;
use crate::value::{HostArray, HostType, HostValue};

/// Calls `visit` with each array of a value, numbered in order.
pub(crate) fn each_array<'out>(value: &'out mut HostValue, visit: &mut dyn FnMut(u32, &'out mut HostArray)) {
    number_arrays(value, &mut 0, visit);
}

fn number_arrays<'out>(
    value: &'out mut HostValue,
    next: &mut u32,
    visit: &mut dyn FnMut(u32, &'out mut HostArray),
) {
    match value {
        HostValue::Scalar(_) => {}
        HostValue::Array(array) => {
            visit(*next, array);
            *next += 1;
        }
        HostValue::Tuple(parts) => parts.iter_mut().for_each(|part| number_arrays(part, next, visit)),
        HostValue::Record { fields, .. } => {
            fields.iter_mut().for_each(|(_, part)| number_arrays(part, next, visit));
        }
    }
}

/// What is known before the call: the type, sizes apart, and that the memory is nobody else's.
pub(crate) fn check(kernel: &Kernel, args: &[HostValue], out: &mut HostValue) -> Result<(), Failure> {
    if !fits(&kernel.result, out) {
        let (name, given, result) = (&kernel.name, out.ty(), &kernel.result);
        return Err(Failure::Usage(format!("`out` is {given}, the result of `{name}` is {result}")));
    }
    let mut shared = None;
    each_array(out, &mut |_, array| {
        if array.bytes_if_alone().is_none() {
            shared = Some(array.clone());
        }
    });
    let Some(shared) = shared else { return Ok(()) };
    let owner = kernel.params.iter().zip(args).find(|(_, arg)| holds(arg, &shared));
    let owner = match owner {
        Some((param, _)) => format!("argument `{}`", param.name),
        None => String::from("another value"),
    };
    Err(Failure::Usage(format!("`out` shares its memory with {owner}; a result needs memory of its own")))
}

fn fits(ty: &HostType, value: &HostValue) -> bool {
    match (ty, value) {
        (HostType::Scalar(scalar), HostValue::Scalar(constant)) => constant.ty == *scalar,
        (HostType::Array { elem, sizes }, HostValue::Array(array)) => {
            array.elem() == &**elem && array.sizes().len() == sizes.len()
        }
        (HostType::Tuple(types), HostValue::Tuple(parts)) => {
            types.len() == parts.len() && types.iter().zip(parts).all(|(ty, part)| fits(ty, part))
        }
        (HostType::Record { name, fields }, HostValue::Record { name: given, fields: parts }) => {
            let fit = fields.iter().zip(parts).all(|(field, (_, part))| fits(&field.ty, part));
            name == given && fields.len() == parts.len() && fit
        }
        (
            HostType::Scalar(_) | HostType::Array { .. } | HostType::Tuple(_) | HostType::Record { .. },
            HostValue::Scalar(_) | HostValue::Array(_) | HostValue::Tuple(_) | HostValue::Record { .. },
        ) => false,
    }
}

/// Whether an array of the value lies in this memory.
fn holds(value: &HostValue, memory: &HostArray) -> bool {
    match value {
        HostValue::Scalar(_) => false,
        HostValue::Array(array) => array.shares_memory_with(memory),
        HostValue::Tuple(parts) => parts.iter().any(|part| holds(part, memory)),
        HostValue::Record { fields, .. } => fields.iter().any(|(_, part)| holds(part, memory)),
    }
}

/// After a call that wrote into the arrays: compares their sizes with the result's and sets the scalars, both
/// in the order of flat results.
pub(crate) fn settle(
    kernel: &Kernel,
    out: &mut HostValue,
    scalar: &mut dyn FnMut() -> Option<u64>,
) -> Result<(), Failure> {
    let missing = || Failure::bug(format!("the results of `{}` do not fit {}", kernel.name, kernel.result));
    match out {
        HostValue::Scalar(constant) => constant.bits = scalar().ok_or_else(missing)?,
        HostValue::Array(array) => {
            let sizes: Option<Vec<u64>> = array.sizes().iter().map(|_| scalar()).collect();
            same_sizes(kernel, array, &sizes.ok_or_else(missing)?)?;
        }
        HostValue::Tuple(parts) => {
            parts.iter_mut().try_for_each(|part| settle(kernel, part, scalar))?;
        }
        HostValue::Record { fields, .. } => {
            fields.iter_mut().try_for_each(|(_, part)| settle(kernel, part, scalar))?;
        }
    }
    Ok(())
}

fn same_sizes(kernel: &Kernel, array: &HostArray, sizes: &[u64]) -> Result<(), Failure> {
    if array.sizes() == sizes {
        return Ok(());
    }
    let (name, given) = (&kernel.name, array.sizes());
    Err(Failure::Usage(format!(
        "an array of `out` has sizes {given:?}, the result of `{name}` has {sizes:?}"
    )))
}

/// Puts a result that was computed elsewhere into the memory of a value that `check` has seen.
pub(crate) fn replace(kernel: &Kernel, out: &mut HostValue, result: HostValue) -> Result<(), Failure> {
    match (out, result) {
        (HostValue::Array(array), HostValue::Array(found)) => {
            same_sizes(kernel, array, found.sizes())?;
            array.bytes_mut().copy_from_slice(found.bytes());
            Ok(())
        }
        (HostValue::Tuple(parts), HostValue::Tuple(found)) => {
            parts.iter_mut().zip(found).try_for_each(|(part, found)| replace(kernel, part, found))
        }
        (HostValue::Record { fields, .. }, HostValue::Record { fields: found, .. }) => {
            let mut pairs = fields.iter_mut().zip(found);
            pairs.try_for_each(|((_, part), (_, found))| replace(kernel, part, found))
        }
        (place @ HostValue::Scalar(_), found) => {
            *place = found;
            Ok(())
        }
        (HostValue::Array(_) | HostValue::Tuple(_) | HostValue::Record { .. }, _) => {
            Err(Failure::bug(format!("the result of `{}` is not of its type", kernel.name)))
        }
    }
}
