//! Blocks that were freed and wait for the next result or temporary of about their size: new pages cost more
//! than most kernels that fill them. How much may wait is bounded; what waited longest goes first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::pages::Pages;

/// Smaller blocks are left to the allocator of the process, which keeps them too.
pub(crate) const POOL_FROM: usize = 256 << 10;

/// Sizes between a power of two and the next: a block is at most an eighth larger than what was asked for.
const CLASSES_PER_DOUBLING: usize = 8;

/// What a block holds when it is handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Contents {
    /// Zeros.
    Zero,
    /// What its last owner left.
    Anything,
}

/// Numbers about a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PoolStats {
    /// Bytes handed out and not given back.
    pub live: u64,
    /// Bytes that wait.
    pub kept: u64,
    /// How often new pages were needed.
    pub mapped: u64,
    /// How often a block that waited was taken.
    pub reused: u64,
}

/// A bounded store of free blocks, for any number of threads.
#[derive(Debug)]
pub struct Pool {
    bound: u64,
    shelf: Mutex<Shelf>,
}

/// The blocks of each size, longest waiting first, each with the number of its return.
#[derive(Default)]
struct Shelf {
    classes: BTreeMap<usize, VecDeque<(u64, Pages)>>,
    returns: u64,
    stats: PoolStats,
}

impl Pool {
    /// A pool in which at most so many bytes wait.
    pub fn new(bound: u64) -> Pool {
        Pool { bound, shelf: Mutex::default() }
    }

    /// What may wait at most, in bytes.
    pub fn bound(&self) -> u64 {
        self.bound
    }

    /// How it stands.
    pub fn stats(&self) -> PoolStats {
        self.shelf().stats
    }

    /// Gives everything that waits back to the system.
    pub fn clear(&self) {
        let mut shelf = self.shelf();
        let classes = std::mem::take(&mut shelf.classes);
        shelf.stats.kept = 0;
        drop(shelf);
        drop(classes);
    }

    /// A block of at least so many bytes, or `None` when the system has no more.
    pub(crate) fn take(&self, bytes: usize) -> Option<(Pages, Contents)> {
        let class = size_class(bytes)?;
        if let Some(pages) = self.shelf().reuse(class) {
            return Some((pages, Contents::Anything));
        }
        // The system is asked without the lock. What waits may be just what it lacks.
        let turn = self.shelf().stats.mapped;
        let pages = Pages::map(class, turn).or_else(|| {
            self.clear();
            Pages::map(class, turn)
        })?;
        let mut shelf = self.shelf();
        shelf.stats.live += class as u64;
        shelf.stats.mapped += 1;
        Some((pages, Contents::Zero))
    }

    /// Takes back what `take` gave.
    pub(crate) fn give_back(&self, pages: Pages) {
        let mut shelf = self.shelf();
        shelf.stats.live -= pages.bytes() as u64;
        let too_many = shelf.keep(pages, self.bound);
        drop(shelf);
        // To the system, without the lock.
        drop(too_many);
    }

    /// Nothing panics while it holds the lock, so what it protects is always whole.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// The block of this size that came back last: the caches know it best.
    fn reuse(&mut self, class: usize) -> Option<Pages> {
        let waiting = self.classes.get_mut(&class)?;
        let (_, pages) = waiting.pop_back()?;
        if waiting.is_empty() {
            self.classes.remove(&class);
        }
        self.stats.kept -= class as u64;
        self.stats.live += class as u64;
        self.stats.reused += 1;
        Some(pages)
    }

    /// Puts a block away; returns what has to go for it.
    fn keep(&mut self, pages: Pages, bound: u64) -> Vec<Pages> {
        let class = pages.bytes();
        if class as u64 > bound {
            return vec![pages];
        }
        self.returns += 1;
        self.classes.entry(class).or_default().push_back((self.returns, pages));
        self.stats.kept += class as u64;
        let mut gone = Vec::new();
        while self.stats.kept > bound
            && let Some(pages) = self.remove_oldest()
        {
            gone.push(pages);
        }
        gone
    }

    fn remove_oldest(&mut self) -> Option<Pages> {
        let since = |waiting: &VecDeque<(u64, Pages)>| waiting.front().map_or(u64::MAX, |(turn, _)| *turn);
        let class = *self.classes.iter().min_by_key(|(_, waiting)| since(waiting))?.0;
        let waiting = self.classes.get_mut(&class)?;
        let (_, pages) = waiting.pop_front()?;
        if waiting.is_empty() {
            self.classes.remove(&class);
        }
        self.stats.kept -= class as u64;
        Some(pages)
    }
}

/// The size of the block for so many bytes.
fn size_class(bytes: usize) -> Option<usize> {
    let bytes = bytes.max(POOL_FROM);
    let step = (1 << bytes.ilog2()) / CLASSES_PER_DOUBLING;
    bytes.checked_next_multiple_of(step)
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.stats.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn take(pool: &Pool, bytes: usize) -> Pages {
        pool.take(bytes).expect("memory").0
    }

    #[test]
    fn classes_waste_at_most_an_eighth() {
        for bytes in [1, POOL_FROM, POOL_FROM + 1, MIB - 1, MIB, 3 * MIB + 5, 64 * MIB, 64 * MIB + 4] {
            let class = size_class(bytes).expect("a size");
            assert!(class >= bytes.max(POOL_FROM) && class.is_multiple_of(4096), "{bytes}: {class}");
            assert!(class - bytes.max(POOL_FROM) <= bytes.max(POOL_FROM) / 8, "{bytes}: {class}");
            assert_eq!(size_class(class), Some(class));
        }
        assert_eq!(size_class(64 * MIB), Some(64 * MIB));
        assert_eq!(size_class(usize::MAX), None);
    }

    #[test]
    fn a_block_that_came_back_is_taken_again() {
        let pool = Pool::new(64 * MIB as u64);
        let first = take(&pool, 3 * MIB);
        let address = first.as_ptr();
        pool.give_back(first);
        let (again, contents) = pool.take(3 * MIB - 100).expect("memory");
        assert_eq!((again.as_ptr(), contents), (address, Contents::Anything));
        assert_eq!(pool.take(3 * MIB).expect("memory").1, Contents::Zero, "the first one is taken");
        assert_eq!((pool.stats().mapped, pool.stats().reused), (2, 1));
    }

    #[test]
    fn the_bound_holds_and_what_waited_longest_goes() {
        let pool = Pool::new(4 * MIB as u64);
        let blocks: Vec<Pages> = [1, 1, 2, 2].map(|mib| take(&pool, mib * MIB)).into();
        assert_eq!((pool.stats().live, pool.stats().kept), (6 * MIB as u64, 0));
        for block in blocks {
            pool.give_back(block);
            assert!(pool.stats().kept <= pool.bound());
        }
        assert_eq!((pool.stats().live, pool.stats().kept), (0, 4 * MIB as u64));
        assert_eq!(pool.take(MIB).expect("memory").1, Contents::Zero, "both small ones had to go");
        assert_eq!(pool.take(2 * MIB).expect("memory").1, Contents::Anything);
        // More than the bound does not push out the rest.
        let large = take(&pool, 5 * MIB);
        let kept = pool.stats().kept;
        pool.give_back(large);
        assert_eq!(pool.stats().kept, kept);
        pool.clear();
        assert_eq!(pool.stats().kept, 0);
    }

    #[test]
    fn a_bound_of_nothing_keeps_nothing() {
        let pool = Pool::new(0);
        pool.give_back(take(&pool, MIB));
        assert_eq!(pool.stats(), PoolStats { live: 0, kept: 0, mapped: 1, reused: 0 });
    }

    #[test]
    fn threads_never_share_a_block() {
        let pool = Pool::new(8 * MIB as u64);
        let in_use = Mutex::new(std::collections::BTreeSet::new());
        let turns = &|thread: usize| {
            for turn in 0..200 {
                let block = take(&pool, POOL_FROM << ((turn + thread) % 3));
                let address = block.as_ptr() as usize;
                assert!(in_use.lock().unwrap().insert(address), "handed out twice");
                std::thread::yield_now();
                assert!(in_use.lock().unwrap().remove(&address));
                pool.give_back(block);
            }
        };
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || turns(thread));
            }
        });
        assert_eq!(pool.stats().live, 0);
        assert_eq!(pool.stats().mapped + pool.stats().reused, 800);
    }
}
