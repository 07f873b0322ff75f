//! Long lines cut down to what labels point at: `… x[i] + y[j] …`. Offsets into the text that is shown and into the
//! real one can be exchanged, so that columns stay true.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use we3_ir::span::{FileId, Span};

use crate::source::SourceMap;

/// Lines of more characters are cut.
const LONGEST: usize = 160;
/// What stays outside and inside of each end of a label.
const MARGIN: usize = 40;
/// What stands for what was left out.
const GAP: &str = "…";

/// A file's text with its long lines cut.
pub struct CutText {
    pub text: String,
    /// What was kept: where it is now, where it was.
    pieces: Vec<Piece>,
}

struct Piece {
    now: usize,
    was: usize,
    len: usize,
}

/// The texts that labels need cut; none for files whose labelled lines are short.
pub fn cut_texts(sources: &SourceMap, labels: &[(FileId, Range<usize>)]) -> BTreeMap<FileId, CutText> {
    let files: BTreeSet<FileId> = labels.iter().map(|(file, _)| *file).collect();
    let mut cut = BTreeMap::new();
    for file in files {
        let spans: Vec<Range<usize>> =
            labels.iter().filter(|(of, _)| *of == file).map(|(_, span)| span.clone()).collect();
        let text = sources.text(file);
        let lines = long_lines(text, &spans);
        if !lines.is_empty() {
            cut.insert(file, CutText::new(text, &lines, &spans));
        }
    }
    cut
}

/// The long lines that are shown: those where a label begins or ends, and their neighbours inside it.
fn long_lines(text: &str, spans: &[Range<usize>]) -> BTreeMap<usize, usize> {
    let mut lines = BTreeMap::new();
    for span in spans {
        let mut at = line_start(text, span.start);
        for _ in 0..4 {
            at = note(text, at, &mut lines);
            if at > span.end || at >= text.len() {
                break;
            }
        }
        let last = line_start(text, span.end);
        note(text, last, &mut lines);
        if last > span.start {
            note(text, line_start(text, last - 1), &mut lines);
        }
    }
    lines
}

/// Notes the line that starts here if it is long; gives the start of the next.
fn note(text: &str, start: usize, lines: &mut BTreeMap<usize, usize>) -> usize {
    let end = text[start..].find('\n').map_or(text.len(), |len| start + len);
    if text[start..end].chars().nth(LONGEST).is_some() {
        lines.insert(start, end);
    }
    end + 1
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

impl CutText {
    fn new(text: &str, lines: &BTreeMap<usize, usize>, spans: &[Range<usize>]) -> CutText {
        let mut cut = CutText { text: String::new(), pieces: Vec::new() };
        let mut done = 0;
        for (start, end) in lines {
            cut.keep(text, done..*start);
            let mut at = *start;
            for kept in kept_parts(text, *start..*end, spans) {
                if kept.start > at {
                    cut.text.push_str(GAP);
                }
                at = kept.end;
                cut.keep(text, kept);
            }
            if at < *end {
                cut.text.push_str(GAP);
            }
            done = *end;
        }
        cut.keep(text, done..text.len());
        cut
    }

    fn keep(&mut self, text: &str, range: Range<usize>) {
        self.pieces.push(Piece { now: self.text.len(), was: range.start, len: range.len() });
        self.text.push_str(&text[range]);
    }

    /// Where an offset of the real text is shown.
    pub fn shown(&self, was: usize) -> usize {
        let after = self.pieces.partition_point(|piece| piece.was <= was);
        let Some(piece) = after.checked_sub(1).and_then(|at| self.pieces.get(at)) else { return 0 };
        piece.now + (was - piece.was).min(piece.len)
    }

    /// What an offset of the shown text is in the real one.
    pub fn real(&self, now: usize) -> usize {
        let after = self.pieces.partition_point(|piece| piece.now <= now);
        let Some(piece) = after.checked_sub(1).and_then(|at| self.pieces.get(at)) else { return 0 };
        piece.was + (now - piece.now).min(piece.len)
    }
}

/// The parts of a line around the ends of labels, or its beginning.
fn kept_parts(text: &str, line: Range<usize>, spans: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut ends: Vec<usize> = spans
        .iter()
        .flat_map(|span| [span.start, span.end])
        .filter(|end| (line.start..=line.end).contains(end))
        .collect();
    ends.sort_unstable();
    if ends.is_empty() {
        ends.push(line.start);
    }
    let mut parts: Vec<Range<usize>> = Vec::new();
    for end in ends {
        let lo = floor(text, end.saturating_sub(MARGIN).max(line.start));
        let hi = floor(text, (end + MARGIN).min(line.end));
        match parts.last_mut() {
            Some(last) if lo <= last.end + GAP.len() => last.end = last.end.max(hi),
            _ => parts.push(lo..hi),
        }
    }
    // A gap is not worth its sign where little is left out.
    if let Some(first) = parts.first_mut()
        && first.start <= line.start + GAP.len()
    {
        first.start = line.start;
    }
    if let Some(last) = parts.last_mut()
        && last.end + GAP.len() >= line.end
    {
        last.end = line.end;
    }
    parts
}

/// The character boundary at or before an offset.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The bytes of a span, moved inside its file and onto character boundaries.
pub fn clamped(sources: &SourceMap, span: Span) -> Range<usize> {
    let text = sources.text(span.file);
    let lo = floor(text, (span.lo as usize).min(text.len()));
    lo..floor(text, (span.hi as usize).min(text.len())).max(lo)
}
