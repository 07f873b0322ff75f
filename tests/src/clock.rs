//! Time for tests that bound it: that of this thread on a processor, so that a busy machine fails no test.

use std::time::{Duration, Instant};

/// Started now.
pub struct Clock {
    wall: Instant,
    cpu: Option<Duration>,
}

impl Clock {
    /// Starts.
    pub fn start() -> Clock {
        Clock { wall: Instant::now(), cpu: thread_time() }
    }

    /// Time of this thread since the start; where the system does not say, time on the wall.
    pub fn elapsed(&self) -> Duration {
        match (self.cpu, thread_time()) {
            (Some(start), Some(now)) => now.saturating_sub(start),
            (Some(_) | None, _) => self.wall.elapsed(),
        }
    }
}

/// Linux: the first number is nanoseconds on a processor.
fn thread_time() -> Option<Duration> {
    #[expect(clippy::disallowed_methods, reason = "a clock of this test program")]
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_no_work() {
        let clock = Clock::start();
        std::thread::sleep(Duration::from_millis(50));
        assert!(clock.cpu.is_none() || clock.elapsed() < Duration::from_millis(40));
    }
}
