//! Writes small relocatable ELF objects for x86-64, byte by byte.

/// A section.
pub struct Section {
    name: &'static str,
    flags: u64,
    align: u64,
    data: Vec<u8>,
    /// Size of a section without bytes in the file.
    zeros: Option<u64>,
    relocations: Vec<Relocation>,
}

impl Section {
    pub fn new(name: &'static str, flags: u64, data: &[u8]) -> Section {
        Section { name, flags, align: 1, data: data.to_vec(), zeros: None, relocations: Vec::new() }
    }

    pub fn zeros(name: &'static str, flags: u64, size: u64) -> Section {
        Section { zeros: Some(size), ..Section::new(name, flags, &[]) }
    }

    pub fn aligned(self, align: u64) -> Section {
        Section { align, ..self }
    }
}

/// A relocation with an explicit addend.
#[derive(Clone, Copy)]
pub struct Relocation {
    pub offset: u64,
    pub kind: u32,
    pub symbol: usize,
    pub addend: i64,
}

/// An object: sections and global symbols.
#[derive(Default)]
pub struct Elf {
    sections: Vec<Section>,
    symbols: Vec<(&'static str, Option<usize>, u64)>,
}

struct Header {
    name: u32,
    kind: u32,
    flags: u64,
    offset: u64,
    size: u64,
    link: u32,
    info: u32,
    align: u64,
    entry_size: u64,
}

impl Elf {
    pub fn section(&mut self, section: Section) -> usize {
        self.sections.push(section);
        self.sections.len() - 1
    }

    pub fn symbol(&mut self, name: &'static str, section: usize, offset: u64) -> usize {
        self.symbols.push((name, Some(section), offset));
        self.symbols.len()
    }

    pub fn undefined(&mut self, name: &'static str) -> usize {
        self.symbols.push((name, None, 0));
        self.symbols.len()
    }

    pub fn relocate(&mut self, section: usize, relocation: Relocation) {
        self.sections[section].relocations.push(relocation);
    }

    /// The file: header, contents, then the table of sections.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0; 64];
        let mut names = vec![0_u8];
        let mut headers = vec![Header::empty()];
        for section in &self.sections {
            headers.push(contents(&mut out, &mut names, section));
        }
        let symbol_table = headers.len() as u32 + self.with_relocations().count() as u32;
        for (number, section) in self.with_relocations() {
            let mut data = Vec::new();
            for relocation in &section.relocations {
                data.extend(relocation.offset.to_le_bytes());
                data.extend(((relocation.symbol as u64) << 32 | u64::from(relocation.kind)).to_le_bytes());
                data.extend(relocation.addend.to_le_bytes());
            }
            let header = table(&mut out, &mut names, ".rela", 4, &data);
            headers.push(Header { link: symbol_table, info: number as u32 + 1, entry_size: 24, ..header });
        }
        let (symbols, strings) = self.symbol_table();
        let header = table(&mut out, &mut names, ".symtab", 2, &symbols);
        headers.push(Header { link: symbol_table + 1, info: 1, entry_size: 24, ..header });
        headers.push(table(&mut out, &mut names, ".strtab", 3, &strings));
        let name = add_name(&mut names, ".shstrtab");
        let offset = out.len() as u64;
        out.extend(&names);
        headers.push(Header { name, kind: 3, offset, size: names.len() as u64, align: 1, ..Header::empty() });
        finish(out, &headers)
    }

    fn with_relocations(&self) -> impl Iterator<Item = (usize, &Section)> {
        self.sections.iter().enumerate().filter(|(_, section)| !section.relocations.is_empty())
    }

    fn symbol_table(&self) -> (Vec<u8>, Vec<u8>) {
        let mut table = vec![0; 24];
        let mut strings = vec![0];
        for (name, section, offset) in &self.symbols {
            table.extend(add_name(&mut strings, name).to_le_bytes());
            // Global, no type.
            table.extend([0x10, 0]);
            table.extend((section.map_or(0, |section| section + 1) as u16).to_le_bytes());
            table.extend(offset.to_le_bytes());
            table.extend(0_u64.to_le_bytes());
        }
        (table, strings)
    }
}

impl Header {
    fn empty() -> Header {
        Header { name: 0, kind: 0, flags: 0, offset: 0, size: 0, link: 0, info: 0, align: 0, entry_size: 0 }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.name.to_le_bytes());
        out.extend(self.kind.to_le_bytes());
        for word in [self.flags, 0, self.offset, self.size] {
            out.extend(word.to_le_bytes());
        }
        out.extend(self.link.to_le_bytes());
        out.extend(self.info.to_le_bytes());
        out.extend(self.align.to_le_bytes());
        out.extend(self.entry_size.to_le_bytes());
    }
}

fn add_name(names: &mut Vec<u8>, name: &str) -> u32 {
    let at = names.len() as u32;
    names.extend(name.bytes());
    names.push(0);
    at
}

fn contents(out: &mut Vec<u8>, names: &mut Vec<u8>, section: &Section) -> Header {
    let name = add_name(names, section.name);
    out.resize(out.len().next_multiple_of(16), 0);
    let offset = out.len() as u64;
    out.extend(&section.data);
    let (kind, size) = section.zeros.map_or((1, section.data.len() as u64), |size| (8, size));
    Header { name, kind, flags: section.flags, offset, size, align: section.align, ..Header::empty() }
}

fn table(out: &mut Vec<u8>, names: &mut Vec<u8>, name: &str, kind: u32, data: &[u8]) -> Header {
    let name = add_name(names, name);
    out.resize(out.len().next_multiple_of(8), 0);
    let offset = out.len() as u64;
    out.extend(data);
    Header { name, kind, offset, size: data.len() as u64, align: 8, ..Header::empty() }
}

fn finish(mut out: Vec<u8>, headers: &[Header]) -> Vec<u8> {
    out.resize(out.len().next_multiple_of(8), 0);
    let table = out.len() as u64;
    for header in headers {
        header.write(&mut out);
    }
    out[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x3e\0");
    out[20..24].copy_from_slice(&1_u32.to_le_bytes());
    out[40..48].copy_from_slice(&table.to_le_bytes());
    out[52..54].copy_from_slice(&64_u16.to_le_bytes());
    out[58..60].copy_from_slice(&64_u16.to_le_bytes());
    out[60..62].copy_from_slice(&(headers.len() as u16).to_le_bytes());
    out[62..64].copy_from_slice(&(headers.len() as u16 - 1).to_le_bytes());
    out
}
