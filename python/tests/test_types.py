"""Every type of element, there and back."""

import numpy as np
import pytest

import we3

TYPES = {
    "bool": "bool",
    "i8": "int8",
    "i16": "int16",
    "i32": "int32",
    "i64": "int64",
    "u8": "uint8",
    "u16": "uint16",
    "u32": "uint32",
    "u64": "uint64",
    "f16": "float16",
    "f32": "float32",
    "f64": "float64",
}


@pytest.mark.parametrize("name, dtype", TYPES.items())
def test_arrays_and_scalars_keep_every_bit(name, dtype):
    program = we3.compile(f"""
        pub fn turned(x: {name}[n]) -> {name}[n] = reverse(x);
        pub fn same(x: {name}) -> {name} = x;
    """)
    if dtype == "bool":
        values = np.array([True, False, True])
    elif np.dtype(dtype).kind == "f":
        values = np.array([0.0, -0.0, 1.5, np.inf, -np.inf, np.finfo(dtype).max, np.finfo(dtype).tiny], dtype)
    else:
        limits = np.iinfo(dtype)
        values = np.array([0, 1, limits.min, limits.max, limits.max // 3], dtype)
    result = program.turned(values)
    assert result.dtype == values.dtype and result.tobytes() == values[::-1].tobytes()
    for value in values:
        given = program.same(value)
        assert np.array(given, dtype).tobytes() == value.tobytes()
        assert program.same(value.item()) == value.item()


def test_integers_out_of_range_are_refused():
    program = we3.compile("pub fn f(a: i8 = 0, b: u8 = 0, c: i64 = 0, d: u64 = 0) -> (i8, u8, i64, u64) = (a, b, c, d);")
    assert program.f(-128) == (-128, 0, 0, 0)
    for bad in [{"a": 128}, {"a": -129}, {"b": 256}, {"b": -1}, {"c": 2**63}, {"d": 2**64}, {"d": -1}]:
        with pytest.raises(OverflowError, match="is no"):
            program.f(**bad)
    for bad in [{"a": 1.0}, {"a": True}, {"a": "1"}, {"a": None}]:
        with pytest.raises(TypeError, match="has to be i8"):
            program.f(**bad)


def test_bfloat16_as_bits_or_as_ml_dtypes():
    program = we3.compile("pub fn f(x: bf16[n]) -> bf16[n] = x + x;")
    bits = np.array([0x3F80, 0xC000], "uint16")
    try:
        import ml_dtypes
    except ImportError:
        assert program.f(bits).tolist() == [0x4000, 0xC080]
    else:
        result = program.f(bits.view(ml_dtypes.bfloat16))
        assert result.view("uint16").tolist() == [0x4000, 0xC080]
