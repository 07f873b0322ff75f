"""Dense linear algebra."""
import math
import numpy as np
from numba import prange
from registry import kernel

def gemm(name, full, dt):
    kw = {"flops32" if dt == np.float32 else "flops64": 2 * full ** 3}
    @kernel(name, **kw)
    def _(P):
        n = P.size(full, 19); A, B = P.arr((n, n), dt, 0, -1), P.arr((n, n), dt, 1, -1); C = np.empty_like(A); p = {}
        p["numpy"] = lambda: np.matmul(A, B, out=C)          # OpenBLAS
        def f(A, B, C):
            for i in prange(A.shape[0]):
                C[i, :] = 0
                for k in range(A.shape[1]):
                    a = A[i, k]
                    for j in range(B.shape[1]): C[i, j] += a * B[k, j]
        if n <= 1024:
            P.nb(f, (A, B, C), C, p)
            P.c("linalg", "sgemm" if dt == np.float32 else "dgemm", (A, B, C, n), C, p)
        P.jax(lambda A, B: A @ B, (A, B), p)
        w = "sgemm" if dt == np.float32 else "dgemm"; P.we3(w, w, (A, B), p)
        P.expert("sgemm_x" if dt == np.float32 else "dgemm_x", (A, B, C, n), C, p)
        return p
for n in (64, 256, 1024, 2048): gemm(f"sgemm_{n}", n, np.float32)
for n in (64, 1024): gemm(f"dgemm_{n}", n, np.float64)

@kernel("batched_sgemm_1024x32", flops32=1024 * 2 * 32 ** 3)
def _(P):
    Bn, n = P.size(1024, 3), 32; A, B = P.arr((Bn, n, n), seed=0, lo=-1), P.arr((Bn, n, n), seed=1, lo=-1); C = np.empty_like(A); p = {}
    p["numpy"] = lambda: np.matmul(A, B, out=C)
    def f(A, B, C):
        for b in prange(A.shape[0]):
            for i in range(A.shape[1]):
                for j in range(A.shape[2]): C[b, i, j] = 0
                for k in range(A.shape[2]):
                    a = A[b, i, k]
                    for j in range(A.shape[2]): C[b, i, j] += a * B[b, k, j]
    P.nb(f, (A, B, C), C, p)
    P.jax(lambda A, B: A @ B, (A, B), p)
    P.c("linalg", "bgemm32", (A, B, C, Bn), C, p)
    P.we3("batched_sgemm", "batched_sgemm", (A, B), p)
    return p

@kernel("sgemv_4096", flops32=2 * 4096 ** 2, rd=4 * 4096 ** 2)
def _(P):
    n = P.size(4096, 70); A, x = P.arr((n, n), lo=-1), P.arr(n, seed=1, lo=-1); y = np.empty_like(x); p = {}
    p["numpy"] = lambda: np.matmul(A, x, out=y)
    def f(A, x, y):
        for i in prange(A.shape[0]):
            s = np.float32(0)
            for j in range(A.shape[1]): s += A[i, j] * x[j]
            y[i] = s
    P.nb(f, (A, x, y), y, p)
    P.jax(lambda A, x: A @ x, (A, x), p)
    P.c("linalg", "sgemv", (A, x, y, n), y, p)
    P.we3("sgemv", "sgemv", (A, x), p)
    return p

@kernel("dsyrk_1024", flops64=1024 ** 3)
def _(P):
    import scipy.linalg.blas as bl
    n = P.size(1024, 19); A = P.arr((n, n), np.float64, lo=-1); C = np.zeros((n, n)); p = {}; Af = np.asfortranarray(A)
    p["scipy"] = lambda: bl.dsyrk(1.0, Af, lower=1)
    p["numpy"] = lambda: A @ A.T
    def f(A, C):
        for i in prange(A.shape[0]):
            for j in range(i + 1):
                s = 0.0
                for k in range(A.shape[1]): s += A[i, k] * A[j, k]
                C[i, j] = s
    P.nb(f, (A, C), C, p)
    P.jax(lambda A: A @ A.T, (A,), p)
    P.c("linalg", "dsyrk", (A, C, n), C, p)
    P.we3("dsyrk", "dsyrk", (A,), p)
    return p
from registry import KERNELS
KERNELS["dsyrk_1024"]["compare"] = np.tril

def spd(P, n):
    A = P.arr((n, n), np.float64, lo=-1); return A @ A.T + n * np.eye(n)

@kernel("cholesky_f64_1024", flops64=1024 ** 3 / 3, compare=np.tril)
def _(P):
    import scipy.linalg as sl, jax.numpy as jnp
    n = P.size(1024, 19); A = spd(P, n); W = np.empty_like(A); p = {}
    p["scipy"] = lambda: sl.cholesky(A, lower=True, check_finite=False)
    p["numpy"] = lambda: np.linalg.cholesky(A)
    def f(A, W):
        W[:] = A; n = A.shape[0]
        for j in range(n):
            s = W[j, j]
            for k in range(j): s -= W[j, k] * W[j, k]
            W[j, j] = math.sqrt(s); r = 1 / W[j, j]
            for i in prange(j + 1, n):
                s = W[i, j]
                for k in range(j): s -= W[i, k] * W[j, k]
                W[i, j] = s * r
    P.nb(f, (A, W), W, p)
    P.jax(jnp.linalg.cholesky, (A,), p)
    P.c("linalg", "chol", (A, W, n), W, p)
    P.we3("cholesky", "cholesky", (A,), p)
    return p

@kernel("lu_f64_1024", flops64=2 * 1024 ** 3 / 3)
def _(P):
    import scipy.linalg as sl, jax.scipy.linalg as jl
    n = P.size(1024, 19); A = spd(P, n); W = np.empty_like(A); p = {}          # diagonally dominant, so pivoting changes nothing
    p["scipy"] = lambda: sl.lu_factor(A, check_finite=False)[0]
    def f(A, W):
        W[:] = A; n = A.shape[0]
        for k in range(n):
            b = 0; m = -1.0                                          # partial pivoting search, as a user would write
            for i in range(k, n):
                if abs(W[i, k]) > m: m = abs(W[i, k]); b = i
            if b != k:
                for j in range(n): t = W[k, j]; W[k, j] = W[b, j]; W[b, j] = t
            r = 1 / W[k, k]
            for i in prange(k + 1, n):
                l = W[i, k] * r; W[i, k] = l
                for j in range(k + 1, n): W[i, j] -= l * W[k, j]
    P.nb(f, (A, W), W, p)
    P.jax(lambda A: jl.lu_factor(A)[0], (A,), p)
    P.c("linalg", "lu", (A, W, n), W, p)
    P.we3("lu", "lu", (A,), p, lambda r: r[0])
    return p

@kernel("attention_8x1024x64", flops32=8 * (4 * 1024 * 1024 * 64 + 1024 * 1024 * 10))
def _(P):
    import jax, jax.numpy as jnp
    H, S, D = P.size(8, 2), P.size(1024, 17), 64; q, k, v = (P.arr((H, S, D), seed=i, lo=-1) for i in range(3)); o = np.empty_like(q); p = {}; sc = np.float32(1 / 8)
    def np_():
        s = (q @ k.transpose(0, 2, 1)) * sc; s -= s.max(-1, keepdims=True); np.exp(s, out=s); s /= s.sum(-1, keepdims=True); return s @ v
    p["numpy"] = np_
    def f(q, k, v, o):
        H, S, D = q.shape
        for t in prange(H * S):
            h = t // S; i = t % S; w = np.empty(S, np.float32); m = np.float32(-1e30)
            for j in range(S):
                s = np.float32(0)
                for d in range(D): s += q[h, i, d] * k[h, j, d]
                s *= sc; w[j] = s; m = max(m, s)
            z = np.float32(0)
            for d in range(D): o[h, i, d] = 0
            for j in range(S):
                e = np.float32(math.exp(w[j] - m)); z += e
                for d in range(D): o[h, i, d] += e * v[h, j, d]
            for d in range(D): o[h, i, d] /= z
    P.nb(f, (q, k, v, o), o, p)
    P.jax(lambda q, k, v: jax.nn.softmax(jnp.einsum("hqd,hkd->hqk", q, k) * sc, axis=-1) @ v, (q, k, v), p)
    P.c("linalg", "attn", (q, k, v, o, H, S), o, p)
    P.we3("attention", "attention", (q, k, v), p)
    return p
