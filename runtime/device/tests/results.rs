//! Where results of a call lie: in memory of the caller when it fits, else in memory of the call; what an
//! entry leaves alone is zero.

use we3_backend_api::{Artifact, Backend, Options};
use we3_device::{
    ArgSlot, CallError, CallLimits, CallOutcome, Given, LoadedObject, OutputLayout, call_entry,
    call_entry_into, host_target,
};

/// Two fields of records of 16 bytes, of so many elements each.
const FIELDS: &str = "loop module

entry func @fields(%0: i64, %1: i64) -> () outputs (16, 2) {
  %2: i64 = const 0
  %3: i64 = const 1
  %4: buffer u8 = output.u8 0 %0
  %5: u8 = const 7
  for.serial %2, %0, %3 {
  b(%6: i64):
    %7: i64 = const 16
    %8: i64 = mul %6, %7
    store %4, %8, %5
    yield
  }
  %9: buffer f64 = output.f64 1 %1
  %10: f64 = const 0.5
  for.serial %2, %1, %3 {
  b(%11: i64):
    %12: i64 = const 2
    %13: i64 = mul %11, %12
    store %9, %13, %10
    yield
  }
  return
}
";

const LAYOUTS: [OutputLayout; 2] = [
    OutputLayout { group: 0, byte_offset: 0, elem_bytes: 1, stride: 16 },
    OutputLayout { group: 0, byte_offset: 8, elem_bytes: 8, stride: 2 },
];

fn object() -> LoadedObject {
    let module = we3_ir::text::parse_module(FIELDS).unwrap_or_else(|errors| panic!("{errors:?}"));
    let verified = we3_ir::verify::verify(&module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let backend = we3_backend_cranelift::CraneliftBackend;
    match backend.compile(verified, &host_target(), &Options::default()) {
        Ok(Artifact::Object(bytes)) => LoadedObject::load(&bytes).expect("loads"),
        other => panic!("{other:?}"),
    }
}

fn args(first: u64, second: u64) -> [ArgSlot<'static>; 2] {
    [ArgSlot::Scalar(first), ArgSlot::Scalar(second)]
}

fn call(object: &LoadedObject, count: u64, given: Given<'_>) -> Result<CallOutcome, CallError> {
    call_entry_into(object, "we3_fields", &args(count, count), 0, &LAYOUTS, given, CallLimits::default())
}

/// The records as bytes, with this between and behind the fields.
fn records(count: usize, padding: u8) -> Vec<u8> {
    let mut record = [padding; 16];
    record[0] = 7;
    record[8..].copy_from_slice(&0.5f64.to_le_bytes());
    record.repeat(count)
}

#[test]
fn padding_is_zero_whatever_the_memory_held() {
    let object = object();
    for count in [0, 1, 1000, 40_000] {
        for _ in 0..3 {
            let outcome = call(&object, count as u64, Given::new()).expect("runs");
            let mut groups = outcome.groups;
            let memory = groups.get_mut(&0).expect("memory");
            assert!(memory.as_slice() == records(count, 0), "{count}");
            memory.as_mut_slice().fill(0xff);
        }
    }
}

#[test]
fn memory_of_the_caller_is_used_where_its_length_is_right() {
    let object = object();
    let mut memory = vec![0xcc; 160];
    let outcome = call(&object, 10, Given::from([(0, memory.as_mut_slice())])).expect("runs");
    assert!(outcome.groups.is_empty());
    assert_eq!(outcome.counts, [Some(10), Some(10)]);
    assert_eq!(memory, records(10, 0xcc), "fields only");

    for count in [0, 9, 11] {
        let mut memory = vec![0xcc; 160];
        let outcome = call(&object, count, Given::from([(0, memory.as_mut_slice())])).expect("runs");
        assert_eq!(outcome.groups[&0].as_slice(), records(count as usize, 0));
        assert_eq!(memory, [0xcc; 160], "left alone");
    }
}

#[test]
fn fields_of_one_array_have_one_length() {
    let object = object();
    let expected = CallError::Broken("outputs of one array differ in length");
    for (first, second) in [(10, 9), (9, 10)] {
        let mut memory = vec![0; 160];
        let given = Given::from([(0, memory.as_mut_slice())]);
        let args = args(first, second);
        let limits = CallLimits::default();
        let into = call_entry_into(&object, "we3_fields", &args, 0, &LAYOUTS, given, limits);
        assert_eq!(into.expect_err("uneven"), expected);
        let fresh = call_entry(&object, "we3_fields", &args, 0, &LAYOUTS, limits);
        assert_eq!(fresh.expect_err("uneven"), expected);
    }
}
