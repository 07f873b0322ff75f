"""Sums, scans and their like, of long vectors and of rows."""
import math
import numpy as np
from numba import prange
from registry import kernel
N, RN, RC = 1 << 24, 4096, 1024

@kernel("sum_f32_16M", flops32=N, rd=4 * N)
def _(P):
    N = P.size(1 << 24, 5000)
    import jax.numpy as jnp
    x = P.arr(N); o = np.zeros(1, np.float32); p = {}
    p["numpy"] = lambda: x.sum()
    def f(x):
        s = np.float32(0)
        for i in prange(x.shape[0]): s += x[i]
        return s
    P.nb(f, (x,), None, p)
    P.jax(jnp.sum, (x,), p)
    P.c("reduce", "sum", (x, o, N), o, p)
    P.we3("sum", "total", (x,), p)
    return p

def rows(P, scale=1.0):
    return P.rng(3).standard_normal((P.size(RN, 9), P.size(RC, 70)), dtype=np.float32) * np.float32(scale)

@kernel("softmax_4096x1024", dram=8 * RN * RC)
def _(P):
    import jax
    x = rows(P); RN, RC = x.shape; o = np.empty_like(x); p = {}
    def np_():
        e = np.exp(x - x.max(axis=1, keepdims=True)); e /= e.sum(axis=1, keepdims=True); return e
    p["numpy"] = np_
    def f(x, o):
        for i in prange(x.shape[0]):
            m = x[i, 0]
            for j in range(x.shape[1]): m = max(m, x[i, j])
            s = np.float32(0)
            for j in range(x.shape[1]):
                e = math.exp(x[i, j] - m); o[i, j] = e; s += e
            r = np.float32(1) / s
            for j in range(x.shape[1]): o[i, j] *= r
    P.nb(f, (x, o), o, p)
    P.jax(lambda x: jax.nn.softmax(x, axis=1), (x,), p)
    P.c("reduce", "softmax", (x, o, RN, RC), o, p)
    P.expert("softmax_x", (x, o, RN, RC), o, p)
    P.we3("softmax", "softmax", (x,), p)
    return p

@kernel("layernorm_4096x1024", dram=8 * RN * RC)
def _(P):
    import jax.numpy as jnp, jax.lax as lax
    x = rows(P); RN, RC = x.shape; g, b = P.arr(RC, seed=8), P.arr(RC, seed=9); o = np.empty_like(x); p = {}
    def np_():
        m = x.mean(axis=1, keepdims=True); v = x.var(axis=1, keepdims=True); return (x - m) / np.sqrt(v + np.float32(1e-5)) * g + b
    p["numpy"] = np_
    def f(x, g, b, o):
        n = x.shape[1]
        for i in prange(x.shape[0]):
            s = np.float32(0)
            for j in range(n): s += x[i, j]
            m = s / np.float32(n); q = np.float32(0)
            for j in range(n): q += (x[i, j] - m) * (x[i, j] - m)
            r = np.float32(1) / np.float32(math.sqrt(q / np.float32(n) + np.float32(1e-5)))
            for j in range(n): o[i, j] = (x[i, j] - m) * r * g[j] + b[j]
    P.nb(f, (x, g, b, o), o, p)
    def jf(x, g, b):
        m = x.mean(axis=1, keepdims=True); v = x.var(axis=1, keepdims=True); return (x - m) * lax.rsqrt(v + 1e-5) * g + b
    P.jax(jf, (x, g, b), p)
    P.c("reduce", "layernorm", (x, g, b, o, RN, RC), o, p)
    P.we3("layernorm", "layernorm", (x, g, b), p)
    return p

@kernel("argmax_rows_4096x1024", rtol=0, l3=4 * RN * RC)
def _(P):
    import jax.numpy as jnp
    x = rows(P); RN, RC = x.shape; o = np.empty(RN, np.int64); p = {}
    p["numpy"] = lambda: x.argmax(axis=1)
    def f(x, o):
        for i in prange(x.shape[0]):
            m = x[i, 0]; k = 0
            for j in range(x.shape[1]):
                if x[i, j] > m: m = x[i, j]; k = j
            o[i] = k
    P.nb(f, (x, o), o, p)
    P.jax(lambda x: jnp.argmax(x, axis=1), (x,), p)
    P.c("reduce", "argmax", (x, o, RN, RC), o, p)
    P.we3("argmax", "argmax_rows", (x,), p)
    return p

@kernel("logsumexp_4096x1024", l3=4 * RN * RC)
def _(P):
    import scipy.special as sp, jax
    x = rows(P, 3); RN, RC = x.shape; o = np.empty(RN, np.float32); p = {}
    def np_():
        m = x.max(axis=1, keepdims=True); return (np.log(np.exp(x - m).sum(axis=1)) + m[:, 0])
    p["numpy"] = np_
    p["scipy"] = lambda: sp.logsumexp(x, axis=1)
    def f(x, o):
        for i in prange(x.shape[0]):
            m = x[i, 0]
            for j in range(x.shape[1]): m = max(m, x[i, j])
            s = np.float32(0)
            for j in range(x.shape[1]): s += np.float32(math.exp(x[i, j] - m))
            o[i] = math.log(s) + m
    P.nb(f, (x, o), o, p)
    P.jax(lambda x: jax.nn.logsumexp(x, axis=1), (x,), p)
    P.c("reduce", "lse", (x, o, RN, RC), o, p)
    P.we3("logsumexp", "logsumexp", (x,), p)
    return p

@kernel("cumsum_f32_16M", flops32=N, dram=8 * N)
def _(P):
    N = P.size(1 << 24, 5000)
    import jax.numpy as jnp
    x = P.arr(N, lo=-1, hi=1); o = np.empty_like(x); p = {}
    p["numpy"] = lambda: np.cumsum(x, out=o)
    def f(x, o):
        s = np.float32(0)
        for i in range(x.shape[0]): s += x[i]; o[i] = s
    P.nb(f, (x, o), o, p, parallel=False)
    P.jax(jnp.cumsum, (x,), p)
    P.c("reduce", "cumsum", (x, o, N), o, p)
    P.expert("cumsum_x", (x, o, N), o, p)
    P.we3("cumsum", "cumsum", (x,), p)
    return p

@kernel("histogram_u8_16M", rtol=0, l3=N, cycles=N / 2)
def _(P):
    N = P.size(1 << 24, 5000)
    import jax.numpy as jnp
    x = P.rng(5).integers(0, 256, N, dtype=np.uint8); o = np.empty(256, np.int64); p = {}
    p["numpy"] = lambda: np.bincount(x, minlength=256)
    def f(x, o):
        o[:] = 0
        for i in range(x.shape[0]): o[x[i]] += 1
    P.nb(f, (x, o), o, p, parallel=False)
    P.jax(lambda x: jnp.bincount(x, length=256), (x,), p)
    P.c("reduce", "hist", (x, o, N), o, p)
    P.we3("histogram", "histogram", (x,), p)
    return p
