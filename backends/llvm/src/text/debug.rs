//! Debug information as metadata: a unit, a subprogram for each function, a location for each instruction. Line
//! tables only: no types, no variables.

use std::collections::HashMap;

use we3_backend_api::lines::{FuncLines, Lines, Place};
use we3_ir::entity::SecondaryMap;
use we3_ir::{Func, Op};

use super::module::ModuleText;

/// What a module's functions share.
#[derive(Default)]
pub struct ModuleDebug {
    unit: usize,
    /// By number of the file.
    files: Vec<usize>,
    routine: usize,
    /// Of the function being emitted.
    start: Option<Place>,
    places: SecondaryMap<Op, Option<Place>>,
    /// Named metadata of the module.
    pub named: String,
}

/// What a function under construction knows.
#[derive(Default)]
pub struct Scope {
    subprogram: Option<usize>,
    file: u32,
    blocks: HashMap<u32, usize>,
    known: HashMap<Place, String>,
    /// What stands behind an instruction here: nothing, or `, !dbg !7`.
    pub here: String,
}

impl ModuleText {
    /// From now on functions get line tables.
    pub fn begin_debug(&mut self, lines: &Lines) {
        let files: Vec<usize> = lines.files.iter().map(|file| self.file(&file.name, &file.folder)).collect();
        let Some(first) = files.first() else { return };
        let unit = self.metadata(&format!(
            "distinct !DICompileUnit(language: DW_LANG_C11, file: !{first}, producer: \"we3\", \
             isOptimized: true, runtimeVersion: 0, emissionKind: LineTablesOnly)"
        ));
        let nothing = self.metadata("!{null}");
        let routine = self.metadata(&format!("!DISubroutineType(types: !{nothing})"));
        let flags = ["!{i32 2, !\"Debug Info Version\", i32 3}", "!{i32 7, !\"Dwarf Version\", i32 5}"];
        let flags = flags.map(|flag| self.metadata(flag));
        self.debug = Some(ModuleDebug {
            unit,
            files,
            routine,
            named: format!(
                "!llvm.dbg.cu = !{{!{unit}}}\n!llvm.module.flags = !{{!{}, !{}}}\n",
                flags[0], flags[1]
            ),
            ..ModuleDebug::default()
        });
    }

    fn file(&mut self, name: &str, folder: &str) -> usize {
        let [name, folder] = [name, folder].map(escaped);
        self.metadata(&format!("!DIFile(filename: \"{name}\", directory: \"{folder}\")"))
    }

    /// The next functions are made of this one.
    pub fn debug_function(&mut self, func: &Func, lines: &FuncLines) {
        if let Some(debug) = &mut self.debug {
            debug.start = Some(lines.start);
            debug.places.clear();
            for (op, place) in func.ops_in_order().into_iter().zip(&lines.ops) {
                debug.places[op] = *place;
            }
        }
    }

    /// A function's scope; `symbol` is its symbol.
    pub fn scope(&mut self, symbol: &str) -> Scope {
        let mut scope = Scope::default();
        let Some(ModuleDebug { unit, files, routine, start: Some(start), .. }) = &self.debug else {
            return scope;
        };
        let (unit, routine, start) = (*unit, *routine, *start);
        let Some(file) = files.get(start.file as usize).copied() else { return scope };
        let line = start.line;
        let symbol = escaped(symbol);
        let subprogram = self.metadata(&format!(
            "distinct !DISubprogram(name: \"{symbol}\", scope: !{file}, file: !{file}, line: {line}, \
             type: !{routine}, scopeLine: {line}, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !{unit})"
        ));
        scope.subprogram = Some(subprogram);
        scope.file = start.file;
        scope.at(start, self);
        scope
    }

    /// Where an operation comes from.
    pub fn place(&self, op: Op) -> Option<Place> {
        *self.debug.as_ref()?.places.get(op)?
    }
}

impl Scope {
    /// What follows comes from there.
    pub fn at(&mut self, place: Place, module: &mut ModuleText) {
        let Some(subprogram) = self.subprogram else { return };
        if let Some(known) = self.known.get(&place) {
            self.here.clone_from(known);
            return;
        }
        let scope =
            if place.file == self.file { subprogram } else { self.block(subprogram, place.file, module) };
        let (line, column) = (place.line, place.column.min(u32::from(u16::MAX)));
        let node = module.metadata(&format!("!DILocation(line: {line}, column: {column}, scope: !{scope})"));
        self.here = format!(", !dbg !{node}");
        self.known.insert(place, self.here.clone());
    }

    /// A part of the function whose text stands in another file.
    fn block(&mut self, subprogram: usize, file: u32, module: &mut ModuleText) -> usize {
        *self.blocks.entry(file).or_insert_with(|| {
            let files = module.debug.as_ref().map(|debug| &debug.files);
            match files.and_then(|files| files.get(file as usize)).copied() {
                Some(file) => module.metadata(&format!(
                    "!DILexicalBlockFile(scope: !{subprogram}, file: !{file}, discriminator: 0)"
                )),
                None => subprogram,
            }
        })
    }

    /// What stands behind the head of the function.
    pub fn head(&self) -> String {
        self.subprogram.map_or_else(String::new, |node| format!(" !dbg !{node}"))
    }
}

/// As LLVM's strings are written: bytes that would end them, or that are no letters, in hexadecimal.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | 0..=31 | 127.. => escaped.push_str(&format!("\\{byte:02X}")),
            _ => escaped.push(char::from(byte)),
        }
    }
    escaped
}
