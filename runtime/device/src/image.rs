//! From the bytes of a relocatable ELF object to an image of memory: sections laid out by permission,
//! relocations collected, symbols of functions. Total on every input; touches no memory but its own.

use std::collections::BTreeMap;
use std::ops::Range;

use object::read::elf::ElfFile64;
use object::{
    Architecture, Object, ObjectKind, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget,
    SectionFlags, SectionIndex, SymbolIndex, SymbolSection,
};

use crate::relocate::{Fixup, FixupError, apply_aarch64, apply_x86_64, needs_slot};

/// Pages of every machine we load on divide this.
pub const PAGE: usize = 64 * 1024;

/// More than any kernel needs; bounds what a corrupt header can ask for.
const LARGEST_IMAGE: usize = 1 << 28;

/// Why bytes are not an object that can be loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ImageError {
    /// Not a well-formed ELF file.
    Malformed(String),
    /// Well formed, but something that backends never emit.
    NotLoadable(&'static str),
    /// The code uses a symbol that the object does not define.
    ImportedSymbol(String),
    /// A relocation cannot be applied.
    Relocation(FixupError),
}

impl std::fmt::Display for ImageError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ImageError::Malformed(why) => write!(formatter, "malformed object: {why}"),
            ImageError::NotLoadable(why) => write!(formatter, "object cannot be loaded: {why}"),
            ImageError::ImportedSymbol(name) => write!(formatter, "object imports the symbol `{name}`"),
            ImageError::Relocation(FixupError::UnknownKind(kind)) => {
                write!(formatter, "unknown relocation type {kind}")
            }
            ImageError::Relocation(FixupError::OutOfRange) => {
                formatter.write_str("a relocation does not reach its target")
            }
            ImageError::Relocation(FixupError::OutsideImage) => {
                formatter.write_str("a relocation lies outside its section")
            }
        }
    }
}

impl std::error::Error for ImageError {}

impl From<object::Error> for ImageError {
    fn from(error: object::Error) -> ImageError {
        ImageError::Malformed(error.to_string())
    }
}

/// What a part of memory may be used for once it is loaded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Access {
    /// Read and execute.
    Code,
    /// Read.
    Constants,
    /// Read and write.
    Data,
}

const ACCESSES: [Access; 3] = [Access::Code, Access::Constants, Access::Data];

/// An object as memory, before and after `link`.
#[derive(Clone, Debug)]
pub struct Image {
    /// The contents.
    pub bytes: Vec<u8>,
    /// Parts by access, each from a page boundary on; empty ones are left out.
    pub parts: Vec<(Access, Range<usize>)>,
    /// Where each section that is loaded begins, by its number.
    pub sections: BTreeMap<usize, usize>,
    functions: BTreeMap<String, usize>,
    fixups: Vec<Fixup>,
    /// Slots that hold an address: (offset of the slot, offset of the target).
    slots: Vec<(usize, usize)>,
    architecture: Architecture,
}

impl Image {
    /// Reads an object.
    pub fn parse(object: &[u8]) -> Result<Image, ImageError> {
        let file: ElfFile64<'_> = ElfFile64::parse(object)?;
        if !file.is_little_endian() || file.kind() != ObjectKind::Relocatable {
            return Err(ImageError::NotLoadable("not a little-endian relocatable object"));
        }
        let architecture = file.architecture();
        if !matches!(architecture, Architecture::X86_64 | Architecture::Aarch64) {
            return Err(ImageError::NotLoadable("no loader for its architecture"));
        }
        let mut layout = Layout::default();
        layout.place_sections(&file)?;
        layout.collect_fixups(&file)?;
        let functions = layout.functions(&file)?;
        Ok(Image {
            bytes: layout.bytes,
            parts: layout.parts,
            sections: layout.sections.iter().map(|(number, (_, range))| (*number, range.start)).collect(),
            functions,
            fixups: layout.fixups,
            slots: layout.slots,
            architecture,
        })
    }

    /// Whether the code is for the machine that this program runs on.
    pub fn is_for_host(&self) -> bool {
        (cfg!(target_arch = "x86_64") && self.architecture == Architecture::X86_64)
            || (cfg!(target_arch = "aarch64") && self.architecture == Architecture::Aarch64)
    }

    /// Applies every relocation for an image that will stand at `base`.
    pub fn link(&mut self, base: u64) -> Result<(), ImageError> {
        for (slot, target) in &self.slots {
            let address = base.wrapping_add(*target as u64).to_le_bytes();
            let field = self.bytes.get_mut(*slot..*slot + 8);
            field.ok_or(ImageError::Relocation(FixupError::OutsideImage))?.copy_from_slice(&address);
        }
        let arm = self.architecture == Architecture::Aarch64;
        for fixup in &self.fixups {
            let applied = if arm {
                apply_aarch64(&mut self.bytes, base, *fixup)
            } else {
                apply_x86_64(&mut self.bytes, base, *fixup)
            };
            applied.map_err(ImageError::Relocation)?;
        }
        Ok(())
    }

    /// The offset of a global function.
    pub fn function(&self, symbol: &str) -> Option<usize> {
        self.functions.get(symbol).copied()
    }

    /// The names of all global functions.
    pub fn function_names(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }
}

#[derive(Default)]
struct Layout {
    bytes: Vec<u8>,
    parts: Vec<(Access, Range<usize>)>,
    /// Where each loaded section went.
    sections: BTreeMap<usize, (Access, Range<usize>)>,
    fixups: Vec<Fixup>,
    slots: Vec<(usize, usize)>,
}

/// Flags of ELF sections.
const WRITE: u64 = 1;
const ALLOCATE: u64 = 2;
const EXECUTE: u64 = 4;
const THREAD_LOCAL: u64 = 1 << 10;

/// How a section is loaded; `None`: it is not.
fn access_of(flags: SectionFlags) -> Result<Option<Access>, ImageError> {
    let SectionFlags::Elf { sh_flags, .. } = flags else { return Ok(None) };
    let flags = sh_flags.0;
    if flags & ALLOCATE == 0 {
        return Ok(None);
    }
    if flags & THREAD_LOCAL != 0 {
        return Err(ImageError::NotLoadable("it has thread-local data"));
    }
    match (flags & WRITE != 0, flags & EXECUTE != 0) {
        (true, true) => Err(ImageError::NotLoadable("a section is writable and executable")),
        (false, true) => Ok(Some(Access::Code)),
        (true, false) => Ok(Some(Access::Data)),
        (false, false) => Ok(Some(Access::Constants)),
    }
}

impl Layout {
    /// Lays out sections part by part, then the slots that relocations ask for in the constants.
    fn place_sections(&mut self, file: &ElfFile64<'_>) -> Result<(), ImageError> {
        let n_slots = count_slots(file);
        for access in ACCESSES {
            self.align(PAGE)?;
            let start = self.bytes.len();
            for section in file.sections() {
                if access_of(section.flags())? == Some(access) {
                    self.place_section(&section, access)?;
                }
            }
            if access == Access::Constants && n_slots > 0 {
                self.align(8)?;
                self.grow(n_slots.saturating_mul(8))?;
            }
            if self.bytes.len() > start {
                self.parts.push((access, start..self.bytes.len()));
            }
        }
        self.align(PAGE)
    }

    fn place_section<'data, S: ObjectSection<'data>>(
        &mut self,
        section: &S,
        access: Access,
    ) -> Result<(), ImageError> {
        let align = usize::try_from(section.align().max(1)).unwrap_or(usize::MAX);
        if !align.is_power_of_two() || align > PAGE {
            return Err(ImageError::Malformed("a section's alignment".to_owned()));
        }
        self.align(align)?;
        let start = self.bytes.len();
        // Empty for `.bss`, whose size says how many zeros to make.
        let data = section.data()?;
        let size = usize::try_from(section.size()).unwrap_or(usize::MAX);
        self.grow(size)?;
        if let Some(place) = self.bytes.get_mut(start..start + data.len()) {
            place.copy_from_slice(data);
        }
        self.sections.insert(section.index().0, (access, start..start + size));
        Ok(())
    }

    fn align(&mut self, align: usize) -> Result<(), ImageError> {
        let missing = self.bytes.len().next_multiple_of(align) - self.bytes.len();
        self.grow(missing)
    }

    fn grow(&mut self, size: usize) -> Result<(), ImageError> {
        let end = self.bytes.len().saturating_add(size);
        if end > LARGEST_IMAGE {
            return Err(ImageError::NotLoadable("it is too large"));
        }
        self.bytes.resize(end, 0);
        Ok(())
    }

    fn collect_fixups(&mut self, file: &ElfFile64<'_>) -> Result<(), ImageError> {
        let constants = self.parts.iter().find(|(access, _)| *access == Access::Constants);
        // Slots stand at the end of the constants.
        let mut next_slot = constants.map_or(0, |(_, range)| range.end) - 8 * count_slots(file);
        for section in file.sections() {
            let Some((_, range)) = self.sections.get(&section.index().0).cloned() else { continue };
            for (offset, relocation) in section.relocations() {
                let RelocationFlags::Elf { r_type } = relocation.flags() else { continue };
                let kind = r_type.0;
                if kind == 0 {
                    continue;
                }
                if relocation.has_implicit_addend() {
                    return Err(ImageError::NotLoadable("a relocation without an addend"));
                }
                let inside = usize::try_from(offset).ok().filter(|offset| *offset < range.len());
                let offset = inside.ok_or(ImageError::Relocation(FixupError::OutsideImage))?;
                let mut target = self.target(file, relocation.target())?;
                if needs_slot(kind) && file.architecture() == Architecture::X86_64 {
                    self.slots.push((next_slot, target));
                    target = next_slot;
                    next_slot += 8;
                }
                let place = range.start + offset;
                self.fixups.push(Fixup { place, kind, target, addend: relocation.addend() });
            }
        }
        Ok(())
    }

    fn target(&self, file: &ElfFile64<'_>, target: RelocationTarget) -> Result<usize, ImageError> {
        if let RelocationTarget::Symbol(index) = target {
            self.symbol_offset(file, index)
        } else {
            Err(ImageError::NotLoadable("a relocation without a symbol"))
        }
    }

    fn section_start(&self, index: SectionIndex) -> Result<usize, ImageError> {
        let section = self.sections.get(&index.0);
        section
            .map(|(_, range)| range.start)
            .ok_or(ImageError::NotLoadable("a relocation against a section that is not loaded"))
    }

    fn symbol_offset(&self, file: &ElfFile64<'_>, index: SymbolIndex) -> Result<usize, ImageError> {
        let symbol = file.symbol_by_index(index)?;
        match symbol.section() {
            SymbolSection::Section(section) => {
                let start = self.section_start(section)?;
                let offset = usize::try_from(symbol.address()).unwrap_or(usize::MAX);
                start
                    .checked_add(offset)
                    .filter(|offset| *offset <= self.bytes.len())
                    .ok_or_else(|| ImageError::Malformed("a symbol lies outside its section".to_owned()))
            }
            SymbolSection::Undefined => {
                Err(ImageError::ImportedSymbol(symbol.name().unwrap_or("?").to_owned()))
            }
            SymbolSection::None
            | SymbolSection::Unknown
            | SymbolSection::Absolute
            | SymbolSection::Common
            | _ => Err(ImageError::NotLoadable("a symbol that is neither code nor data")),
        }
    }

    /// Global symbols that lie in code.
    fn functions(&self, file: &ElfFile64<'_>) -> Result<BTreeMap<String, usize>, ImageError> {
        let mut functions = BTreeMap::new();
        for symbol in file.symbols().filter(|symbol| symbol.is_global() && symbol.is_definition()) {
            let Some(section) = symbol.section_index() else { continue };
            let Some((Access::Code, range)) = self.sections.get(&section.0) else { continue };
            let offset = usize::try_from(symbol.address()).ok().filter(|offset| *offset < range.len());
            let offset = offset
                .ok_or_else(|| ImageError::Malformed("a function lies outside its section".to_owned()))?;
            functions.insert(symbol.name()?.to_owned(), range.start + offset);
        }
        Ok(functions)
    }
}

/// Relocations of loaded sections that go through a slot.
fn count_slots(file: &ElfFile64<'_>) -> usize {
    if file.architecture() != Architecture::X86_64 {
        return 0;
    }
    let loaded = file.sections().filter(|section| matches!(access_of(section.flags()), Ok(Some(_))));
    let slots = loaded.flat_map(|section| {
        section.relocations().filter(|(_, relocation)| {
            matches!(relocation.flags(), RelocationFlags::Elf { r_type } if needs_slot(r_type.0))
        })
    });
    slots.count()
}
