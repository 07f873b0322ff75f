"""The cell magic, with a stand-in for IPython's shell."""

import numpy as np
import pytest

import we3


class Shell:
    """What IPython gives an extension."""

    def __init__(self):
        self.names, self.magics = {}, {}

    def register_magic_function(self, function, kind):
        self.magics[function.__name__] = (kind, function)

    def push(self, names):
        self.names.update(names)


@pytest.fixture
def shell():
    shell = Shell()
    we3.load_ipython_extension(shell)
    return shell


def test_a_cell_defines_functions(shell):
    kind, magic = shell.magics["we3"]
    assert kind == "cell"
    magic("--backend interp --threads 1", "pub fn twice(x: f64[n]) -> f64[n] = 2.0 * x;\n")
    assert shell.names["twice"](np.ones(2)).tolist() == [2.0, 2.0]


def test_errors_are_printed_and_define_nothing(shell, capsys):
    shell.magics["we3"][1]("", "pub fn f(x: f64) -> f64 = y;\n")
    assert "<cell>:1:" in capsys.readouterr().out and not shell.names


@pytest.mark.parametrize("line", ["--fast", "--threads", "llvm"])
def test_options_that_are_not_there(shell, line):
    with pytest.raises(ValueError, match="takes --backend"):
        shell.magics["we3"][1](line, "pub fn f() -> i64 = 1;")
