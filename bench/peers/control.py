"""Loops with data-dependent ends, recurrences, dynamic programming."""
import math
import numpy as np
from numba import prange
from registry import kernel, KERNELS

@kernel("mandelbrot_1024_f64", rtol=1e-2)
def _(P):
    import jax, jax.numpy as jnp
    n, it = P.size(1024, 40), 200; o = np.empty((n, n), np.int32); p = {}
    xs = np.linspace(-2, .5, n); ys = np.linspace(-1.25, 1.25, n)
    def np_():
        c = xs[None, :] + 1j * ys[:, None]; z = np.zeros_like(c); r = np.full((n, n), it, np.int32); idx = np.arange(n * n); c = c.ravel(); z = z.ravel(); r = r.ravel()
        for k in range(it):
            z = z * z + c; e = z.real * z.real + z.imag * z.imag > 4
            r[idx[e]] = k; m = ~e; z, c, idx = z[m], c[m], idx[m]
        return r.reshape(n, n)
    p["numpy"] = np_
    def f(xs, ys, it, o):
        for i in prange(ys.shape[0]):
            for j in range(xs.shape[0]):
                a = 0.0; b = 0.0; k = 0
                while k < it:
                    t = a * a - b * b + xs[j]; b = 2 * a * b + ys[i]; a = t
                    if a * a + b * b > 4: break
                    k += 1
                o[i, j] = k
    P.nb(f, (xs, ys, it, o), o, p)
    def jf(xs, ys):
        cx, cy = jnp.broadcast_to(xs[None, :], (n, n)), jnp.broadcast_to(ys[:, None], (n, n))
        def body(s):
            k, a, b, r, live = s; t = a * a - b * b + cx; b = 2 * a * b + cy; live2 = live & (t * t + b * b <= 4)
            return k + 1, t, b, jnp.where(live2, r + 1, r), live2
        z = jnp.zeros((n, n)); return jax.lax.while_loop(lambda s: (s[0] < it) & s[4].any(), body, (0, z, z, jnp.zeros((n, n), jnp.int32), jnp.ones((n, n), bool)))[3]
    P.jax(jf, (xs, ys), p)
    P.c("control", "mandel", (xs, ys, o, n, it), o, p)
    P.expert("mandel_x", (xs, ys, o, n, it), o, p)
    KERNELS["mandelbrot_1024_f64"]["work"]["flops64"] = int(np_().sum()) * 2 * 7        # 7 vector instructions per iteration (each counted as one FMA slot)
    P.we3("mandelbrot", "mandelbrot", (xs, ys, it), p)
    return p

@kernel("nbody_2048_f32", flops32=2 * 13 * 2048 ** 2)                       # 13 vector instructions per pair incl. rsqrt
def _(P):
    import jax.numpy as jnp, jax.lax as lax
    n = P.size(2048, 70); x, y, z, m = (P.arr(n, seed=i, lo=-1) for i in range(4)); o = np.empty((3, n), np.float32); p = {}; e = np.float32(1e-3)
    def g(xp, rs):
        def h(x, y, z, m):
            dx, dy, dz = x[None] - x[:, None], y[None] - y[:, None], z[None] - z[:, None]
            w = rs(dx * dx + dy * dy + dz * dz + e); w = w * w * w * m[None]
            return xp.stack([(dx * w).sum(1), (dy * w).sum(1), (dz * w).sum(1)])
        return h
    q = g(np, lambda v: 1 / np.sqrt(v)); p["numpy"] = lambda: q(x, y, z, m)
    one = np.float32(1)
    def f(x, y, z, m, o):
        for i in prange(x.shape[0]):
            a = np.float32(0); b = np.float32(0); c = np.float32(0)
            for j in range(x.shape[0]):
                dx = x[j] - x[i]; dy = y[j] - y[i]; dz = z[j] - z[i]
                w = one / np.sqrt(dx * dx + dy * dy + dz * dz + e); w = w * w * w * m[j]; a += dx * w; b += dy * w; c += dz * w
            o[0, i] = a; o[1, i] = b; o[2, i] = c
    P.nb(f, (x, y, z, m, o), o, p)
    P.jax(g(jnp, lax.rsqrt), (x, y, z, m), p)
    P.c("control", "nbody", (x, y, z, m, o, n), o, p)
    P.we3("nbody", "nbody", (x, y, z, m), p, np.stack)
    return p

@kernel("sieve_10M", rtol=0, cycles=4.3e6)
def _(P):
    n = P.size(10_000_000, 5000); s = np.empty(n, np.uint8); o = np.zeros(1, np.int64); p = {}
    def np_():
        s[:] = 1; s[:2] = 0; s[4::2] = 0
        for i in range(3, int(n ** .5) + 1, 2):
            if s[i]: s[i * i::2 * i] = 0
        return np.count_nonzero(s)
    p["numpy"] = np_
    def f(s):
        n = s.shape[0]; s[:] = 1; s[0] = 0; s[1] = 0; i = 2
        while i * i < n:
            if s[i]:
                for j in range(i * i, n, i): s[j] = 0
            i += 1
        c = 0
        for i in range(n): c += s[i]
        return c
    P.nb(f, (s,), None, p, parallel=False)
    P.c("control", "sieve", (s, o, n), o, p)
    P.c("control", "sieve_seg", (s, o, n), o, p, tag="_seg")
    P.we3("sieve", "sieve", (n,), p)
    return p

@kernel("smith_waterman_4096", rtol=0, iops=6 * 4096 ** 2)
def _(P):
    import jax, jax.numpy as jnp
    n = P.size(4096, 70); a, b = (P.rng(i).integers(0, 4, n).astype(np.int32) for i in (1, 2)); o = np.zeros(1, np.int32); W = np.zeros(2 * (n + 1), np.int32); p = {}
    def np_():                                                  # anti-diagonals
        d0 = np.zeros(n + 1, np.int32); d1 = np.zeros(n + 1, np.int32); best = 0; br = b[::-1]
        for k in range(2, 2 * n + 1):
            lo, hi = max(1, k - n), min(n, k - 1); d2 = np.zeros(n + 1, np.int32)
            sc = np.where(a[lo - 1:hi] == br[n - k + lo:n - k + hi + 1], 2, -1).astype(np.int32)
            v = np.maximum(np.maximum(d0[lo - 1:hi] + sc, 0), np.maximum(d1[lo - 1:hi], d1[lo:hi + 1]) - 1); d2[lo:hi + 1] = v
            best = max(best, int(v.max())); d0, d1 = d1, d2
        return best
    p["numpy"] = np_
    def f(a, b, W):
        n = a.shape[0]; h = np.zeros(n + 1, np.int32); best = np.int32(0)
        for i in range(n):
            diag = np.int32(0); left = np.int32(0)
            for j in range(1, n + 1):
                s = np.int32(2) if a[i] == b[j - 1] else np.int32(-1)
                v = max(np.int32(0), diag + s, h[j] - np.int32(1), left - np.int32(1)); diag = h[j]; h[j] = v; left = v; best = max(best, v)
        return best
    P.nb(f, (a, b, W), None, p, parallel=False)
    def jf(a, b):
        i = jnp.arange(1, n + 1); br = b[::-1]; bp = jnp.concatenate([jnp.full(n, -1), br, jnp.full(n, -2)]).astype(jnp.int32)
        def step(c, k):
            d0, d1, best = c; bb = jax.lax.dynamic_slice(bp, (2 * n - k + 1,), (n,))
            sc = jnp.where(a == bb, 2, -1).astype(jnp.int32); ok = (i >= k - n) & (i <= k - 1)
            v = jnp.where(ok, jnp.maximum(jnp.maximum(d0[:-1] + sc, 0), jnp.maximum(d1[:-1], d1[1:]) - 1), 0).astype(jnp.int32)
            return (d1, jnp.concatenate([jnp.zeros(1, jnp.int32), v]), jnp.maximum(best, v.max())), None
        z = jnp.zeros(n + 1, jnp.int32); return jax.lax.scan(step, (z, z, jnp.int32(0)), jnp.arange(2, 2 * n + 1))[0][2]
    P.jax(jf, (a, b), p)
    P.c("control", "sw", (a, b, W, o, n), o, p)
    P.c("control", "sw_diag", (a, b, np.zeros(4 * (n + 64), np.int32), o, n), o, p, tag="_diag")
    P.we3("smith_waterman", "smith_waterman", (a, b), p)
    return p

@kernel("linrec_4096x1024_f32", flops32=2 * 4096 * 1024, dram=12 * 4096 * 1024)
def _(P):
    import jax, jax.numpy as jnp
    T, D = P.size(4096, 9), P.size(1024, 70); a, b = P.arr((T, D), lo=.5), P.arr((T, D), seed=1, lo=-1); o = np.empty_like(a); p = {}
    def np_():
        h = np.zeros(D, np.float32)
        for t in range(T): h = a[t] * h + b[t]; o[t] = h
        return o
    p["numpy"] = np_
    def f(a, b, o):
        for j in range(a.shape[1]): o[0, j] = b[0, j]
        for t in range(1, a.shape[0]):
            for j in range(a.shape[1]): o[t, j] = a[t, j] * o[t - 1, j] + b[t, j]
    P.nb(f, (a, b, o), o, p, parallel=False)
    def jf(a, b):
        def s(h, ab): h = ab[0] * h + ab[1]; return h, h
        return jax.lax.scan(s, jnp.zeros(D, jnp.float32), (a, b))[1]
    P.jax(jf, (a, b), p)
    P.c("control", "linrec", (a, b, o, T, D), o, p)
    P.we3("linrec", "linrec", (a, b), p)
    return p

@kernel("linrec_1d_4M_f32", flops32=2 * 4 * 2 ** 20, dram=12 * 2 ** 22)
def _(P):
    import jax, jax.numpy as jnp
    n = P.size(1 << 22, 5000); a, b = P.arr(n, lo=.5), P.arr(n, seed=1, lo=-1); o = np.empty_like(a); p = {}
    def f(a, b, o):
        h = np.float32(0)
        for i in range(a.shape[0]): h = a[i] * h + b[i]; o[i] = h
    P.nb(f, (a, b, o), o, p, parallel=False)
    P.jax(lambda a, b: jax.lax.associative_scan(lambda l, r: (l[0] * r[0], r[0] * l[1] + r[1]), (a, b))[1], (a, b), p)
    P.c("control", "linrec1", (a, b, o, n), o, p)
    P.we3("linrec_1d", "linrec_1d", (a, b), p)
    return p

@kernel("floyd_warshall_512_f32", flops32=4 * 512 ** 3)                     # add and min: two instructions per update
def _(P):
    import jax, jax.numpy as jnp
    n = P.size(512, 33); d = P.arr((n, n), lo=1, hi=100); o = np.empty_like(d); p = {}
    def np_():
        o[:] = d
        for k in range(n): np.minimum(o, o[:, k, None] + o[k], out=o)
        return o
    p["numpy"] = np_
    import scipy.sparse.csgraph as cg
    p["scipy"] = lambda: cg.floyd_warshall(d)
    def f(d, o):
        o[:] = d; n = d.shape[0]
        for k in range(n):
            for i in prange(n):
                a = o[i, k]
                for j in range(n): o[i, j] = min(o[i, j], a + o[k, j])
    o2 = np.empty_like(d)
    P.nb(f, (d, o2), o2, p)
    P.jax(lambda d: jax.lax.fori_loop(0, n, lambda k, o: jnp.minimum(o, o[:, k, None] + o[k]), d), (d,), p)
    o3 = np.empty_like(d)
    P.c("control", "fw", (d, o3, n), o3, p)
    P.we3("floyd_warshall", "floyd_warshall", (d,), p)
    return p
KERNELS["floyd_warshall_512_f32"]["compare"] = lambda x: x - np.diag(np.diag(x))

@kernel("life_1024x50", rtol=0, l2=50 * 2 * 1024 ** 2)
def _(P):
    import jax, jax.numpy as jnp
    n, T = P.size(1024, 33), P.size(50, 7); g = P.rng(3).integers(0, 2, (n, n), dtype=np.uint8); p = {}; a, b = np.zeros((n + 2, n + 2), np.uint8), np.zeros((n + 2, n + 2), np.uint8)
    def cnt(x): return x[:-2, :-2] + x[:-2, 1:-1] + x[:-2, 2:] + x[1:-1, :-2] + x[1:-1, 2:] + x[2:, :-2] + x[2:, 1:-1] + x[2:, 2:]
    def np_():
        x = np.zeros((n + 2, n + 2), np.uint8); x[1:-1, 1:-1] = g
        for _ in range(T): c = cnt(x); x[1:-1, 1:-1] = (c == 3) | ((c == 2) & (x[1:-1, 1:-1] == 1))
        return x[1:-1, 1:-1]
    p["numpy"] = np_
    o = a[1:-1, 1:-1]
    def f(g, a, b, T):
        n = g.shape[0]; a[:] = 0; b[:] = 0; a[1:-1, 1:-1] = g; x, y = a, b
        for t in range(T):
            for i in prange(1, n + 1):
                for j in range(1, n + 1):
                    c = np.uint8(x[i - 1, j - 1] + x[i - 1, j] + x[i - 1, j + 1] + x[i, j - 1] + x[i, j + 1] + x[i + 1, j - 1] + x[i + 1, j] + x[i + 1, j + 1])
                    y[i, j] = (c == 3) | ((c == 2) & (x[i, j] == 1))
            x, y = y, x
    P.nb(f, (g, a, b, T), o, p)
    def jstep(i, x): c = cnt(x); return x.at[1:-1, 1:-1].set(((c == 3) | ((c == 2) & (x[1:-1, 1:-1] == 1))).astype(jnp.uint8))
    P.jax(lambda g: jax.lax.fori_loop(0, T, jstep, jnp.pad(g, 1))[1:-1, 1:-1], (g,), p)
    P.c("control", "life", (g, a, b, n, T), o, p)
    P.we3("life", "life", (g, T), p)
    return p

@kernel("delta_rule_8x1024x64", flops32=8 * 1024 * 6 * 64 * 64)
def _(P):
    import jax, jax.numpy as jnp
    H, T, D = P.size(8, 2), P.size(1024, 9), 64; q, k, v = (P.arr((H, T, D), seed=i, lo=-1) for i in range(3)); k /= np.linalg.norm(k, axis=-1, keepdims=True); be = P.arr((H, T), seed=5)
    o = np.empty_like(q); p = {}
    def np_():
        S = np.zeros((H, D, D), np.float32)
        for t in range(T):
            kt = k[:, t, :, None]; u = S @ kt; S += (be[:, t, None, None] * (v[:, t, :, None] - u)) * kt.transpose(0, 2, 1); o[:, t] = (S @ q[:, t, :, None])[..., 0]
        return o
    p["numpy"] = np_
    def f(q, k, v, be, o):
        H, T, D = q.shape
        for h in prange(H):
            S = np.zeros((D, D), np.float32)
            for t in range(T):
                for i in range(D):
                    u = np.float32(0)
                    for j in range(D): u += S[i, j] * k[h, t, j]
                    w = be[h, t] * (v[h, t, i] - u); z = np.float32(0)
                    for j in range(D): S[i, j] += w * k[h, t, j]; z += S[i, j] * q[h, t, j]
                    o[h, t, i] = z
    P.nb(f, (q, k, v, be, o), o, p)
    def jf(q, k, v, be):
        def head(q, k, v, be):
            def s(S, x): qt, kt, vt, bt = x; S = S + jnp.outer(bt * (vt - S @ kt), kt); return S, S @ qt
            return jax.lax.scan(s, jnp.zeros((D, D), jnp.float32), (q, k, v, be))[1]
        return jax.vmap(head)(q, k, v, be)
    P.jax(jf, (q, k, v, be), p)
    P.c("control", "delta", (q, k, v, be, o, H, T), o, p)
    P.we3("delta_rule", "delta_rule", (q, k, v, be), p)
    return p

@kernel("newton_kepler_1M_f64", flops64=2 ** 20 * 4 * 40)                   # about 4 iterations x 40 flops (sin + cos + div)
def _(P):
    import jax, jax.numpy as jnp, numba
    n = P.size(1 << 20, 300); M, e = P.arr(n, np.float64, 0, 0, 6.28), P.arr(n, np.float64, 1, 0, .8); o = np.empty_like(M); p = {}
    def np_():
        x = M + e * np.sin(M)
        for _ in range(50):
            d = (x - e * np.sin(x) - M) / (1 - e * np.cos(x)); x -= d
            if np.abs(d).max() < 1e-10: break
        return x
    p["numpy"] = np_
    @numba.njit(inline="always")
    def fn(x, e, M): return x - e * math.sin(x) - M, 1 - e * math.cos(x)
    def f(M, e, o):
        for i in prange(M.shape[0]):
            x = M[i] + e[i] * math.sin(M[i])
            for _ in range(50):
                y, dy = fn(x, e[i], M[i]); d = y / dy; x -= d
                if abs(d) < 1e-10: break
            o[i] = x
    P.nb(f, (M, e, o), o, p)
    def solve(fun):                                             # black box: derivative by autodiff
        def s(c):
            x, d, k = c; y, dy = jax.jvp(fun, (x,), (jnp.ones_like(x),)); d = y / dy; return x - d, d, k + 1
        return s
    P.jax(lambda M, e: jax.lax.while_loop(lambda c: (jnp.abs(c[1]).max() >= 1e-10) & (c[2] < 50), solve(lambda x: x - e * jnp.sin(x) - M), (M + e * jnp.sin(M), jnp.ones_like(M), 0))[0], (M, e), p)
    P.c("control", "kepler", (M, e, o, n), o, p)
    P.we3("kepler", "kepler", (M, e), p)
    return p
