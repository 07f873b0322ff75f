//! The loader on objects made by hand, in the ways compilers make them, and on damaged ones.
#![allow(unsafe_code, reason = "calls the machine code written here")]

mod elf;

use elf::{Elf, Relocation, Section};
use we3_backend_api::{Artifact, Backend, CallContext, Options, Target};
use we3_device::image::{Image, ImageError};
use we3_device::{LoadError, LoadedObject};

const ALLOC: u64 = 2;
const WRITE: u64 = 1;
const EXECUTE: u64 = 4;

const PC_32: u32 = 2;
const ABSOLUTE_64: u32 = 1;
const GOT_PC_32: u32 = 42;

/// Calls an entry without context, arguments or results.
#[cfg(target_arch = "x86_64")]
fn run(object: &LoadedObject, symbol: &str) -> i32 {
    let entry = object.entry(symbol).expect("an entry");
    let context: *mut CallContext = std::ptr::null_mut();
    // SAFETY: the code below reads none of its arguments.
    unsafe { entry(context, std::ptr::null(), std::ptr::null_mut()) }
}

/// `mov eax, [rip + x]; ret` with x to be filled in.
const LOAD_RELATIVE: [u8; 7] = [0x8b, 0x05, 0, 0, 0, 0, 0xc3];

fn text(bytes: &[u8]) -> Section {
    Section::new(".text", ALLOC | EXECUTE, bytes)
}

#[cfg(target_arch = "x86_64")]
#[test]
fn code_reads_constants_of_other_sections() {
    let mut elf = Elf::default();
    let code = elf.section(text(&LOAD_RELATIVE));
    let constants = elf.section(Section::new(".rodata.cst4", ALLOC, &[0, 0, 0, 0, 42, 0, 0, 0]).aligned(16));
    elf.symbol("we3_f", code, 0);
    let constant = elf.symbol("constant", constants, 4);
    elf.relocate(code, Relocation { offset: 2, kind: PC_32, symbol: constant, addend: -4 });
    let object = LoadedObject::load(&elf.bytes()).expect("loads");
    assert_eq!(run(&object, "we3_f"), 42);
    assert!(object.entry("constant").is_none(), "data is no entry");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn code_finds_addresses_in_slots_and_in_data() {
    // mov rax, [rip + slot]; mov rax, [rax]; mov eax, [rax]; ret
    let mut elf = Elf::default();
    let code = elf.section(text(&[0x48, 0x8b, 0x05, 0, 0, 0, 0, 0x48, 0x8b, 0x00, 0x8b, 0x00, 0xc3]));
    let pointers = elf.section(Section::new(".data.rel.ro", ALLOC | WRITE, &[0; 8]).aligned(8));
    let constants = elf.section(Section::new(".rodata", ALLOC, &7_u32.to_le_bytes()).aligned(4));
    elf.symbol("we3_f", code, 0);
    let pointer = elf.symbol("pointer", pointers, 0);
    let constant = elf.symbol("constant", constants, 0);
    elf.relocate(code, Relocation { offset: 3, kind: GOT_PC_32, symbol: pointer, addend: -4 });
    elf.relocate(pointers, Relocation { offset: 0, kind: ABSOLUTE_64, symbol: constant, addend: 0 });
    let object = LoadedObject::load(&elf.bytes()).expect("loads");
    assert_eq!(run(&object, "we3_f"), 7);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn each_function_may_have_its_own_section() {
    let mut elf = Elf::default();
    for (name, result) in [("we3_one", 1), ("we3_two", 2)] {
        // mov eax, imm8; ret
        let code =
            elf.section(Section::new(".text.x", ALLOC | EXECUTE, &[0xb8, result, 0, 0, 0, 0xc3]).aligned(32));
        elf.symbol(name, code, 0);
    }
    let object = LoadedObject::load(&elf.bytes()).expect("loads");
    assert_eq!((run(&object, "we3_one"), run(&object, "we3_two")), (1, 2));
    assert_eq!(object.symbols().collect::<Vec<_>>(), ["we3_one", "we3_two"]);
}

fn parse(elf: &Elf) -> Result<Image, ImageError> {
    Image::parse(&elf.bytes())
}

#[test]
fn an_imported_symbol_is_named() {
    let mut elf = Elf::default();
    let code = elf.section(text(&LOAD_RELATIVE));
    let missing = elf.undefined("fma");
    elf.relocate(code, Relocation { offset: 2, kind: PC_32, symbol: missing, addend: -4 });
    assert_eq!(parse(&elf).expect_err("imports"), ImageError::ImportedSymbol("fma".into()));
}

#[test]
fn a_relocation_outside_its_section_is_an_error() {
    for offset in [3, 7, u64::MAX - 2, 1 << 40] {
        let mut elf = Elf::default();
        let code = elf.section(text(&LOAD_RELATIVE[..6]));
        let own = elf.symbol("we3_f", code, 0);
        elf.relocate(code, Relocation { offset, kind: ABSOLUTE_64, symbol: own, addend: 0 });
        let error = parse(&elf).and_then(|mut image| image.link(0x10_0000));
        // Offset 3 starts inside; its eight bytes run into the padding of the page, which is ours.
        assert_eq!(error.is_err(), offset != 3, "{offset}: {error:?}");
    }
}

#[test]
fn writable_code_and_huge_sections_are_refused() {
    let mut elf = Elf::default();
    elf.section(Section::new(".text", ALLOC | WRITE | EXECUTE, &[0xc3]));
    assert!(matches!(parse(&elf), Err(ImageError::NotLoadable(_))));
    let mut elf = Elf::default();
    elf.section(Section::zeros(".bss", ALLOC | WRITE, 1 << 50));
    assert!(matches!(parse(&elf), Err(ImageError::NotLoadable(_))));
    let mut elf = Elf::default();
    elf.section(text(&[0xc3]).aligned(1 << 40));
    assert!(matches!(parse(&elf), Err(ImageError::Malformed(_))));
}

#[test]
fn bytes_that_are_no_object_are_an_error() {
    for bytes in [&b""[..], b"\x7fELF", b"hello, world", &[0; 64]] {
        assert!(matches!(LoadedObject::load(bytes), Err(LoadError::Image(_))), "{bytes:?}");
    }
}

/// A real object: two entries, a soft routine, relocations between them.
fn compiled() -> Vec<u8> {
    let text = "loop module

entry func @fma(%0: f64, %1: f32) -> (f64, f32) {
  %2: f64 = fma %0, %0, %0
  %3: f32 = fma %1, %1, %1
  return %2, %3
}

entry func @rem(%0: f64) -> (f64) {
  %1: f64 = rem %0, %0
  return %1
}
";
    let module = we3_ir::text::parse_module(text).expect("parses");
    let verified = we3_ir::verify::verify(&module).expect("verifies");
    let backend = we3_backend_cranelift::CraneliftBackend;
    match backend.compile(verified, &Target::x86_64_baseline(), &Options::default()) {
        Ok(Artifact::Object(bytes)) => bytes,
        other => panic!("{other:?}"),
    }
}

/// An object with every kind of section and relocation.
fn handmade() -> Vec<u8> {
    let mut elf = Elf::default();
    let code = elf.section(text(&[0x90; 40]));
    let constants = elf.section(Section::new(".rodata", ALLOC, &[1; 24]).aligned(16));
    let data = elf.section(Section::new(".data", ALLOC | WRITE, &[0; 16]).aligned(8));
    elf.section(Section::zeros(".bss", ALLOC | WRITE, 100));
    let symbols = [elf.symbol("we3_f", code, 8), elf.symbol("c", constants, 16), elf.symbol("d", data, 8)];
    for (number, kind) in [1, 2, 4, 9, 24, 41, 42].into_iter().enumerate() {
        let symbol = symbols[number % 3];
        elf.relocate(code, Relocation { offset: 4 * number as u64, kind, symbol, addend: -4 });
    }
    elf.relocate(data, Relocation { offset: 0, kind: ABSOLUTE_64, symbol: symbols[1], addend: 3 });
    elf.bytes()
}

#[test]
fn damaged_objects_are_errors_or_images_never_a_panic() {
    let mut state = 0x0123_4567_89ab_cdef_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let seeds = [compiled(), handmade()];
    for seed in &seeds {
        Image::parse(seed).and_then(|mut image| image.link(0x7f00_0000_0000)).expect("the seed is good");
    }
    let (mut parsed, mut refused) = (0, 0);
    for case in 0..10_000 {
        let mut bytes = seeds[case % 2].clone();
        for _ in 0..=random() % 6 {
            let place = (random() % bytes.len() as u64) as usize;
            match random() % 6 {
                0 => bytes[place] = random() as u8,
                1 => bytes[place] ^= 1 << (random() % 8),
                2 => bytes[place] = if random() % 2 == 0 { 0xff } else { 0 },
                3 => bytes.truncate(place.max(1)),
                4 => {
                    let end = (place + 8).min(bytes.len());
                    bytes[place..end].fill(if random() % 2 == 0 { 0xff } else { 0x7f });
                }
                // Headers more often than code: they decide.
                _ => {
                    let head = place % 64.min(bytes.len());
                    bytes[head] = random() as u8;
                }
            }
        }
        match Image::parse(&bytes).and_then(|mut image| image.link(random() & 0x7fff_ffff_f000)) {
            Ok(()) => parsed += 1,
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(parsed > 500 && refused > 500, "{parsed} parsed, {refused} refused");
}
