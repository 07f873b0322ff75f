//! A C header for an object: the calling convention once, then each entry with its slots in words.

use we3_backend_api::entry_symbol;

use crate::flatten::Slot;
use crate::kernel::Kernel;

const CONVENTION: &str = "\
/* Made by we3c. Link with the object that `we3c compile` wrote from the same source.
 *
 * An entry takes its parameters as 64-bit slots: a scalar's bits, zero-extended, or the address of the
 * first element of a field of an array. Array results are written to memory that `output` gives:
 * `count` elements, laid out with the distance that stands beside the result. It returns 0 when all
 * went well, 1 when a check of the program failed, 2 when `alloc` or `output` gave NULL.
 *
 * `parallel` runs a loop of independent iterations: it calls `body` for parts of lo … hi − 1, each of at least
 * `grain` iterations (but the last), on any threads, and returns when all have returned: 0, or 1 if one
 * returned 1, or else 2. Without threads it is `return body(context, env, lo, hi);`. `alloc` and
 * `release` may then be called from several threads at once. Loops that take less than `parallel_from`
 * picoseconds, by estimate, do not ask for it; 40000000 is a good number, UINT64_MAX asks never. */
#ifndef WE3_CONTEXT
#define WE3_CONTEXT
#include <stdint.h>

struct we3_context {
    void *(*alloc)(struct we3_context *, int64_t bytes);                  /* aligned to 64 bytes */
    void (*release)(struct we3_context *, void *address);
    void *(*output)(struct we3_context *, int64_t result, int64_t count); /* array results from 0 */
    int32_t (*parallel)(struct we3_context *,
                        int32_t (*body)(struct we3_context *, const void *env, int64_t lo, int64_t hi),
                        const void *env, int64_t lo, int64_t hi, int64_t grain);
    uint64_t parallel_from;
};
#endif
";

/// The header of these entries.
pub fn c_header(kernels: &[Kernel]) -> String {
    let mut text = String::from(CONVENTION);
    for kernel in kernels {
        text.push_str(&declaration(kernel));
    }
    text
}

fn declaration(kernel: &Kernel) -> String {
    let mut text = format!("\n/* {}\n", kernel.signature().replace("*/", "* /"));
    let names = param_names(kernel);
    for (number, (slot, name)) in kernel.param_slots.iter().zip(names).enumerate() {
        text.push_str(&format!(" *   args[{number}]: {}{}\n", words(slot), name));
    }
    let (mut scalars, mut arrays) = (0, 0);
    for slot in &kernel.result_slots {
        let place = match slot {
            Slot::Scalar(_) | Slot::Size { .. } => {
                scalars += 1;
                format!("results[{}]", scalars - 1)
            }
            Slot::Leaf { .. } => {
                arrays += 1;
                format!("output {}", arrays - 1)
            }
        };
        text.push_str(&format!(" *   {place}: {}\n", words(slot)));
    }
    let symbol = entry_symbol(&kernel.name);
    text.push_str(&format!(
        " */\nint32_t {symbol}(struct we3_context *context, const uint64_t *args, uint64_t *results);\n"
    ));
    text
}

fn words(slot: &Slot) -> String {
    match slot {
        Slot::Scalar(scalar) => scalar.to_string(),
        Slot::Size { array } => format!("size of an axis of array {array}"),
        Slot::Leaf { array, scalar, offset, stride, .. } => match (offset, stride) {
            (0, 1) => format!("elements of array {array}, {scalar}"),
            _ => format!("field of array {array} at byte {offset} of its element, {scalar}, every {stride}"),
        },
    }
}

/// ` of x` beside the first slot of a parameter.
fn param_names(kernel: &Kernel) -> Vec<String> {
    let mut names = Vec::new();
    for param in &kernel.params {
        let count = crate::flatten::slots_of(std::slice::from_ref(&param.ty)).map_or(0, |slots| slots.len());
        names.extend((0..count).map(|_| format!(" (of {})", param.name)));
    }
    names
}
