"""Arguments and results of every kind, against NumPy."""

import inspect

import numpy as np
import pytest

import we3


@pytest.fixture(scope="module")
def program():
    return we3.compile(
        """
        use std::complex::{Complex};

        /// A point of the plane.
        pub struct Point { x: f64, y: f64 }

        /// Twice each element.
        pub fn twice(x: f64[n]) -> f64[n] = 2.0 * x;
        pub fn turned(x: f32[n, m], k: i32 = 3) -> (f32[m, n], i32) = (transpose(x), k + 1);
        pub fn squares(z: Complex<f64>[n]) -> Complex<f64>[n] = [v * v for v in z];
        pub fn middle(a: Point, b: Point) -> Point = Point { x: 0.5 * (a.x + b.x), y: 0.5 * (a.y + b.y) };
        pub fn line(n: i64) -> Point[n] = [Point { x: i as f64, y: 1.0 } for i in 0..n];
        pub fn lengths(p: Point[n]) -> f64[n] = [sqrt(q.x * q.x + q.y * q.y) for q in p];
        pub fn positive(x: f64[n]) -> bool = all(v > 0.0 for v in x);
        pub fn above(x: f64[n], limit: f64) -> f64[?k] = filter(x, x > limit);
        pub fn pair(p: (f64, i64[n])) -> i64[n] = [v + p.0 as i64 for v in p.1];
        pub fn nothing(x: f64[n]) -> f64[0] = x[0..0];
        """
    )


def test_arrays_come_back_as_arrays(program):
    x = np.arange(5.0)
    assert np.array_equal(program.twice(x), 2 * x)
    assert program.twice(x).dtype == np.float64
    assert np.array_equal(program.twice(x=x), 2 * x)


def test_other_layouts_are_copied_into_c_order(program):
    x = np.arange(10.0)
    assert np.array_equal(program.twice(x[::2]), 2 * x[::2])
    assert np.array_equal(program.twice(x[::-1]), 2 * x[::-1])
    y = np.asfortranarray(np.arange(6, dtype="f4").reshape(2, 3))
    assert np.array_equal(program.turned(y)[0], y.T)


def test_numbers_written_out_take_the_type_that_is_wanted(program):
    assert program.twice([1, 2.5]).tolist() == [2.0, 5.0]
    assert program.twice([]).shape == (0,)
    with pytest.raises(TypeError, match="bool"):
        program.twice([True])
    with pytest.raises(OverflowError):
        program.pair((0.0, [2**64]))
    with pytest.raises(OverflowError):
        program.pair((0.0, [2**63]))
    assert program.twice([2**70]).tolist() == [2.0**71]
    for wrong in [[None], ["1"], [[1.0], [2.0, 3.0]], [1j]]:
        with pytest.raises(TypeError, match="argument `x"):
            program.twice(wrong)


def test_buffers_of_other_objects_are_read(program):
    import array

    assert program.twice(array.array("d", [1.0, 2.0])).tolist() == [2.0, 4.0]
    assert program.twice(memoryview(np.ones(3))).tolist() == [2.0] * 3


def test_defaults_and_tuples(program):
    x = np.ones((2, 3), "f4")
    turned, k = program.turned(x)
    assert turned.shape == (3, 2) and k == 4 and type(k) is int
    assert program.turned(x, -7)[1] == -6
    assert program.turned(x, k=np.int32(8))[1] == 9
    assert program.pair((2.0, np.arange(3))).tolist() == [2, 3, 4]


def test_complex_numbers_are_those_of_numpy(program):
    z = np.array([1j, 2 + 1j])
    result = program.squares(z)
    assert result.dtype == np.complex128 and np.array_equal(result, z * z)


def test_records(program):
    middle = program.middle({"x": 1, "y": 2}, program.middle({"x": 3, "y": 2}, {"x": 3, "y": 2}))
    assert (middle.x, middle.y) == (2.0, 2.0)
    line = program.line(3)
    assert line["x"].tolist() == [0.0, 1.0, 2.0]
    assert np.array_equal(program.lengths(line), np.hypot(line["x"], line["y"]))


def test_sizes_that_the_result_decides(program):
    x = np.array([3.0, -1.0, 2.0, 0.5])
    assert program.above(x, 0.75).tolist() == [3.0, 2.0]
    assert program.above(x, 9).shape == (0,)
    assert program.nothing(x).shape == (0,)
    assert program.positive(x) is False and program.positive(np.ones(0)) is True


def test_results_go_into_given_arrays(program):
    x, out = np.arange(5.0), np.full(5, -1.0)
    assert program.twice(x, out=out) is out
    assert out.tolist() == [0, 2, 4, 6, 8]
    wide = np.empty((3, 2), "f4")
    assert program.turned(np.ones((2, 3), "f4"), out=wide)[0] is wide
    with pytest.raises(ValueError, match="sizes"):
        program.twice(x, out=np.empty(4))
    with pytest.raises(ValueError, match="shares memory"):
        program.twice(x, out=x)
    with pytest.raises(TypeError, match="float64"):
        program.twice(x, out=np.empty(5, "f4"))
    with pytest.raises(TypeError, match="C order"):
        program.twice(x, out=np.empty(10)[::2])
    locked = np.empty(5)
    locked.flags.writeable = False
    with pytest.raises(TypeError, match="writable"):
        program.twice(x, out=locked)


def test_a_result_stays_when_all_else_is_gone():
    result = we3.compile("pub fn ones(n: i64) -> f64[n] = [1.0 for _ in 0..n];").ones(100_000)
    import gc

    gc.collect()
    assert result.sum() == 100_000 and result.flags.writeable


def test_kernels_say_what_they_are(program):
    assert program.twice.__name__ == "twice"
    assert program.twice.__doc__ == "twice(x: f64[n]) -> f64[n]\n\nTwice each element."
    assert list(inspect.signature(program.turned).parameters) == ["x", "k", "out"]
    assert "twice" in dir(program) and "twice" in repr(program)


def test_a_decorated_function_is_its_documentation():
    @we3.kernel
    def thrice(x):
        """pub fn thrice(x: f64[n]) -> f64[n] = 3.0 * x;"""

    assert thrice(np.ones(2)).tolist() == [3.0, 3.0]


def test_a_file_and_the_module_beside_it(tmp_path):
    (tmp_path / "main.we3").write_text("use helper::{half};\npub fn f(x: f64) -> f64 = half(x);\n")
    (tmp_path / "helper.we3").write_text("pub fn half(x: f64) -> f64 = 0.5 * x;\n")
    assert we3.load(tmp_path / "main.we3").f(3) == 1.5


def test_stubs_name_what_is_there():
    import ast
    import pathlib

    stub = ast.parse(pathlib.Path(we3.__file__).with_suffix(".pyi").read_text())
    named = {node.name for node in stub.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert named == {*we3.__all__, "load_ipython_extension"}
