//! What passes may know about the machine they compile for: plain data, handed in by the driver.
//! Facts steer schedules only; no fact may change a result.

/// Facts about a target. Everything is a number, so that a cache key can hold it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TargetFacts {
    /// Bytes of the widest vector register worth using; 0: none (GPU threads are scalar).
    pub vector_bytes: u32,
    /// How many vector registers there are.
    pub vector_registers: u32,
    /// Bytes of first-level data cache per core.
    pub l1_bytes: u64,
    /// Bytes of second-level cache per core.
    pub l2_bytes: u64,
    /// Bytes of the last-level cache that one core may count on; 0: unknown, or no store goes past it.
    pub last_level_bytes: u64,
    /// Cores that may work on one call; 1 keeps everything serial.
    pub cores: u32,
    /// Whether loads and stores of some lanes are as fast as of all.
    pub masks: bool,
    /// Whether `fma` is one instruction.
    pub has_fma: bool,
    /// Whether outer parallel loops become a GPU grid.
    pub grid: bool,
    /// Whether short code counts for more than the last percent of its speed: no body is written twice for
    /// the sake of a constant trip count, and what seldom runs stays scalar.
    pub compact: bool,
}

impl Default for TargetFacts {
    /// A CPU nobody knows anything about: 128-bit vectors, 16 registers, small caches, FMA assumed slow.
    fn default() -> TargetFacts {
        TargetFacts {
            vector_bytes: 16,
            vector_registers: 16,
            l1_bytes: 32 << 10,
            l2_bytes: 512 << 10,
            last_level_bytes: 0,
            cores: 1,
            masks: false,
            has_fma: false,
            grid: false,
            compact: false,
        }
    }
}

impl TargetFacts {
    /// How many elements of so many bytes fit into a vector, if it is worth having.
    pub fn lanes(&self, bytes: u32) -> Option<u16> {
        let lanes = (self.vector_bytes / bytes).min(64) as u16;
        (lanes >= 2 && !self.grid).then_some(lanes)
    }

    /// A CPU with vectors of 64 bytes and masks; all of these have a second cache of a megabyte or more.
    pub fn wide() -> TargetFacts {
        TargetFacts {
            l2_bytes: 1 << 20,
            vector_bytes: 64,
            vector_registers: 32,
            masks: true,
            has_fma: true,
            ..TargetFacts::default()
        }
    }

    /// A GPU: one thread per iteration of the outer parallel loops.
    pub fn gpu() -> TargetFacts {
        TargetFacts {
            vector_bytes: 0,
            vector_registers: 0,
            has_fma: true,
            grid: true,
            ..TargetFacts::default()
        }
    }
}
