"""Fourier and number-theoretic transforms."""
import ctypes, ctypes.util
import numpy as np
from numba import prange
from registry import kernel
MOD = 998244353

def fftw(x, threads):
    """callable running an FFTW plan (MEASURE) over x, or None where FFTW is not installed"""
    dbl = x.dtype == np.complex128; n = "fftw3" if dbl else "fftw3f"; pre = "fftw_" if dbl else "fftwf_"
    so = ctypes.util.find_library(n)
    if not so: return None
    L = ctypes.CDLL(so, mode=ctypes.RTLD_GLOBAL)
    if threads > 1:
        LT = ctypes.CDLL(ctypes.util.find_library(n + "_threads")); getattr(LT, pre + "init_threads")(); getattr(LT, pre + "plan_with_nthreads")(threads)
    out, inp = np.empty_like(x), np.empty_like(x); V = ctypes.c_void_p
    mk = getattr(L, pre + "plan_dft"); mk.restype = V; mk.argtypes = [ctypes.c_int, V, V, V, ctypes.c_int, ctypes.c_uint]
    dims = (ctypes.c_int * x.ndim)(*x.shape); plan = mk(x.ndim, ctypes.addressof(dims), inp.ctypes.data, out.ctypes.data, -1, 0); inp[:] = x
    ex = getattr(L, pre + "execute"); ex.argtypes = [V]; ex.restype = None
    return lambda: (ex(plan), out, inp)[1]

def stockham(x, y, tw):
    n = x.shape[0]; s = 1
    while n > 1:
        m = n // 2
        for p in range(m):
            w = tw[p * s]
            for q in range(s):
                a = x[q + s * p]; b = x[q + s * (p + m)]; y[q + s * 2 * p] = a + b; y[q + s * (2 * p + 1)] = (a - b) * w
        x, y = y, x; n = m; s *= 2
    return x

@kernel("fft_c128_2p20", flops64=5 * 20 * 2 ** 20, l3=2 * 16 * 2 ** 20)
def _(P):
    import scipy.fft as sf, jax.numpy as jnp
    n = P.size(1 << 20, 256); x = P.arr(n, np.float64, lo=-1) + 1j * P.arr(n, np.float64, 1, -1); p = {}
    tw = np.exp(-2j * np.pi * np.arange(n // 2) / n); a, b = np.empty_like(x), np.empty_like(x)
    p["numpy"] = lambda: np.fft.fft(x)
    p["scipy"] = lambda: sf.fft(x, workers=P.threads)
    w = fftw(x, P.threads)
    if w: p["fftw"] = w
    import numba
    st = numba.njit(fastmath=True)(stockham)
    if P.threads == 1:
        def f():
            a[:] = x; return st(a, b, tw)
        p["numba_fast"] = f
    P.jax(jnp.fft.fft, (x,), p)
    P.c("fft", "fft_stockham", (x, a, b, tw, n), a, p)          # 20 passes: result ends in a
    P.we3("fft", "fft_c128", (x,), p)
    return p

@kernel("fft2_c64_1024", flops32=5 * 20 * 2 ** 20, l3=4 * 8 * 2 ** 20)
def _(P):
    import scipy.fft as sf, jax.numpy as jnp
    n = P.size(1024, 16); x = (P.arr((n, n), lo=-1) + 1j * P.arr((n, n), seed=1, lo=-1)).astype(np.complex64); p = {}
    p["numpy"] = lambda: np.fft.fft2(x)
    p["scipy"] = lambda: sf.fft2(x, workers=P.threads)
    w = fftw(x, P.threads)
    if w: p["fftw"] = w
    P.jax(jnp.fft.fft2, (x,), p)
    P.we3("fft2", "fft2_c64", (x,), p)
    return p

def roots(n):
    g = pow(3, (MOD - 1) // n, MOD); r = np.ones(n // 2, np.uint64); m = 1; c = g
    while m < n // 2: r[m:2 * m] = r[:m] * np.uint64(pow(g, m, MOD)) % np.uint64(MOD); m *= 2
    return r

def ntt_np(x, tw):                                              # vectorised Stockham, natural numpy
    n, s = x.shape[0], 1; M = np.uint64(MOD)
    while n > 1:
        m = n // 2; v = x.reshape(2, m, s); a, b = v[0], v[1]; y = np.empty((m, 2, s), np.uint64)
        y[:, 0] = (a + b) % M; y[:, 1] = (a + M - b) * tw[::s][:m, None] % M
        x = y.reshape(-1); n = m; s *= 2
    return x

def ntt_nb(x, a, b, tw):
    N = x.shape[0]; n = N; s = 1; M = np.uint64(MOD); a[:] = x
    while n > 1:
        m = n // 2
        for h in prange(N // 2):
            p = h // s; q = h - p * s; u = a[q + s * p]; v = a[q + s * (p + m)]; t = u + v
            b[q + s * 2 * p] = t - M if t >= M else t; b[q + s * (2 * p + 1)] = (u + M - v) * tw[p * s] % M
        a, b = b, a; n = m; s *= 2
    return a

@kernel("ntt_2p20", rtol=0, iops=20 * 2 ** 19 * 8, l3=2 * 4 * 2 ** 20)
def _(P):
    n = P.size(1 << 20, 256); x = P.rng(4).integers(0, MOD, n).astype(np.uint64); tw = roots(n); a, b = np.empty_like(x), np.empty_like(x); p = {}
    p["numpy"] = lambda: ntt_np(x, tw)
    P.nb(ntt_nb, (x, a, b, tw), None, p)
    P.jax(lambda x, tw: ntt_jax(x, tw), (x, tw), p)
    x4, tw4, a4, b4 = x.astype(np.uint32), tw.astype(np.uint32), np.empty(n, np.uint32), np.empty(n, np.uint32)
    P.c("fft", "ntt", (x4, a4, b4, tw4, n), a4, p)
    twm = (tw * np.uint64(pow(2, 32, MOD)) % np.uint64(MOD)).astype(np.uint32)
    P.c("fft", "ntt_mont", (x4, a4, b4, twm, n), a4, p, tag="_mont")
    P.we3("ntt", "ntt", (x4, tw4), p)
    return p

def ntt_jax(x, tw):
    import jax.numpy as jnp
    n, s = x.shape[0], 1; M = jnp.uint64(MOD)
    while n > 1:
        m = n // 2; v = x.reshape(2, m, s)
        x = jnp.stack([(v[0] + v[1]) % M, (v[0] + M - v[1]) * tw[::s][:m, None] % M], axis=1).reshape(-1); n = m; s *= 2
    return x

@kernel("polymul_mod_2p17", rtol=0, iops=3 * 18 * 2 ** 17 * 8)
def _(P):
    n = P.size(1 << 17, 64); N = 2 * n; f, g = (P.rng(i).integers(0, MOD, n).astype(np.uint64) for i in (6, 7)); p = {}; M = np.uint64(MOD)
    def np_():                                                  # 15-bit split, three real FFT products
        sp = lambda v: (np.fft.rfft((v & np.uint64(32767)).astype(np.float64), N), np.fft.rfft((v >> np.uint64(15)).astype(np.float64), N))
        a0, a1 = sp(f); b0, b1 = sp(g); r = lambda z: np.rint(np.fft.irfft(z, N)).astype(np.int64).astype(np.uint64) % M
        return (r(a0 * b0) + (r(a0 * b1 + a1 * b0) << np.uint64(15)) % M + (r(a1 * b1) * np.uint64(2 ** 30 % MOD)) % M) % M
    p["numpy"] = np_
    tw = roots(N); iw = tw.copy(); iw[1:] = np.uint64(MOD) - tw[1:][::-1]; inv = pow(N, MOD - 2, MOD)
    import numba
    nt = numba.njit(fastmath=True, parallel=P.threads > 1)(ntt_nb); B = [np.empty(N, np.uint64) for _ in range(5)]
    def nb():
        x, y = np.zeros(N, np.uint64), np.zeros(N, np.uint64); x[:n] = f; y[:n] = g
        u = nt(x, B[0], B[1], tw); v = nt(y, B[2], B[3], tw); return nt(u * v % M, B[4], np.empty(N, np.uint64), iw) * np.uint64(inv) % M
    p["numba_fast" if P.threads == 1 else "numba_par"] = nb
    m32 = lambda v: (v * np.uint64(pow(2, 32, MOD)) % M).astype(np.uint32)
    f4, g4 = f.astype(np.uint32), g.astype(np.uint32); o = np.empty(N, np.uint32); W = np.empty(6 * N, np.uint32)
    P.c("fft", "polymul", (f4, g4, o, W, m32(tw), m32(iw), n, int(inv * pow(2, 64, MOD) % MOD)), o, p, tag="_mont")
    P.we3("polymul", "polymul", (f4, g4, tw.astype(np.uint32), inv), p)
    return p
