"""The kernels and what their setups are given: sizes, data, and ways to add peers."""
import ctypes, os, shutil, subprocess, tempfile, time
import numpy as np
from we3 import IntoOut, We3, We3Error

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLANG = os.environ.get("BENCH_CLANG", "clang-22")
GCC = os.environ.get("BENCH_GCC", "gcc")
_FAST = ["-O3", "-march=native", "-ffast-math"]
C_VARIANTS = {  # threads -> {peer: command}
    1: {"clang": [CLANG, "-O3", "-march=native", "-ffp-contract=off"],
        "clang_fast": [CLANG, *_FAST, "-fveclib=libmvec"],
        "gcc_fast": [GCC, *_FAST, "-mprefer-vector-width=512"]},
    2: {"clang_omp": [CLANG, *_FAST, "-fveclib=libmvec", "-fopenmp"],
        "gcc_omp": [GCC, *_FAST, "-mprefer-vector-width=512", "-fopenmp"]},
}
WE3_BACKENDS = {"we3": "llvm", "we3_cranelift": "cranelift", "we3_interp": "interp"}
KERNELS = {}


def kernel(name, flops32=0, flops64=0, dram=0, rd=0, l3=0, l2=0, iops=0, cycles=0, rtol=1e-4, compare=None):
    """Registers the setup of a kernel: a function from a `Context` to its peers. The numbers (at full size) give the
    machine's limit: flops32/flops64 useful floating-point operations; dram/l3/l2 the least bytes that must move at that
    level (rd: of a kernel that only reads); iops useful 32-bit integer operations; cycles a bound by instruction issue.
    `rtol` bounds the error against the first peer, relative to the largest element; `compare` picks what is compared."""
    def register(setup):
        work = dict(flops32=flops32, flops64=flops64, dram=dram, rd=rd, l3=l3, l2=l2, iops=iops, cycles=cycles)
        KERNELS[name] = dict(name=name, setup=setup, work=work, rtol=rtol, compare=compare)
        return setup
    return register


class Context:
    """What a setup gets. `small` asks for the sizes that the reference interpreter can do."""

    def __init__(self, threads=1, only=None, small=False):
        self.threads, self.only, self.small = threads, only, small
        self.folder, self.built, self.open = tempfile.mkdtemp(prefix="we3-peers"), {}, []

    def close(self):
        for runner in self.open: runner.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wants(self, peer):
        return self.only is None or peer in self.only

    def size(self, full, small):
        return small if self.small else full

    def rng(self, seed=0):
        return np.random.default_rng(seed)

    def arr(self, shape, dtype=np.float32, seed=0, lo=0.0, hi=1.0):
        return (self.rng(seed).random(shape, dtype=np.float32) * (hi - lo) + lo).astype(dtype)

    def we3(self, file, entry, args, peers, post=None):
        """Adds kernels/<file>.we3 on the backends that are wanted, with results in fresh memory and (`_out`) in arrays that
        are there already; `post` brings its result into the peers' form."""
        for peer, backend in WE3_BACKENDS.items():
            into = peer + "_out"
            if self.only is None and peer != "we3" or not (self.wants(peer) or self.wants(into)): continue
            try:
                runner = We3(file, entry, args, backend, self.threads)
            except We3Error as error:
                print(f"# {file} {peer}: {error}", flush=True)
                continue
            self.open.append(runner)
            for name, called in ((peer, runner), (into, IntoOut(runner))):
                if self.wants(name): called.post = post; peers[name] = called

    def c(self, source, function, args, result, peers, tag=""):
        """Adds c/<source>.c in every variant; args are arrays, ints (long) or floats (double)."""
        for variant, command in C_VARIANTS[self.threads].items():
            if self.wants(variant + tag):
                call = self._c_call(source, variant, command, function, args, result)
                if call: peers[variant + tag] = call

    def expert(self, function, args, result, peers):
        """Adds the hand-written AVX-512 version: what is reachable, no peer to beat by rank."""
        variant = "clang_fast" if self.threads == 1 else "clang_omp"
        if self.wants("expert"):
            call = self._c_call("expert", variant, C_VARIANTS[self.threads][variant], function, args, result)
            if call: peers["expert"] = call

    def _c_call(self, source, variant, command, function, args, result):
        library = os.path.join(self.folder, f"{source}.{variant}.so")
        if (source, variant) not in self.built:
            start = time.perf_counter()
            done = subprocess.run(command + ["-shared", "-fPIC", os.path.join(BENCH, "peers", "c", source + ".c"), "-o", library, "-lmvec", "-lm"],
                                  capture_output=True, text=True)
            if done.returncode: print(f"# {source}.c {variant}: {done.stderr[:300]}", flush=True)
            else: ctypes.CDLL(library)
            self.built[source, variant] = time.perf_counter() - start
        if not os.path.exists(library): return None
        f = getattr(ctypes.CDLL(library), function); f.restype = None
        types = {np.ndarray: ctypes.c_void_p, float: ctypes.c_double}
        f.argtypes = [types.get(type(a), ctypes.c_long) for a in args]
        values = tuple(a.ctypes.data if isinstance(a, np.ndarray) else a for a in args)
        def call(f=f, values=values, keep=args):
            f(*values); return result
        call.build_s = self.built[source, variant]
        return call

    def nb(self, function, args, result, peers, parallel=True):
        """Adds Numba on one function written with prange: strict and fastmath, or parallel."""
        wanted = ({"numba": {}, "numba_fast": dict(fastmath=True)} if self.threads == 1 else
                  {"numba_par": dict(fastmath=True, parallel=True)} if parallel else {"numba_fast": dict(fastmath=True)})
        for peer, options in wanted.items():
            if not self.wants(peer): continue
            import numba
            jitted = numba.njit(**options)(function)
            peers[peer] = lambda jitted=jitted: result if (r := jitted(*args)) is None else r

    def jax(self, function, args, peers):
        if not self.wants("jax"): return
        import jax
        jax.config.update("jax_enable_x64", True)
        jitted, inputs = jax.jit(function), [jax.device_put(x) for x in args]
        peers["jax"] = lambda: jax.block_until_ready(jitted(*inputs))
