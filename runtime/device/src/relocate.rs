//! One relocation: which bytes of an image change, and how. Pure arithmetic on bytes.

/// What a relocation needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Fixup {
    /// Offset in the image of the bytes that change.
    pub place: usize,
    /// The ELF relocation type.
    pub kind: u32,
    /// Offset in the image of the target.
    pub target: usize,
    /// The explicit addend.
    pub addend: i64,
}

/// Why a relocation cannot be applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FixupError {
    /// A type that this loader does not know.
    UnknownKind(u32),
    /// The result does not fit in its field.
    OutOfRange,
    /// The bytes to change lie outside the image.
    OutsideImage,
}

/// Relocation types of x86-64.
pub mod x86_64 {
    /// S + A, 64 bits.
    pub const ABSOLUTE_64: u32 = 1;
    /// S + A − P, 32 bits.
    pub const PC_32: u32 = 2;
    /// The same, for calls.
    pub const PLT_32: u32 = 4;
    /// The address of a slot that holds S, relative.
    pub const GOT_PC_32: u32 = 9;
    /// S + A, 32 bits, zero-extended.
    pub const ABSOLUTE_32: u32 = 10;
    /// S + A, 32 bits, sign-extended.
    pub const ABSOLUTE_32_SIGNED: u32 = 11;
    /// S + A − P, 64 bits.
    pub const PC_64: u32 = 24;
    /// As `GOT_PC_32`, in an instruction that a linker may rewrite.
    pub const GOT_PC_32_RELAXABLE: u32 = 41;
    /// The same with a REX prefix.
    pub const GOT_PC_32_REX: u32 = 42;
}

/// Relocation types of AArch64.
pub mod aarch64 {
    /// S + A, 64 bits.
    pub const ABSOLUTE_64: u32 = 257;
    /// S + A − P, 32 bits.
    pub const PC_32: u32 = 261;
    /// Page of S + A minus page of P, in an `adrp`.
    pub const PAGE_21: u32 = 275;
    /// Low 12 bits of S + A, in an `add`.
    pub const ADD_LOW_12: u32 = 277;
    /// Low 12 bits of S + A in a byte access.
    pub const LOAD_8_LOW_12: u32 = 278;
    /// A `b`.
    pub const JUMP_26: u32 = 282;
    /// A `bl`.
    pub const CALL_26: u32 = 283;
    /// Low 12 bits of S + A in a 2-byte access.
    pub const LOAD_16_LOW_12: u32 = 284;
    /// Low 12 bits of S + A in a 4-byte access.
    pub const LOAD_32_LOW_12: u32 = 285;
    /// Low 12 bits of S + A in an 8-byte access.
    pub const LOAD_64_LOW_12: u32 = 286;
    /// Low 12 bits of S + A in a 16-byte access.
    pub const LOAD_128_LOW_12: u32 = 299;
}

/// Whether an x86-64 relocation goes through a slot that holds the target's address.
pub fn needs_slot(kind: u32) -> bool {
    matches!(kind, x86_64::GOT_PC_32 | x86_64::GOT_PC_32_RELAXABLE | x86_64::GOT_PC_32_REX)
}

/// Applies an x86-64 relocation to an image that will stand at `base`.
pub fn apply_x86_64(bytes: &mut [u8], base: u64, fixup: Fixup) -> Result<(), FixupError> {
    let target = base.wrapping_add(fixup.target as u64).wrapping_add(fixup.addend.cast_unsigned());
    let place = base.wrapping_add(fixup.place as u64);
    let distance = target.wrapping_sub(place).cast_signed();
    match fixup.kind {
        x86_64::ABSOLUTE_64 => write(bytes, fixup.place, &target.to_le_bytes()),
        x86_64::PC_64 => write(bytes, fixup.place, &distance.to_le_bytes()),
        x86_64::PC_32
        | x86_64::PLT_32
        | x86_64::GOT_PC_32
        | x86_64::GOT_PC_32_RELAXABLE
        | x86_64::GOT_PC_32_REX => {
            let distance = i32::try_from(distance).map_err(|_| FixupError::OutOfRange)?;
            write(bytes, fixup.place, &distance.to_le_bytes())
        }
        x86_64::ABSOLUTE_32 => {
            let target = u32::try_from(target).map_err(|_| FixupError::OutOfRange)?;
            write(bytes, fixup.place, &target.to_le_bytes())
        }
        x86_64::ABSOLUTE_32_SIGNED => {
            let target = i32::try_from(target.cast_signed()).map_err(|_| FixupError::OutOfRange)?;
            write(bytes, fixup.place, &target.to_le_bytes())
        }
        kind => Err(FixupError::UnknownKind(kind)),
    }
}

/// Applies an AArch64 relocation to an image that will stand at `base`.
pub fn apply_aarch64(bytes: &mut [u8], base: u64, fixup: Fixup) -> Result<(), FixupError> {
    let target = base.wrapping_add(fixup.target as u64).wrapping_add(fixup.addend.cast_unsigned());
    let place = base.wrapping_add(fixup.place as u64);
    let distance = target.wrapping_sub(place).cast_signed();
    let low = |shift: u32| ((target & 0xfff) >> shift) << 10;
    match fixup.kind {
        aarch64::ABSOLUTE_64 => write(bytes, fixup.place, &target.to_le_bytes()),
        aarch64::PC_32 => {
            let distance = i32::try_from(distance).map_err(|_| FixupError::OutOfRange)?;
            write(bytes, fixup.place, &distance.to_le_bytes())
        }
        aarch64::CALL_26 | aarch64::JUMP_26 => {
            if distance & 3 != 0 || !(-(1 << 27)..1 << 27).contains(&distance) {
                return Err(FixupError::OutOfRange);
            }
            patch(bytes, fixup.place, 0x03ff_ffff, (distance >> 2).cast_unsigned() as u32)
        }
        aarch64::PAGE_21 => {
            let pages = ((target & !0xfff).wrapping_sub(place & !0xfff)).cast_signed() >> 12;
            if !(-(1 << 20)..1 << 20).contains(&pages) {
                return Err(FixupError::OutOfRange);
            }
            let pages = pages.cast_unsigned() as u32;
            let field = ((pages & 3) << 29) | (((pages >> 2) & 0x7_ffff) << 5);
            patch(bytes, fixup.place, 0x60ff_ffe0, field)
        }
        aarch64::ADD_LOW_12 | aarch64::LOAD_8_LOW_12 => patch_low(bytes, fixup.place, low(0)),
        aarch64::LOAD_16_LOW_12 => patch_low(bytes, fixup.place, low(1)),
        aarch64::LOAD_32_LOW_12 => patch_low(bytes, fixup.place, low(2)),
        aarch64::LOAD_64_LOW_12 => patch_low(bytes, fixup.place, low(3)),
        aarch64::LOAD_128_LOW_12 => patch_low(bytes, fixup.place, low(4)),
        kind => Err(FixupError::UnknownKind(kind)),
    }
}

fn patch_low(bytes: &mut [u8], place: usize, field: u64) -> Result<(), FixupError> {
    patch(bytes, place, 0xfff << 10, field as u32)
}

/// Replaces a field of a 32-bit instruction.
fn patch(bytes: &mut [u8], place: usize, mask: u32, field: u32) -> Result<(), FixupError> {
    let end = place.checked_add(4).ok_or(FixupError::OutsideImage)?;
    let old = bytes.get(place..end).ok_or(FixupError::OutsideImage)?;
    let mut word = [0; 4];
    word.copy_from_slice(old);
    let word = (u32::from_le_bytes(word) & !mask) | (field & mask);
    write(bytes, place, &word.to_le_bytes())
}

fn write(bytes: &mut [u8], place: usize, new: &[u8]) -> Result<(), FixupError> {
    let end = place.checked_add(new.len()).ok_or(FixupError::OutsideImage)?;
    let field = bytes.get_mut(place..end).ok_or(FixupError::OutsideImage)?;
    field.copy_from_slice(new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixup(kind: u32, target: usize, addend: i64) -> Fixup {
        Fixup { place: 4, kind, target, addend }
    }

    #[test]
    fn a_relative_call_measures_from_its_own_place() {
        let mut bytes = [0; 16];
        apply_x86_64(&mut bytes, 0x1000, fixup(x86_64::PLT_32, 12, -4)).expect("in range");
        assert_eq!(bytes[4..8], 4_i32.to_le_bytes());
    }

    #[test]
    fn an_absolute_32_bit_address_must_fit() {
        let mut bytes = [0; 16];
        let result = apply_x86_64(&mut bytes, 1 << 40, fixup(x86_64::ABSOLUTE_32, 0, 0));
        assert_eq!(result, Err(FixupError::OutOfRange));
    }

    #[test]
    fn a_place_past_the_end_is_an_error() {
        let mut bytes = [0; 7];
        let result = apply_x86_64(&mut bytes, 0, fixup(x86_64::PC_32, 0, 0));
        assert_eq!(result, Err(FixupError::OutsideImage));
        let result = apply_aarch64(&mut bytes, 0, fixup(aarch64::CALL_26, 0, 0));
        assert_eq!(result, Err(FixupError::OutsideImage));
    }

    #[test]
    fn an_arm_call_keeps_its_opcode() {
        let mut bytes = [0; 8];
        bytes[4..8].copy_from_slice(&0x9400_0000_u32.to_le_bytes());
        apply_aarch64(&mut bytes, 0x4000, fixup(aarch64::CALL_26, 0, 0)).expect("in range");
        assert_eq!(bytes[4..8], 0x97ff_ffff_u32.to_le_bytes());
    }

    #[test]
    fn an_arm_page_address_splits_its_field() {
        let mut bytes = [0; 8];
        bytes[4..8].copy_from_slice(&0x9000_0000_u32.to_le_bytes());
        apply_aarch64(&mut bytes, 0, fixup(aarch64::PAGE_21, 0x5123, 0)).expect("in range");
        assert_eq!(bytes[4..8], (0x9000_0000_u32 | (1 << 29) | (1 << 5)).to_le_bytes());
    }
}
