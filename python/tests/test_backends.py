"""The same bits on every backend and from many threads at a time."""

import concurrent.futures
import os

import numpy as np
import pytest

import we3

SOURCE = """
pub fn softmax(x: f32[n, m]) -> f32[n, m] =
    [{
        let e = [exp(v - max(x[i])) for v in x[i]];
        e / sum(e)
    } for i];
"""
BACKENDS = ["interp", "cranelift"] + (["llvm"] if "WE3_LLVM_WORKER" in os.environ else [])


def test_backends_agree_bit_for_bit_and_with_numpy():
    x = np.random.default_rng(1).normal(size=(7, 130)).astype("f4")
    results = [we3.compile(SOURCE, backend=backend).softmax(x) for backend in BACKENDS]
    assert len({result.tobytes() for result in results}) == 1
    e = np.exp(x.astype("f8") - x.max(axis=1, keepdims=True))
    assert np.allclose(results[0], e / e.sum(axis=1, keepdims=True), rtol=1e-6)


def test_out_works_on_every_backend():
    x = np.random.default_rng(2).normal(size=(3, 5)).astype("f4")
    for backend in BACKENDS:
        out = np.empty_like(x)
        program = we3.compile(SOURCE, backend=backend)
        assert program.softmax(x, out=out) is out
        assert out.tobytes() == program.softmax(x).tobytes()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_change_bits(threads):
    x = np.random.default_rng(3).normal(size=(500, 300)).astype("f4")
    expected = we3.compile(SOURCE, threads=1).softmax(x)
    assert we3.compile(SOURCE, threads=threads).softmax(x).tobytes() == expected.tobytes()


def test_many_python_threads_call_and_compile_at_once():
    x = np.random.default_rng(4).normal(size=(40, 50)).astype("f4")
    program = we3.compile(SOURCE)
    expected = we3.compile(SOURCE, threads=1).softmax(x).tobytes()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: program.softmax(x).tobytes(), range(200)))
    assert set(results) == {expected}
