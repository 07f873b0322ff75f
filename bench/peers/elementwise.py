"""Element by element: bound by memory, or by the math functions."""
import math
import numpy as np
from numba import prange
from registry import kernel
N = 1 << 24

@kernel("saxpy_16M", flops32=2 * N, dram=12 * N)
def _(P):
    N = P.size(1 << 24, 5000)
    x, y = P.arr(N), P.arr(N, seed=1); o = np.empty_like(x); a = np.float32(1.7); p = {}
    def np_(): np.multiply(x, a, out=o); np.add(o, y, out=o); return o
    p["numpy"] = np_
    def f(a, x, y, o):
        for i in prange(x.shape[0]): o[i] = a * x[i] + y[i]
    P.nb(f, (a, x, y, o), o, p)
    P.jax(lambda x, y: a * x + y, (x, y), p)
    P.c("elementwise", "saxpy", (x, y, o, N, float(a)), o, p)
    P.expert("saxpy_x", (x, y, o, N, float(a)), o, p)
    P.we3("saxpy", "saxpy", (float(a), x, y), p)
    return p

@kernel("chain6_16M", flops32=7 * N, dram=20 * N)
def _(P):
    N = P.size(1 << 24, 5000)
    a, b, c, d = (P.arr(N, seed=i) for i in range(4)); o = np.empty_like(a); p = {}
    p["numpy"] = lambda: ((a * b + c * d) * a - b) / (c + np.float32(1.5))
    def f(a, b, c, d, o):
        for i in prange(a.shape[0]): o[i] = ((a[i] * b[i] + c[i] * d[i]) * a[i] - b[i]) / (c[i] + np.float32(1.5))
    P.nb(f, (a, b, c, d, o), o, p)
    P.jax(lambda a, b, c, d: ((a * b + c * d) * a - b) / (c + np.float32(1.5)), (a, b, c, d), p)
    P.c("elementwise", "chain6", (a, b, c, d, o, N), o, p)
    P.expert("chain6_x", (a, b, c, d, o, N), o, p)
    P.we3("chain6", "chain6", (a, b, c, d), p)
    return p

@kernel("exp_16M", dram=8 * N)
def _(P):
    N = P.size(1 << 24, 5000)
    x = P.arr(N, lo=-5, hi=5); o = np.empty_like(x); p = {}
    p["numpy"] = lambda: np.exp(x, out=o)
    def f(x, o):
        for i in prange(x.shape[0]): o[i] = math.exp(x[i])
    P.nb(f, (x, o), o, p)
    import jax.numpy as jnp
    P.jax(jnp.exp, (x,), p)
    P.c("elementwise", "vexp", (x, o, N), o, p)
    P.expert("vexp_x", (x, o, N), o, p)
    P.we3("exp", "vexp", (x,), p)
    return p

@kernel("erf_16M", dram=8 * N)
def _(P):
    N = P.size(1 << 24, 5000)
    import scipy.special as sp, jax.lax as lax
    x = P.arr(N, lo=-3, hi=3); o = np.empty_like(x); p = {}
    p["numpy"] = lambda: sp.erf(x, out=o)
    def f(x, o):
        for i in prange(x.shape[0]): o[i] = math.erf(x[i])
    P.nb(f, (x, o), o, p)
    P.jax(lax.erf, (x,), p)
    P.c("elementwise", "verf", (x, o, N), o, p)
    P.we3("erf", "verf", (x,), p)
    return p

@kernel("gelu_tanh_16M", dram=8 * N)
def _(P):
    N = P.size(1 << 24, 5000)
    import jax.numpy as jnp
    x = P.arr(N, lo=-4, hi=4); o = np.empty_like(x); p = {}
    c0, c1, h, one = np.float32(0.7978845608), np.float32(0.044715), np.float32(0.5), np.float32(1)
    p["numpy"] = lambda: h * x * (one + np.tanh(c0 * (x + c1 * x * x * x)))
    def f(x, o):
        for i in prange(x.shape[0]):
            v = x[i]; o[i] = h * v * (one + math.tanh(c0 * (v + c1 * v * v * v)))
    P.nb(f, (x, o), o, p)
    P.jax(lambda x: h * x * (one + jnp.tanh(c0 * (x + c1 * x * x * x))), (x,), p)
    P.c("elementwise", "gelu", (x, o, N), o, p)
    P.expert("gelu_x", (x, o, N), o, p)
    P.we3("gelu", "gelu", (x,), p)
    return p

M = 1 << 20
@kernel("black_scholes_1M_f64", dram=0, l3=5 * 8 * M, flops64=130 * M)   # ~130 flops: log, exp, 2 erf, sqrt, div as polynomials
def _(P):
    M = P.size(1 << 20, 1000)
    import scipy.special as sp, jax.numpy as jnp, jax.lax as lax
    S, K, t = (P.arr(M, np.float64, i, lo, hi) for i, (lo, hi) in enumerate([(20, 120), (20, 120), (.1, 2)])); r, v = 0.03, 0.25
    c, q = np.empty_like(S), np.empty_like(S); p = {}; s2 = math.sqrt(0.5)
    def g(erf, log, exp, sqrt):
        def bs(S, K, t):
            d1 = (log(S / K) + (r + .5 * v * v) * t) / (v * sqrt(t)); d2 = d1 - v * sqrt(t)
            n1, n2 = .5 * (1 + erf(d1 * s2)), .5 * (1 + erf(d2 * s2)); e = K * exp(-r * t)
            return S * n1 - e * n2, e * (1 - n2) - S * (1 - n1)
        return bs
    b = g(sp.erf, np.log, np.exp, np.sqrt); p["numpy"] = lambda: b(S, K, t)
    def f(S, K, t, c, q):
        for i in prange(S.shape[0]):
            sq = v * math.sqrt(t[i]); d1 = (math.log(S[i] / K[i]) + (r + .5 * v * v) * t[i]) / sq; d2 = d1 - sq
            n1 = .5 * (1 + math.erf(d1 * s2)); n2 = .5 * (1 + math.erf(d2 * s2)); e = K[i] * math.exp(-r * t[i])
            c[i] = S[i] * n1 - e * n2; q[i] = e * (1 - n2) - S[i] * (1 - n1)
    P.nb(f, (S, K, t, c, q), (c, q), p)
    P.jax(g(lax.erf, jnp.log, jnp.exp, jnp.sqrt), (S, K, t), p)
    P.c("elementwise", "bs", (S, K, t, c, q, M), (c, q), p)
    P.we3("black_scholes", "black_scholes", (S, K, t), p)
    return p
