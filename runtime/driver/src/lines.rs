//! Line tables (`-g`): from the spans of loop IR to files and lines, as backends take them.

use std::path::Path;

use we3_backend_api::lines::{FuncLines, Lines, Place, SourceFile};
use we3_frontend::source::{SourceMap, SourceText};
use we3_ir::span::Span;
use we3_ir::{Func, Module};

/// Modules of the library are no files; this stands for the folder they would lie in.
const LIBRARY: &str = "/we3";

/// The files of a program and where their lines begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineIndex {
    files: Vec<(SourceFile, Vec<u32>)>,
}

impl LineIndex {
    /// Of these files.
    pub fn of(sources: &SourceMap) -> LineIndex {
        LineIndex { files: sources.files().iter().map(|file| (named(file), starts(&file.text))).collect() }
    }

    /// The places of a module of loop IR.
    pub fn lines(&self, module: &Module) -> Lines {
        Lines {
            files: self.files.iter().map(|(file, _)| file.clone()).collect(),
            funcs: module.funcs.values().map(|func| self.of_func(func)).collect(),
        }
    }

    fn of_func(&self, func: &Func) -> FuncLines {
        let ops: Vec<Option<Place>> =
            func.ops_in_order().into_iter().map(|op| self.place(func.spans[op])).collect();
        // The root module is the first file, and an entry is one of its functions.
        let start = ops.iter().flatten().min().copied();
        FuncLines { start: start.unwrap_or(Place { file: 0, line: 1, column: 1 }), ops }
    }

    fn place(&self, span: Span) -> Option<Place> {
        let (_, starts) = self.files.get(span.file.0 as usize).filter(|_| !span.is_empty())?;
        let line = starts.partition_point(|start| *start <= span.lo);
        let column = span.lo - starts.get(line.checked_sub(1)?)? + 1;
        Some(Place { file: span.file.0, line: line as u32, column })
    }
}

fn starts(text: &str) -> Vec<u32> {
    let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect()
}

fn named(file: &SourceText) -> SourceFile {
    let whole = if file.name.starts_with("std/") {
        Path::new(LIBRARY).join(&file.name)
    } else {
        std::path::absolute(&file.name).unwrap_or_else(|_| Path::new(&file.name).to_owned())
    };
    let text = |path: Option<&Path>| path.map_or(String::new(), |path| path.display().to_string());
    SourceFile { folder: text(whole.parent()), name: text(whole.file_name().map(Path::new)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use we3_ir::span::FileId;

    #[test]
    fn spans_become_lines_and_columns() {
        let mut sources = SourceMap::default();
        sources.add(SourceText { name: "/a/b.we3".into(), text: "one\ntwo\n\nthree".into() });
        sources.add(SourceText { name: "std/math.we3".into(), text: "x".into() });
        let index = LineIndex::of(&sources);
        let at = |file, lo| index.place(Span::new(FileId(file), lo, lo + 1)).map(|at| (at.line, at.column));
        assert_eq!([at(0, 0), at(0, 3), at(0, 4), at(0, 9)], [(1, 1), (1, 4), (2, 1), (4, 1)].map(Some));
        assert_eq!((at(1, 0), at(2, 0)), (Some((1, 1)), None));
        assert_eq!(index.place(Span::default()), None);
        let names: Vec<_> = index.files.iter().map(|(file, _)| (&*file.folder, &*file.name)).collect();
        assert_eq!(names, [("/a", "b.we3"), ("/we3/std", "math.we3")]);
    }
}
