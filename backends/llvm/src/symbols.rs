//! Looks through an ELF object for symbols it would import. There must be none: a call of libm or
//! memcpy would make results depend on the machine that loads it.

use std::collections::BTreeSet;

const SECTION_SYMTAB: u32 = 2;
const SECTION_HEADER_BYTES: usize = 64;
const SYMBOL_BYTES: usize = 24;

/// Names of undefined symbols in a 64-bit little-endian object; `None` when it is not one.
pub fn imported_symbols(object: &[u8]) -> Option<BTreeSet<String>> {
    if object.get(..6)? != [0x7f, b'E', b'L', b'F', 2, 1] {
        return None;
    }
    let table = number(object, 0x28, 8)?;
    let count = number(object, 0x3c, 2)?;
    let mut names = BTreeSet::new();
    for section in 0..count {
        let header = table.checked_add(section.checked_mul(SECTION_HEADER_BYTES)?)?;
        if number(object, header.checked_add(4)?, 4)? == SECTION_SYMTAB as usize {
            undefined_in(object, table, header, &mut names)?;
        }
    }
    Some(names)
}

fn undefined_in(object: &[u8], table: usize, header: usize, names: &mut BTreeSet<String>) -> Option<()> {
    let (offset, size) = (number(object, header + 0x18, 8)?, number(object, header + 0x20, 8)?);
    let strings_header =
        table.checked_add(number(object, header + 0x28, 4)?.checked_mul(SECTION_HEADER_BYTES)?)?;
    let strings = number(object, strings_header.checked_add(0x18)?, 8)?;
    for index in 0..size / SYMBOL_BYTES {
        let symbol = offset.checked_add(index * SYMBOL_BYTES)?;
        let (name, section) = (number(object, symbol, 4)?, number(object, symbol.checked_add(6)?, 2)?);
        if section == 0 && name != 0 {
            let bytes = object.get(strings.checked_add(name)?..)?;
            let end = bytes.iter().position(|byte| *byte == 0)?;
            names.insert(String::from_utf8_lossy(&bytes[..end]).into_owned());
        }
    }
    Some(())
}

fn number(object: &[u8], offset: usize, bytes: usize) -> Option<usize> {
    let field = object.get(offset..offset.checked_add(bytes)?)?;
    Some(field.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}
