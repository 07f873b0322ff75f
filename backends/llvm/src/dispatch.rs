//! Objects with code for several processors: each version under its own symbol, and the entry's own symbol in front
//! of them, which asks the processor once what it can do and then jumps to the best version.

use std::fmt::Write as _;

use we3_backend_api::{Target, Unsupported};

use crate::facts::Facts;
use crate::text::ModuleText;

/// What the processor has, by the levels of x86-64: 1 to 4. It and the operating system are asked once.
const CPU_LEVEL: &str = include_str!("support/cpu_level.ll");

/// The levels that code can be chosen by.
const LEVELS: [(&str, u32); 4] = [("x86-64", 1), ("x86-64-v2", 2), ("x86-64-v3", 3), ("x86-64-v4", 4)];

/// The level of each target, which have to rise.
pub fn levels<'a>(targets: impl Iterator<Item = &'a Target>) -> Result<Vec<u32>, Unsupported> {
    let mut found: Vec<u32> = Vec::new();
    for target in targets {
        let level = LEVELS.iter().find(|(name, _)| *name == target.cpu).map(|(_, level)| *level);
        match level {
            Some(level) if found.last().is_none_or(|last| *last < level) => found.push(level),
            Some(_) | None => {
                return Err(Unsupported {
                    what: format!("`{}` among versions to choose from", target.cpu),
                    instead: Some("x86-64, x86-64-v2, x86-64-v3 and x86-64-v4, in this order".to_owned()),
                });
            }
        }
    }
    Ok(found)
}

/// The symbol of a version of an entry.
pub fn symbol(entry: &str, target: &Target) -> String {
    format!("{entry}.{}", target.cpu)
}

/// The attributes of a version's functions.
pub fn attributes(facts: &Facts) -> String {
    let Facts { attributes, cpu, features, .. } = facts;
    format!("{attributes} \"target-cpu\"=\"{cpu}\" \"target-features\"=\"{features}\"")
}

/// The entry itself: the best version that runs here. One of the lowest level, `base`, is taken for granted.
pub fn emit<'a>(
    entry: &str,
    base: u32,
    versions: impl DoubleEndedIterator<Item = (&'a Target, &'a u32)>,
    module: &mut ModuleText,
) {
    const PARAMS: &str = "ptr %context, ptr %arguments, ptr %results";
    module.require(CPU_LEVEL);
    let mut text = format!("define i32 @{entry}({PARAMS}) #0 {{\n  %level = call i32 @we3.level()\n");
    for (target, level) in versions.rev() {
        let symbol = symbol(entry, target);
        // Writing to a `String` cannot fail.
        let _ = if *level > base {
            writeln!(
                text,
                "  %is.{level} = icmp uge i32 %level, {level}\n  \
                 br i1 %is.{level}, label %go.{level}, label %below.{level}\n\
                 go.{level}:\n  %status.{level} = tail call i32 @{symbol}({PARAMS})\n  \
                 ret i32 %status.{level}\nbelow.{level}:"
            )
        } else {
            writeln!(text, "  %status = tail call i32 @{symbol}({PARAMS})\n  ret i32 %status")
        };
    }
    text.push_str("}\n");
    module.add_function(&text);
}
