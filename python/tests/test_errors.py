"""What is wrong is said where it is, in words, and nothing is lost."""

import numpy as np
import pytest

import we3


def test_errors_of_a_program_show_the_source():
    with pytest.raises(we3.CompileError) as told:
        we3.compile("pub fn steps(x: f64[n]) -> f64[n - 1] = x[1..] - x;\n", name="steps.we3")
    assert "error[E0307]" in str(told.value) and "steps.we3:1:41" in str(told.value)


def test_a_failed_check_shows_the_source():
    program = we3.compile("pub fn at(x: i64[n], i: i64) -> i64 = x[i];")
    with pytest.raises(we3.KernelError, match="index 7 is out of range") as told:
        program.at(np.arange(4), 7)
    assert "x[i]" in str(told.value)
    assert program.at(np.arange(4), 3) == 3


def test_arguments_that_do_not_fit():
    program = we3.compile("pub fn add(a: f64[n], b: f64[n]) -> f64[n] = a + b;")
    x = np.ones(3)
    for wrong, said in [
        ((x, x.astype("f4")), r"float32, not float64; `x.astype\('float64'\)`"),
        ((x, x.astype(">f8")), "other order"),
        ((x, np.ones((3, 1))), r"2 axes \(3, 1\), not 1"),
        ((x, "abc"), "an array is needed, not str"),
        ((x, None), "an array is needed, not NoneType"),
        ((x,), "`b: f64\\[n\\]` is missing"),
        ((x, x, x), "takes 2 arguments, not 3"),
    ]:
        with pytest.raises(TypeError, match=said):
            program.add(*wrong)
    with pytest.raises(TypeError, match="no parameter `c`"):
        program.add(x, x, c=x)
    with pytest.raises(TypeError, match="`a` twice"):
        program.add(x, x, a=x)
    with pytest.raises(we3.KernelError, match="sizes differ"):
        program.add(x, np.ones(4))


def test_what_is_not_there():
    with pytest.raises(FileNotFoundError):
        we3.load("there-is-no-such-file.we3")
    with pytest.raises(ValueError, match="cranelift"):
        we3.compile("pub fn f() -> i64 = 1;", backend="tpu")
    with pytest.raises(AttributeError, match="there are: f"):
        we3.compile("pub fn f() -> i64 = 1;").g
    with pytest.raises(ValueError, match="needs a thread"):
        we3.compile("pub fn f() -> i64 = 1;", threads=0)
    with pytest.raises(TypeError, match="docstring"):
        we3.kernel(lambda x: x)


def test_more_memory_than_there_is():
    program = we3.compile("pub fn f(n: i64) -> f64[n] = [i as f64 for i in 0..n];")
    with pytest.raises((MemoryError, we3.KernelError)):
        program.f(2**46)
    assert program.f(3).tolist() == [0, 1, 2]


def test_warnings_are_warnings():
    with pytest.warns(UserWarning, match="never used"):
        we3.compile("pub fn f(x: i64) -> i64 = { let unused = x; 1 };")
