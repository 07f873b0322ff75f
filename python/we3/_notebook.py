"""`%%we3` in notebooks: the cell is a program, its `pub fn`s become functions of the notebook."""

import shlex

from we3 import _module, _native


def define(shell, line, cell):
    """Compiles a cell and puts its kernels into the shell's names; options: `--backend llvm`, `--threads 2`."""
    options, words = {}, shlex.split(line)
    while words:
        option = words.pop(0)
        if option not in ("--backend", "--threads") or not words:
            raise ValueError(f"%%we3 takes --backend NAME and --threads NUMBER, not {option!r}")
        value = words.pop(0)
        options[option[2:]] = int(value) if option == "--threads" else value
    module = _module.compile(cell, name="<cell>", **options)
    shell.push({name: getattr(module, name) for name in module.kernel_names()})
    return module


def load(shell):
    """Registers the magic with IPython."""

    def we3(line, cell):
        try:
            return define(shell, line, cell)
        except _native.CompileError as error:
            # The message shows the source; where in Python it was raised helps nobody.
            print(error)
            return None

    shell.register_magic_function(we3, "cell")
