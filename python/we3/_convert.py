"""Arguments that are not yet arrays of the right type in C order: what may be converted, and what is said of the rest."""

import numpy


def array(value, dtype, rank, label):
    """`value` as an array of this type and rank, in C order; a copy only where it is not."""
    found = _array_of(value, dtype, label)
    if found.dtype != dtype:
        raise TypeError(f"{label}: the elements are {found.dtype}, not {dtype}; {_advice(found.dtype, dtype)}")
    if found.ndim != rank:
        raise TypeError(f"{label}: the array has {found.ndim} axes {found.shape}, not {rank}")
    found = numpy.ascontiguousarray(found)
    # The buffer protocol has no words for some types; their size is all that a kernel needs.
    return found if found.dtype.isbuiltin == 1 else found.view(f"V{dtype.itemsize}")


def _array_of(value, dtype, label):
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return numpy.asarray(value)
    if isinstance(value, (list, tuple)):
        return _literal(value, dtype, label)
    if hasattr(value, "__array_interface__") or hasattr(value, "__array__"):
        return numpy.asarray(value)
    if hasattr(value, "__dlpack__"):
        return numpy.from_dlpack(value)
    try:
        return numpy.asarray(memoryview(value))
    except TypeError:
        raise TypeError(f"{label}: an array is needed, not {type(value).__name__}") from None


def _literal(value, dtype, label):
    """Numbers written out take the type that is wanted, if they are of its kind."""
    try:
        plain = numpy.array(value)
    except ValueError as error:
        raise TypeError(f"{label}: {error}") from None
    if plain.dtype == object and dtype.kind in "iuf" and all(type(number) is int for number in plain.flat):
        # Integers beyond 64 bits.
        try:
            return plain.astype(dtype)
        except OverflowError as error:
            raise OverflowError(f"{label}: {error}") from None
    kinds = {"b": "b", "i": "biu", "u": "biu", "f": "iuf", "c": "iufc"}.get(dtype.kind, "")
    if plain.size and dtype.kind in "iu" and plain.dtype.kind in "iu":
        limits = numpy.iinfo(dtype)
        if int(plain.min()) < limits.min or int(plain.max()) > limits.max:
            raise OverflowError(f"{label}: a number is out of the range of {dtype}")
    if plain.size == 0 or (plain.dtype.kind in kinds and not (plain.dtype.kind == "b" and dtype.kind != "b")):
        return plain.astype(dtype)
    return plain


def _advice(found, wanted):
    if found.newbyteorder() == wanted:
        return "its bytes are in the other order: `x.astype(x.dtype.newbyteorder())`"
    if wanted.fields is not None:
        return f"make it with `dtype=numpy.dtype({wanted.descr}, align=True)`"
    return f"`x.astype({wanted.name!r})` converts them"
