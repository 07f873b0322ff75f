//! Runs parallel loops on a pool of threads. The caller works too: it offers chunks of the loop to the
//! pool, takes chunks itself until none is left, and waits only for threads that are inside one. So a
//! pool that is busy with other things costs nothing but speed, and calls from several threads of the
//! host, or from within its pool, share its threads. Which thread runs what never shows in a result.
#![allow(unsafe_code, reason = "calls compiled code on other threads")]

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};
use we3_backend_api::{BodyFunction, CallContext, STATUS_CHECK_FAILED, STATUS_OK};

use crate::float_environment::DefaultFloats;

/// Chunks that each thread takes on average, so that slow ones do not hold up the rest.
const CHUNKS_PER_THREAD: u64 = 8;
/// Chunks of more iterations than this are a multiple of `WHOLE_LINES` long, so that threads seldom write
/// to the same cache line.
const LONG_CHUNK: u64 = 256;
const WHOLE_LINES: u64 = 64;
/// Rounds of looking whether the others are done before the caller sleeps: some microseconds.
const PATIENCE: u32 = 4000;
/// With `disorder`, a loop has at most about so many chunks.
const DISORDERED_CHUNKS: u64 = 4096;

/// How a call may use threads. The default: those of the pool it is called from, or of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Threads {
    /// At most so many, the caller among them.
    pub count: Option<NonZeroUsize>,
    /// For tests: every parallel loop goes to the pool, however small, in chunks of few iterations whose
    /// length and order come from this number.
    pub disorder: Option<u64>,
}

impl Threads {
    /// Only the caller's.
    pub const ONE: Threads = Threads { count: NonZeroUsize::new(1), disorder: None };

    /// So many, and loops torn apart.
    pub fn disordered(count: usize, seed: u64) -> Threads {
        Threads { count: NonZeroUsize::new(count), disorder: Some(seed) }
    }

    /// From how much work on a loop is handed to `parallel`.
    pub(crate) fn parallel_from(self, usual: u64) -> u64 {
        match (self.disorder, self.count) {
            (Some(_), _) => 0,
            (None, Some(count)) if count.get() == 1 => u64::MAX,
            (None, _) => usual,
        }
    }

    /// The pool and the number of threads that work, the caller's among them.
    fn pool(self) -> (Pool, usize) {
        match self.count.map(NonZeroUsize::get) {
            Some(1) => (Pool::Shared, 1),
            Some(count) => match own_pool(count - 1) {
                Some(pool) => (Pool::Own(pool), count),
                None => (Pool::Shared, 1),
            },
            None if shared_pool_works() => (Pool::Shared, rayon::current_num_threads()),
            None => (Pool::Shared, 1),
        }
    }
}

enum Pool {
    /// The one this thread belongs to, or else the process's.
    Shared,
    /// One of ours.
    Own(Arc<ThreadPool>),
}

impl Pool {
    fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        match self {
            Pool::Shared => rayon::spawn(job),
            Pool::Own(pool) => pool.spawn(job),
        }
    }
}

/// Pools of a wanted size, by number of threads: made once, as threads are.
fn own_pool(threads: usize) -> Option<Arc<ThreadPool>> {
    static POOLS: Mutex<BTreeMap<usize, Arc<ThreadPool>>> = Mutex::new(BTreeMap::new());
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&threads) {
        return Some(Arc::clone(pool));
    }
    let named = |number| format!("we3 {number}");
    let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(named).build().ok()?;
    let pool = Arc::new(pool);
    pools.insert(threads, Arc::clone(&pool));
    Some(pool)
}

/// Whether the process has a pool; it is made when it is first needed and the host has made none. (Asking
/// `rayon` for a pool that cannot be made panics.)
fn shared_pool_works() -> bool {
    static WORKS: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    let make = || match ThreadPoolBuilder::new().build_global() {
        Ok(()) => true,
        // Without a cause below it, the error is that there is one already.
        Err(error) => std::error::Error::source(&error).is_none(),
    };
    rayon::current_thread_index().is_some() || *WORKS.get_or_init(make)
}

/// A parallel loop under way.
pub(crate) struct Loop {
    context: *mut CallContext,
    body: BodyFunction,
    environment: *const u8,
    lo: i64,
    hi: i64,
}

// SAFETY: the context is made to be used from several threads (`abi.rs`), the environment is only read.
unsafe impl Send for Loop {}
// SAFETY: as above.
unsafe impl Sync for Loop {}

impl Loop {
    /// A loop from `lo` to `hi − 1`.
    ///
    /// # Safety
    /// `body` may be called with `context`, `environment` and any part of the range, from any thread, as
    /// long as `run` has not returned.
    pub(crate) unsafe fn new(
        context: *mut CallContext,
        body: BodyFunction,
        environment: *const u8,
        lo: i64,
        hi: i64,
    ) -> Loop {
        Loop { context, body, environment, lo, hi }
    }

    /// Runs it all; returns the status.
    pub(crate) fn run(self, grain: i64, threads: Threads) -> i32 {
        if self.lo >= self.hi {
            return STATUS_OK;
        }
        let (pool, n_threads) = threads.pool();
        let iterations = self.hi.wrapping_sub(self.lo).cast_unsigned();
        let chunks = match threads.disorder {
            Some(seed) => Chunks::disordered(iterations, seed),
            None => Chunks::even(iterations, grain.max(1).unsigned_abs(), n_threads as u64),
        };
        if chunks.count <= 1 || (n_threads == 1 && threads.disorder.is_none()) {
            return self.call(self.lo, self.hi);
        }
        let helpers = (n_threads - 1).min(usize::try_from(chunks.count - 1).unwrap_or(usize::MAX));
        let task = Arc::new(Task::new(self, chunks));
        for _ in 0..helpers {
            let task = Arc::clone(&task);
            pool.spawn(move || task.help());
        }
        task.work();
        task.close()
    }

    fn call(&self, lo: i64, hi: i64) -> i32 {
        // SAFETY: `run` has not returned (helpers are counted in and out), the range is part of the loop's.
        unsafe { (self.body)(self.context, self.environment, lo, hi) }
    }
}

/// How a loop is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Chunks {
    iterations: u64,
    /// Iterations of a chunk; the last has what is left.
    length: u64,
    count: u64,
    /// Chunk number `k` in order of start is `(first + k · stride) mod count`.
    first: u64,
    stride: u64,
}

impl Chunks {
    fn of_length(iterations: u64, length: u64) -> Chunks {
        Chunks { iterations, length, count: iterations.div_ceil(length), first: 0, stride: 1 }
    }

    fn even(iterations: u64, grain: u64, threads: u64) -> Chunks {
        let share = iterations.div_ceil(threads.max(1).saturating_mul(CHUNKS_PER_THREAD));
        let length = share.max(grain).min(iterations);
        let length =
            if length > LONG_CHUNK { length.next_multiple_of(WHOLE_LINES).min(iterations) } else { length };
        Chunks::of_length(iterations, length)
    }

    fn disordered(iterations: u64, seed: u64) -> Chunks {
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ seed;
        let length = (1 + random % 5).max(iterations.div_ceil(DISORDERED_CHUNKS));
        let chunks = Chunks::of_length(iterations, length);
        let start = 1 + (random >> 8) % chunks.count;
        let stride = (start..).find(|stride| coprime(*stride, chunks.count)).unwrap_or(1) % chunks.count;
        Chunks { first: (random >> 32) % chunks.count, stride: stride.max(1), ..chunks }
    }

    /// The iterations, from 0, of the chunk that starts as number `number`.
    fn range(&self, number: u64) -> (u64, u64) {
        let at =
            (u128::from(self.first) + u128::from(number) * u128::from(self.stride)) % u128::from(self.count);
        let start = at as u64 * self.length;
        (start, start.saturating_add(self.length).min(self.iterations))
    }
}

fn coprime(mut a: u64, mut b: u64) -> bool {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

/// Set in `Task::inside` when the loop is over and nobody may enter any more.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// A loop that several threads work on.
struct Task {
    whole: Loop,
    chunks: Chunks,
    /// The next chunk to be taken.
    next: AtomicU64,
    /// A check has failed: nothing can change the status any more.
    decided: AtomicBool,
    /// The least status other than 0 so far, if any.
    status: AtomicI32,
    /// How many helpers work on it, and whether it is closed.
    inside: AtomicUsize,
    /// Held by a helper that says that it was the last, and by the caller who waits for that.
    door: Mutex<()>,
    left: Condvar,
}

impl Task {
    fn new(whole: Loop, chunks: Chunks) -> Task {
        Task {
            whole,
            chunks,
            next: AtomicU64::new(0),
            decided: AtomicBool::new(false),
            status: AtomicI32::new(STATUS_OK),
            inside: AtomicUsize::new(0),
            door: Mutex::new(()),
            left: Condvar::new(),
        }
    }

    /// What a thread of the pool does.
    fn help(&self) {
        if !self.enter() {
            return;
        }
        let floats = DefaultFloats::set();
        self.work();
        drop(floats);
        self.leave();
    }

    /// Takes chunks until there are none.
    fn work(&self) {
        while !self.decided.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.chunks.count {
                return;
            }
            let (start, end) = self.chunks.range(number);
            let lo = self.whole.lo.wrapping_add(start.cast_signed());
            let hi = self.whole.lo.wrapping_add(end.cast_signed());
            let status = self.whole.call(lo, hi);
            if status != STATUS_OK {
                self.note(status);
            }
        }
    }

    /// The least status stands, whoever comes first. A failed check is the least of all, so then the rest
    /// may be left out; after any other, a check may still fail.
    fn note(&self, status: i32) {
        let lesser = |so_far: i32| (so_far == STATUS_OK || status < so_far).then_some(status);
        let _ = self.status.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lesser);
        if status == STATUS_CHECK_FAILED {
            self.decided.store(true, Ordering::Relaxed);
        }
    }

    fn enter(&self) -> bool {
        let one_more = |inside: usize| (inside & CLOSED == 0).then_some(inside + 1);
        self.inside.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more).is_ok()
    }

    fn leave(&self) {
        // Release: what this thread has written is there for the caller.
        if self.inside.fetch_sub(1, Ordering::AcqRel) == CLOSED + 1 {
            let _door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
            self.left.notify_one();
        }
    }

    /// Lets nobody in any more, and waits for those inside.
    fn close(&self) -> i32 {
        let mut inside = self.inside.fetch_or(CLOSED, Ordering::AcqRel) | CLOSED;
        let mut rounds = 0;
        while inside != CLOSED && rounds < PATIENCE {
            std::hint::spin_loop();
            rounds += 1;
            inside = self.inside.load(Ordering::Acquire);
        }
        if inside != CLOSED {
            let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
            while self.inside.load(Ordering::Acquire) != CLOSED {
                door = self.left.wait(door).unwrap_or_else(PoisonError::into_inner);
            }
        }
        self.status.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use we3_backend_api::STATUS_OUT_OF_MEMORY;

    /// Counts how often each iteration runs; iterations at `fails` give that status.
    struct Tally {
        ran: Vec<AtomicUsize>,
        fails: Vec<(i64, i32)>,
        /// Calls that have begun.
        calls: AtomicUsize,
        /// The first calls wait for so many, so that several threads are there.
        together: usize,
    }

    unsafe extern "C" fn body(_: *mut CallContext, environment: *const u8, lo: i64, hi: i64) -> i32 {
        // SAFETY: `run` below passes a tally.
        let tally = unsafe { &*environment.cast::<Tally>() };
        tally.calls.fetch_add(1, Ordering::SeqCst);
        while tally.calls.load(Ordering::SeqCst) < tally.together {
            std::thread::yield_now();
        }
        for iteration in lo..hi {
            tally.ran[iteration as usize].fetch_add(1, Ordering::Relaxed);
            if let Some((_, status)) = tally.fails.iter().find(|(at, _)| *at == iteration) {
                return *status;
            }
        }
        STATUS_OK
    }

    fn run(tally: &Tally, grain: i64, threads: Threads) -> i32 {
        let environment = std::ptr::from_ref(tally).cast();
        // SAFETY: the body touches nothing but the tally, whose fields may be shared.
        unsafe { Loop::new(std::ptr::null_mut(), body, environment, 0, tally.ran.len() as i64) }
            .run(grain, threads)
    }

    fn tally(iterations: usize) -> Tally {
        let ran = (0..iterations).map(|_| AtomicUsize::new(0)).collect();
        Tally { ran, fails: Vec::new(), calls: AtomicUsize::new(0), together: 0 }
    }

    fn ways() -> Vec<Threads> {
        let mut ways: Vec<Threads> = (0..20).map(|seed| Threads::disordered(4, seed)).collect();
        ways.extend((1..6).map(|count| Threads { count: NonZeroUsize::new(count), disorder: None }));
        ways.push(Threads::default());
        ways
    }

    #[test]
    fn every_iteration_runs_once() {
        for iterations in [0, 1, 2, 7, 64, 1000, 5000] {
            for threads in ways() {
                let tally = tally(iterations);
                assert_eq!(run(&tally, 3, threads), STATUS_OK);
                assert!(tally.ran.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{threads:?}");
            }
        }
    }

    #[test]
    fn chunks_cover_a_range_once_and_are_not_shorter_than_the_grain() {
        for (iterations, grain, threads) in [(1, 1, 64), (100, 7, 2), (100_000, 1, 3), (u64::MAX / 2, 1, 2)] {
            let chunks = Chunks::even(iterations, grain, threads);
            let mut next = 0;
            for number in 0..chunks.count {
                let (start, end) = chunks.range(number);
                assert_eq!(start, next);
                assert!(end - start >= grain || end == iterations);
                next = end;
            }
            assert_eq!(next, iterations);
        }
    }

    #[test]
    fn several_threads_work_at_once() {
        let tally = Tally { together: 3, ..tally(1000) };
        // Would not return if one thread took one chunk after the other.
        assert_eq!(run(&tally, 1, Threads { count: NonZeroUsize::new(3), disorder: None }), STATUS_OK);
    }

    #[test]
    fn a_failed_check_wins_over_missing_memory_whoever_is_first() {
        for seed in 0..200 {
            let fails =
                vec![(10, STATUS_OUT_OF_MEMORY), (900, STATUS_CHECK_FAILED), (950, STATUS_OUT_OF_MEMORY)];
            let failing = Tally { fails, ..tally(1000) };
            assert_eq!(run(&failing, 1, Threads::disordered(4, seed)), STATUS_CHECK_FAILED);
            let fails = vec![(seed as i64, STATUS_OUT_OF_MEMORY)];
            let failing = Tally { fails, ..tally(1000) };
            assert_eq!(run(&failing, 1, Threads::disordered(4, seed)), STATUS_OUT_OF_MEMORY);
        }
    }

    #[test]
    fn calls_from_many_threads_and_from_inside_a_pool_share_it() {
        let once = |seed: u64| {
            let threads =
                if seed.is_multiple_of(2) { Threads::disordered(3, seed) } else { Threads::default() };
            let tally = tally(500);
            assert_eq!(run(&tally, 1, threads), STATUS_OK);
            assert!(tally.ran.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        };
        std::thread::scope(|scope| {
            for thread in 0..8 {
                scope.spawn(move || (0..100).for_each(|call| once(8 * call + thread)));
            }
        });
        rayon::scope(|scope| (0..100).for_each(|call| scope.spawn(move |_| once(call))));
    }
}
