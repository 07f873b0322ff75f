"""Types of we3 as those of NumPy and Python."""

import collections
import inspect
import keyword

import numpy

_SCALARS = {
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

_COMPLEX = {"Complex<f32>": "complex64", "Complex<f64>": "complex128"}


def _bfloat16():
    """The type of the package `ml_dtypes` (which JAX uses), else the bits as integers."""
    try:
        import ml_dtypes
    except ImportError:
        return numpy.dtype("uint16")
    return numpy.dtype(ml_dtypes.bfloat16)


def dtype(ty):
    """The NumPy type of an array's elements: C layout, complex numbers as NumPy's own."""
    if ty[0] == "scalar":
        return _bfloat16() if ty[1] == "bf16" else numpy.dtype(_SCALARS[ty[1]])
    if ty[0] == "record":
        if ty[1] in _COMPLEX:
            return numpy.dtype(_COMPLEX[ty[1]])
        return numpy.dtype([(name, dtype(field)) for name, field in ty[2]], align=True)
    return numpy.dtype([(f"f{number}", dtype(part)) for number, part in enumerate(ty[1])], align=True)


def dtypes(ty):
    """The NumPy types of all arrays in a type, depth first."""
    if ty[0] == "array":
        return [dtype(ty[1])]
    if ty[0] == "tuple":
        return [found for part in ty[1] for found in dtypes(part)]
    if ty[0] == "record":
        return [found for _, field in ty[2] for found in dtypes(field)]
    return []


def classes(ty):
    """A class for each record outside arrays, each before those inside it."""
    if ty[0] == "tuple":
        return [found for part in ty[1] for found in classes(part)]
    if ty[0] == "record":
        inner = [found for _, field in ty[2] for found in classes(field)]
        return [_record_class(ty), *inner]
    return []


def _record_class(ty):
    if ty[1] in _COMPLEX:
        return complex
    name = ty[1].split("<")[0].split("::")[-1]
    return collections.namedtuple(name, [field for field, _ in ty[2]], rename=True)


def signature(params):
    """What `inspect.signature` says of a kernel."""
    names = [name + "_" if keyword.iskeyword(name) else name for name, _, _, _ in params]
    made = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            annotation=text,
            default=... if optional else inspect.Parameter.empty,
        )
        for name, (_, text, _, optional) in zip(names, params)
    ]
    made.append(inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None))
    return inspect.Signature(made)
