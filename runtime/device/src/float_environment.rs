//! The floating-point control register around a call: kernels always run with round-to-nearest, no
//! flushing of denormals and no traps, whatever the host program has set.
#![allow(unsafe_code, reason = "reads and writes a control register")]

/// Restores the host's setting when dropped.
#[must_use]
pub struct DefaultFloats {
    saved: u64,
}

impl DefaultFloats {
    /// Saves the setting of this thread and sets the default.
    pub fn set() -> DefaultFloats {
        let saved = read();
        write(DEFAULT);
        DefaultFloats { saved }
    }
}

impl Drop for DefaultFloats {
    fn drop(&mut self) {
        write(self.saved);
    }
}

/// All exceptions masked, round to nearest, no FTZ, no DAZ.
#[cfg(target_arch = "x86_64")]
const DEFAULT: u64 = 0x1f80;

#[cfg(target_arch = "x86_64")]
fn read() -> u64 {
    let mut register = 0_u32;
    // SAFETY: stores MXCSR to the place given; every x86-64 processor has it.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut register, options(nostack)) };
    u64::from(register)
}

#[cfg(target_arch = "x86_64")]
fn write(register: u64) {
    // The upper half is never set.
    let register = register as u32;
    // SAFETY: the value was read from the register, or is its documented default.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const register, options(nostack, readonly)) };
}

/// Round to nearest, no flushing, no traps.
#[cfg(not(target_arch = "x86_64"))]
const DEFAULT: u64 = 0;

#[cfg(target_arch = "aarch64")]
fn read() -> u64 {
    let register: u64;
    // SAFETY: FPCR may be read in user mode.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) register, options(nomem, nostack)) };
    register
}

#[cfg(target_arch = "aarch64")]
fn write(register: u64) {
    // SAFETY: the value was read from the register, or is its default.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) register, options(nomem, nostack)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn read() -> u64 {
    DEFAULT
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn write(_register: u64) {}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_flushes_denormals_gets_its_setting_back() {
        let flush_to_zero = DEFAULT | 0x8040;
        let before = read();
        write(flush_to_zero);
        let guard = DefaultFloats::set();
        assert_eq!(read() & 0xffc0, DEFAULT);
        drop(guard);
        let after = read();
        write(before);
        assert_eq!(after & 0xffc0, flush_to_zero & 0xffc0);
    }
}
