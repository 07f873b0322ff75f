//! Source positions: which file, and which bytes of it. Holds no text and renders nothing.

/// The number of a source file; whoever owns the sources hands them out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// The bytes `lo..hi` of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file the bytes belong to.
    pub file: FileId,
    /// The first byte.
    pub lo: u32,
    /// One past the last byte.
    pub hi: u32,
}

impl Span {
    /// The bytes `lo..hi` of `file`.
    pub const fn new(file: FileId, lo: u32, hi: u32) -> Span {
        Span { file, lo, hi }
    }

    /// The smallest span that covers both; spans of two files give the first.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span::new(self.file, self.lo.min(other.lo), self.hi.max(other.hi))
    }

    /// The empty span just before this one.
    pub const fn start(self) -> Span {
        Span::new(self.file, self.lo, self.lo)
    }

    /// The empty span just after this one.
    pub const fn end(self) -> Span {
        Span::new(self.file, self.hi, self.hi)
    }

    /// The number of bytes.
    pub const fn len(self) -> u32 {
        self.hi.saturating_sub(self.lo)
    }

    /// Whether no byte is covered.
    pub const fn is_empty(self) -> bool {
        self.hi <= self.lo
    }

    /// The byte range, to slice the file's text with.
    pub const fn range(self) -> std::ops::Range<usize> {
        self.lo as usize..self.hi as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_covers_both_and_keeps_the_first_file() {
        let a = Span::new(FileId(1), 4, 6);
        assert_eq!(a.to(Span::new(FileId(1), 1, 2)), Span::new(FileId(1), 1, 6));
        assert_eq!(a.to(Span::new(FileId(2), 1, 2)), a);
        assert!(a.end().is_empty() && a.len() == 2);
    }
}
