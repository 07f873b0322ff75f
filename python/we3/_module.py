"""Programs as Python objects whose attributes are kernels."""

import inspect
import os
import pathlib
import textwrap
import warnings

import numpy

from we3 import _convert, _native, _types

_WORKER = pathlib.Path(__file__).with_name("we3-llvm")


class Module:
    """A checked program. Its `pub fn`s are attributes; `dir(module)` lists them."""

    def __init__(self, program, name, threads):
        if program.warnings:
            warnings.warn(program.warnings, stacklevel=3)
        self._name = name
        self._kernels = {}
        for number, (entry, signature, docs, params, result) in enumerate(program.entries()):
            kernel = program.kernel(
                number,
                [found for _, _, ty, _ in params for found in _types.dtypes(ty)],
                _types.dtypes(result),
                _types.classes(result),
                (numpy.ndarray, _convert.array),
                threads,
            )
            kernel.__name__ = kernel.__qualname__ = entry
            kernel.__doc__ = f"{signature}\n\n{docs}".rstrip()
            kernel.__signature__ = _types.signature(params)
            self._kernels[entry] = kernel

    def __getattr__(self, name):
        kernels = self.__dict__.get("_kernels", {})
        if name in kernels:
            return kernels[name]
        there = ", ".join(kernels) or "none"
        raise AttributeError(f"{self._name} has no `pub fn {name}`; there are: {there}")

    def __dir__(self):
        return [*super().__dir__(), *self._kernels]

    def kernel_names(self):
        """The names of its `pub fn`s."""
        return list(self._kernels)

    def __repr__(self):
        return f"<we3 module {self._name}: {', '.join(self._kernels)}>"


def _backend(wanted):
    """Tells the runtime where the package has its LLVM worker."""
    if _WORKER.is_file():
        os.environ.setdefault("WE3_LLVM_WORKER", str(_WORKER))
    return wanted


def load(path, *, backend="cranelift", threads=None):
    """The program in a file; other modules of it lie beside it.

    `backend`: "cranelift" compiles in milliseconds, "llvm" makes the fastest code, "interp" is the reference; results have
    the same bits on all of them. `threads`: how many a kernel may use (all cores, or `WE3_THREADS`).
    """
    path = pathlib.Path(path)
    return Module(_native.open_file(path, _backend(backend)), path.name, threads)


def compile(source, *, name="<program>", backend="cranelift", threads=None):
    """A program from its text. For `backend` and `threads` see `load`."""
    text = textwrap.dedent(source).lstrip("\n")
    return Module(_native.open_text(name, text, _backend(backend)), name, threads)


def kernel(function=None, *, backend="cranelift", threads=None):
    """A function whose documentation is a we3 program becomes the program's kernel of the same name.

        @we3.kernel
        def twice(x):
            '''pub fn twice(x: f64[n]) -> f64[n] = 2.0 * x;'''
    """
    if function is None:
        return lambda function: kernel(function, backend=backend, threads=threads)
    if not function.__doc__:
        raise TypeError(f"`{function.__name__}` needs a docstring that is a we3 program")
    place = inspect.getsourcefile(function) or "<program>"
    module = compile(function.__doc__, name=f"{place}:{function.__name__}", backend=backend, threads=threads)
    return getattr(module, function.__name__)
