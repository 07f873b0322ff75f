//! Memory straight from the operating system: zero at first, on a page boundary, and from 2 MiB on in huge
//! pages where the system has some (it takes one fault for 2 MiB instead of 512).

use memmap2::MmapMut;

/// Alignment from which on the system may use one page for all of it.
const HUGE_PAGE: usize = 2 << 20;

/// Pages that nobody else has.
pub(crate) struct Pages {
    map: MmapMut,
    /// Bytes before the first aligned one.
    skip: usize,
    bytes: usize,
}

impl Pages {
    /// New pages, or `None` when there are not so many.
    pub(crate) fn map(bytes: usize) -> Option<Pages> {
        let slack = if bytes >= HUGE_PAGE { HUGE_PAGE } else { 0 };
        let map = MmapMut::map_anon(bytes.checked_add(slack)?).ok()?;
        let skip = if slack == 0 { 0 } else { (map.as_ptr() as usize).wrapping_neg() % HUGE_PAGE };
        let pages = Pages { map, skip, bytes };
        pages.ask_for_huge_pages();
        Some(pages)
    }

    /// Whether the system follows is its own affair: nothing but time depends on it.
    #[cfg(target_os = "linux")]
    fn ask_for_huge_pages(&self) {
        let whole = self.bytes / HUGE_PAGE * HUGE_PAGE;
        if whole > 0 {
            let _refused = self.map.advise_range(memmap2::Advice::HugePage, self.skip, whole);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn ask_for_huge_pages(&self) {}

    /// The address of the first byte.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.map.as_ptr().cast_mut().wrapping_add(self.skip)
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
        for bytes in [1 << 16, HUGE_PAGE - 4096, HUGE_PAGE, HUGE_PAGE + 4096, 9 * HUGE_PAGE + 12288] {
            let pages = Pages::map(bytes).expect("memory");
            let align = if bytes >= HUGE_PAGE { HUGE_PAGE } else { 4096 };
            assert_eq!(pages.as_ptr() as usize % align, 0, "{bytes}");
            assert!(pages.skip + bytes <= pages.map.len(), "{bytes}");
        }
        assert!(Pages::map(usize::MAX - 5).is_none());
        assert!(Pages::map(1 << 60).is_none());
    }
}
