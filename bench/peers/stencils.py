"""Convolutions and stencils."""
import numpy as np
from numba import prange
from registry import kernel

def conv(name, C, K, H):
    @kernel(name, flops32=2 * C * K * H * H * 9)
    def _(P, C=C, K=K, H=H):
        C, K, H = P.size(C, 3), P.size(K, 5), P.size(H, 9)
        import jax.lax as lax
        x, w = P.arr((1, C, H, H), lo=-1), P.arr((K, C, 3, 3), seed=1, lo=-1); o = np.empty((1, K, H, H), np.float32); p = {}
        xp = np.zeros((C, H + 2, H + 2), np.float32)
        def np_():                                              # im2col by strided view + sgemm
            xp[:, 1:-1, 1:-1] = x[0]
            s = np.lib.stride_tricks.sliding_window_view(xp, (3, 3), axis=(1, 2))      # C,H,W,3,3
            return (w.reshape(K, -1) @ s.transpose(0, 3, 4, 1, 2).reshape(C * 9, H * H)).reshape(1, K, H, H)
        p["numpy"] = np_
        def f(x, w, o):
            K, C = w.shape[0], w.shape[1]; H, W = x.shape[2], x.shape[3]
            for k in prange(K):
                for y in range(H):
                    for z in range(W): o[0, k, y, z] = 0
                for c in range(C):
                    for dy in range(3):
                        for dx in range(3):
                            a = w[k, c, dy, dx]; x0 = max(0, 1 - dx); x1 = min(W, W + 1 - dx)
                            for y in range(max(0, 1 - dy), min(H, H + 1 - dy)):
                                for z in range(x0, x1): o[0, k, y, z] += a * x[0, c, y + dy - 1, z + dx - 1]
        P.nb(f, (x, w, o), o, p)
        P.jax(lambda x, w: lax.conv_general_dilated(x, w, (1, 1), "SAME"), (x, w), p)
        P.we3("conv3x3", "conv3x3", (x, w), p)
        P.c("stencil", "conv3", (x, w, o, C, K, H), o, p)
        try:
            import onnx, onnxruntime as ort
            from onnx import helper as h
            g = h.make_graph([h.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1], kernel_shape=[3, 3])], "g",
                [h.make_tensor_value_info("x", 1, list(x.shape))], [h.make_tensor_value_info("y", 1, list(o.shape))],
                [onnx.numpy_helper.from_array(w, "w")])
            m = h.make_model(g, opset_imports=[h.make_opsetid("", 17)], ir_version=9)
            so = ort.SessionOptions(); so.intra_op_num_threads = P.threads; so.log_severity_level = 3
            s = ort.InferenceSession(m.SerializeToString(), so, providers=["CPUExecutionProvider"])
            p["onnxruntime"] = lambda: s.run(None, {"x": x})[0]
        except ImportError: pass
        return p
conv("conv3x3_64x56x56", 64, 64, 56)
conv("conv3x3_256x14x14", 256, 256, 14)

@kernel("jacobi2d_2048x20_f32", flops32=20 * 5 * 2046 ** 2, l3=20 * 2 * 4 * 2048 ** 2)
def _(P):
    import jax
    n, T = P.size(2048, 21), P.size(20, 4); a0 = P.arr((n, n)); a, b = a0.copy(), a0.copy(); p = {}; c = np.float32(0.2)
    def np_():
        a[:] = a0; x, y = a, b; b[:] = a0
        for _ in range(T):
            y[1:-1, 1:-1] = c * (x[1:-1, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] + x[:-2, 1:-1] + x[2:, 1:-1]); x, y = y, x
        return x
    p["numpy"] = np_
    def f(a0, a, b, T):
        a[:] = a0; b[:] = a0; x, y = a, b
        for t in range(T):
            for i in prange(1, x.shape[0] - 1):
                for j in range(1, x.shape[1] - 1): y[i, j] = c * (x[i, j] + x[i, j - 1] + x[i, j + 1] + x[i - 1, j] + x[i + 1, j])
            x, y = y, x
        return x
    P.nb(f, (a0, a, b, T), a, p)
    step = lambda i, x: x.at[1:-1, 1:-1].set(c * (x[1:-1, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] + x[:-2, 1:-1] + x[2:, 1:-1]))
    P.jax(lambda x: jax.lax.fori_loop(0, T, step, x), (a0,), p)
    P.c("stencil", "jacobi2d", (a0, a, b, n, T), a, p)
    P.we3("jacobi2d", "jacobi2d", (a0, T), p)
    return p

@kernel("heat3d_128x20_f32", flops32=20 * 9 * 126 ** 3, l3=20 * 2 * 4 * 128 ** 3)
def _(P):
    import jax
    n, T = P.size(128, 11), P.size(20, 4); a0 = P.arr((n, n, n)); a, b = a0.copy(), a0.copy(); p = {}; c = np.float32(0.125); d = np.float32(0.25)
    def rhs(x):
        m = x[1:-1, 1:-1, 1:-1]
        return d * m + c * (x[2:, 1:-1, 1:-1] + x[:-2, 1:-1, 1:-1] + x[1:-1, 2:, 1:-1] + x[1:-1, :-2, 1:-1] + x[1:-1, 1:-1, 2:] + x[1:-1, 1:-1, :-2])
    def np_():
        a[:] = a0; b[:] = a0; x, y = a, b
        for _ in range(T): y[1:-1, 1:-1, 1:-1] = rhs(x); x, y = y, x
        return x
    p["numpy"] = np_
    def f(a0, a, b, T):
        a[:] = a0; b[:] = a0; x, y = a, b
        for t in range(T):
            for i in prange(1, x.shape[0] - 1):
                for j in range(1, x.shape[1] - 1):
                    for k in range(1, x.shape[2] - 1):
                        y[i, j, k] = d * x[i, j, k] + c * (x[i + 1, j, k] + x[i - 1, j, k] + x[i, j + 1, k] + x[i, j - 1, k] + x[i, j, k + 1] + x[i, j, k - 1])
            x, y = y, x
        return x
    P.nb(f, (a0, a, b, T), a, p)
    P.jax(lambda x: jax.lax.fori_loop(0, T, lambda i, x: x.at[1:-1, 1:-1, 1:-1].set(rhs(x)), x), (a0,), p)
    P.c("stencil", "heat3d", (a0, a, b, n, T), a, p)
    P.we3("heat3d", "heat3d", (a0, T), p)
    return p

@kernel("gauss5x5_2048_f32", flops32=2 * 9 * 2048 ** 2, dram=8 * 2048 ** 2)
def _(P):
    import scipy.ndimage as nd
    n = P.size(2048, 33); x = P.arr((n, n)); p = {}; o = np.empty_like(x); t = np.zeros_like(x); k = np.array([1, 4, 6, 4, 1], np.float32) / 16
    def np_():
        t[:] = 0; o[:] = 0
        t[:, 2:-2] = k[0] * (x[:, :-4] + x[:, 4:]) + k[1] * (x[:, 1:-3] + x[:, 3:-1]) + k[2] * x[:, 2:-2]
        o[2:-2, 2:-2] = (k[0] * (t[:-4] + t[4:]) + k[1] * (t[1:-3] + t[3:-1]) + k[2] * t[2:-2])[:, 2:-2]; return o
    p["numpy"] = np_
    def sp():
        r = nd.correlate1d(nd.correlate1d(x, k, axis=1), k, axis=0); r[:2] = 0; r[-2:] = 0; r[:, :2] = 0; r[:, -2:] = 0; return r
    p["scipy"] = sp
    def f(x, t, o, k):
        n, m = x.shape
        for i in prange(n):
            for j in range(2, m - 2): t[i, j] = k[0] * (x[i, j - 2] + x[i, j + 2]) + k[1] * (x[i, j - 1] + x[i, j + 1]) + k[2] * x[i, j]
        for i in prange(2, n - 2):
            for j in range(2, m - 2): o[i, j] = k[0] * (t[i - 2, j] + t[i + 2, j]) + k[1] * (t[i - 1, j] + t[i + 1, j]) + k[2] * t[i, j]
    import jax.numpy as jnp
    o2 = np.zeros_like(x)
    P.nb(f, (x, t, o2, k), o2, p)
    def jf(x):
        t = k[0] * (x[:, :-4] + x[:, 4:]) + k[1] * (x[:, 1:-3] + x[:, 3:-1]) + k[2] * x[:, 2:-2]
        return jnp.pad(k[0] * (t[:-4] + t[4:]) + k[1] * (t[1:-3] + t[3:-1]) + k[2] * t[2:-2], 2)
    P.jax(jf, (x,), p)
    o3 = np.zeros_like(x)
    P.c("stencil", "gauss5", (x, t, o3, n), o3, p)
    try:                                                        # Halide with the usual sliding-window schedule
        import halide as hl
        i, j, jo, ji = hl.Var("x"), hl.Var("y"), hl.Var("yo"), hl.Var("yi"); inp = hl.Buffer(x); bx, by = hl.Func("bx"), hl.Func("by"); K = [hl.f32(float(v)) for v in k]
        bx[i, j] = K[0] * (inp[i - 2, j] + inp[i + 2, j]) + K[1] * (inp[i - 1, j] + inp[i + 1, j]) + K[2] * inp[i, j]
        by[i, j] = K[0] * (bx[i, j - 2] + bx[i, j + 2]) + K[1] * (bx[i, j - 1] + bx[i, j + 1]) + K[2] * bx[i, j]
        by.split(j, jo, ji, 64).vectorize(i, 16); bx.store_at(by, jo).compute_at(by, ji).vectorize(i, 16)
        if P.threads > 1: by.parallel(jo)
        o4 = np.zeros_like(x); out = hl.Buffer(o4[2:-2, 2:-2]); out.set_min([2, 2])
        by.compile_jit(hl.get_jit_target_from_environment())
        p["halide"] = lambda: (by.realize(out), o4)[1]
    except ImportError: pass
    P.we3("gauss5x5", "gauss5x5", (x,), p)
    return p
