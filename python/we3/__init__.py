"""Numeric kernels, written once in we3, called with NumPy arrays.

    import we3

    m = we3.compile('''
        pub fn softmax(x: f64[n]) -> f64[n] = {
            let e = [exp(v - max(x)) for v in x];
            e / sum(e)
        };
    ''')
    m.softmax(numpy.random.rand(1000))

Shapes are checked when the program is compiled, types are never converted silently, and results have the same bits on
every backend and with any number of threads.
"""

from we3._module import Module, compile, kernel, load
from we3._native import CompileError, Kernel, KernelError


def load_ipython_extension(shell):
    """`%load_ext we3` in a notebook, then `%%we3` before a cell that is a program."""
    from we3 import _notebook

    _notebook.load(shell)


__all__ = ["CompileError", "Kernel", "KernelError", "Module", "compile", "kernel", "load"]
