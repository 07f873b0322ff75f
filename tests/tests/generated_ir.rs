//! Each operation of array IR × each element type × sizes × special values, on every backend (`make
//! suite-list` lists them). One test a type and kind, so that they run side by side.

use we3_ir::Scalar;
use we3_tests::generated_ir::run::{Data, check};
use we3_tests::generated_ir::{all, arrays, scalars};

macro_rules! types {
    ($($name:ident $ty:ident)*) => {
        mod scalars_of {
            $(#[test]
            fn $name() {
                super::check(&super::scalars(super::Scalar::$ty), super::Data::Grid);
            })*
        }
        mod arrays_of {
            $(#[test]
            fn $name() {
                super::check(&super::arrays(super::Scalar::$ty), super::Data::CalmAndWild);
            })*
        }
    };
}

types! {
    bool Bool i8 I8 i16 I16 i32 I32 i64 I64 u8 U8 u16 U16 u32 U32 u64 U64 f16 F16 bf16 Bf16 f32 F32 f64 F64
}

#[test]
fn every_operation_and_type_is_there() {
    let groups = all();
    assert_eq!(groups.len(), 2 * Scalar::ALL.len());
    let count: usize = groups.iter().map(|group| group.cases.len()).sum();
    assert!(count > 900, "only {count} cases");
}
