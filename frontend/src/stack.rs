//! Sources may nest deeper than the stack of whoever calls has room for; here a step gets a stack of its own.

use std::thread;

/// Enough for the deepest tree the parser lets through, checked and emitted by an unoptimised build. Only
/// what is used of it is ever given by the system.
const STACK: usize = 128 << 20;

/// Runs `work` on a thread with a large stack, or right here if there can be no thread.
pub fn on_large_stack<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let mut work = Some(work);
    let done = thread::scope(|scope| {
        let run = || work.take().map(|work| work());
        let worker = thread::Builder::new().name(String::from("we3 frontend")).stack_size(STACK);
        match worker.spawn_scoped(scope, run) {
            Ok(worker) => worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => None,
        }
    });
    match (done, work) {
        (Some(result), _) => result,
        (None, Some(work)) => work(),
        (None, None) => unreachable!("the work is either done or still there"),
    }
}

#[cfg(test)]
mod tests {
    use super::on_large_stack;

    fn deep(levels: u64) -> u64 {
        let frame = std::hint::black_box([levels; 64]);
        if levels == 0 { 0 } else { frame[0] - levels + 1 + deep(levels - 1) }
    }

    #[test]
    fn there_is_more_room_than_a_thread_has() {
        assert_eq!(on_large_stack(|| deep(20_000)), 20_000);
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let caught = std::panic::catch_unwind(|| on_large_stack(|| -> u8 { panic!("as it was") }));
        let text = caught.expect_err("it panics").downcast_ref::<&str>().copied();
        assert_eq!(text, Some("as it was"));
    }
}
