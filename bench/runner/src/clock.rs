//! Wall time and the process's CPU time of a piece of work.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::protocol::Ran;

fn cpu() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(tv_sec).unwrap_or(0), u32::try_from(tv_nsec).unwrap_or(0))
}

/// Does the work and says how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Ran) {
    let (cpu_start, start) = (cpu(), Instant::now());
    let value = work();
    let (wall, cpu) = (start.elapsed(), cpu().saturating_sub(cpu_start));
    (value, Ran { wall_ns: nanos(wall), cpu_ns: nanos(cpu) })
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
