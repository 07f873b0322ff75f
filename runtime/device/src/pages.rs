//! Memory straight from the operating system: zero at first, and from 2 MiB on in huge pages where the system has some
//! (it takes one fault for 2 MiB instead of 512). Blocks begin at different places of their first page: a processor
//! compares the addresses of a load and of the stores before it by their last twelve bits first, and a step from
//! one array to another that begins alike waits for itself at each element.

use memmap2::MmapMut;

/// Alignment from which on the system may use one page for all of it.
const HUGE_PAGE: usize = 2 << 20;
/// Every block begins so much further into a page than the one before: 17 lines, which leads to all of them.
const STAGGER: usize = 17 * 64;
const PAGE: usize = 4096;

/// Pages that nobody else has.
pub(crate) struct Pages {
    map: MmapMut,
    /// Bytes before the first aligned one.
    skip: usize,
    /// Bytes from there to the first that is used.
    stagger: usize,
    bytes: usize,
}

impl Pages {
    /// New pages, or `None` when there are not so many. `turn` says how many there were before.
    pub(crate) fn map(bytes: usize, turn: u64) -> Option<Pages> {
        let slack = if bytes >= HUGE_PAGE { HUGE_PAGE } else { 0 };
        let stagger = (turn % 64) as usize * STAGGER % PAGE;
        let map = MmapMut::map_anon(bytes.checked_add(slack)?.checked_add(stagger)?).ok()?;
        let skip = if slack == 0 { 0 } else { (map.as_ptr() as usize).wrapping_neg() % HUGE_PAGE };
        let pages = Pages { map, skip, stagger, bytes };
        pages.ask_for_huge_pages();
        Some(pages)
    }

    /// Whether the system follows is its own affair: nothing but time depends on it.
    #[cfg(target_os = "linux")]
    fn ask_for_huge_pages(&self) {
        let whole = (self.stagger + self.bytes) / HUGE_PAGE * HUGE_PAGE;
        if whole > 0 {
            let _refused = self.map.advise_range(memmap2::Advice::HugePage, self.skip, whole);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn ask_for_huge_pages(&self) {}

    /// The address of the first byte.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.map.as_ptr().cast_mut().wrapping_add(self.skip + self.stagger)
    }

    /// How many bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_blocks_start_where_a_huge_page_can() {
        for (turn, bytes) in [1 << 16, HUGE_PAGE - 4096, HUGE_PAGE, HUGE_PAGE + 4096, 9 * HUGE_PAGE + 12288]
            .into_iter()
            .enumerate()
        {
            let pages = Pages::map(bytes, turn as u64).expect("memory");
            let align = if bytes >= HUGE_PAGE { HUGE_PAGE } else { 4096 };
            assert_eq!(pages.as_ptr() as usize % align, turn * STAGGER % PAGE, "{bytes}");
            assert!(pages.skip + pages.stagger + bytes <= pages.map.len(), "{bytes}");
        }
        assert!(Pages::map(usize::MAX - 5, 0).is_none());
        assert!(Pages::map(1 << 60, 0).is_none());
    }

    #[test]
    fn blocks_one_after_the_other_begin_at_different_places_of_a_page() {
        let starts: std::collections::BTreeSet<usize> =
            (0..64).map(|turn| Pages::map(PAGE, turn).expect("memory").as_ptr() as usize % PAGE).collect();
        assert_eq!(starts.len(), 64);
        assert!(starts.iter().all(|start| start % 64 == 0), "lines stay whole");
    }
}
