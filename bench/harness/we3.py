"""we3 as a peer: one `we3-bench` process holds a compiled kernel and answers over a pipe."""
import json, os, shutil, subprocess, tempfile
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("WE3_BENCH", os.path.join(ROOT, "target", "release", "we3-bench"))
KERNELS = os.path.join(ROOT, "bench", "kernels")
DTYPES = {"bool": np.bool_, "f32": np.float32, "f64": np.float64, "f16": np.float16,
          "Complex<f32>": np.complex64, "Complex<f64>": np.complex128,
          **{f"{s}{b}": getattr(np, f"{'u' if s == 'u' else ''}int{b}") for s in "iu" for b in (8, 16, 32, 64)}}


class We3Error(Exception):
    """What the runner says when it does not work."""


def memory_folder():
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class IntoOut:
    """The same kernel in the same process, with results in arrays that are there already."""
    results = "out"

    def __init__(self, kernel):
        self.kernel, self.build_s = kernel, kernel.build_s

    def sample(self, calls): return self.kernel.sample(calls, "out")

    def __call__(self): return self.kernel("out")


class We3:
    """One entry on one backend with its arguments. Calling it gives the result as arrays; `sample` times calls."""
    results = "fresh"

    def __init__(self, file, entry, args, backend, threads=1):
        self.folder = tempfile.mkdtemp(prefix="we3-bench", dir=memory_folder())
        env = dict(os.environ, WE3_THREADS=str(threads))
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        try:
            request = {"file": os.path.join(KERNELS, file + ".we3"), "entry": entry, "backend": backend,
                       "args": [self._argument(i, a) for i, a in enumerate(args)]}
            loaded = self._ask({"load": request})["loaded"]
        except BaseException:
            self.close()
            raise
        for i in range(len(args)):
            path = os.path.join(self.folder, f"arg{i}")
            if os.path.exists(path): os.remove(path)
        self.build_s = (loaded["check_ms"] + loaded["build_ms"]) / 1e3

    def _argument(self, number, value):
        if not isinstance(value, np.ndarray): return {"text": repr(value)}
        path = os.path.join(self.folder, f"arg{number}")
        np.ascontiguousarray(value).tofile(path)
        return {"raw": {"path": path, "sizes": list(value.shape)}}

    def _ask(self, request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n"); self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line: raise We3Error(f"we3-bench ended with {self.process.wait()}")
        answer = json.loads(line)
        if "failed" in answer: raise We3Error(answer["failed"])
        return answer

    def sample(self, calls, results="fresh"):
        ran = self._ask({"run": {"calls": calls, "results": results}})["ran"]
        return ran["wall_ns"] * 1e-9 / calls, ran["cpu_ns"] * 1e-9 / calls

    def __call__(self, results="fresh"):
        saved = self._ask({"save": {"folder": self.folder, "results": results}})["saved"]
        read = lambda i, s: np.fromfile(os.path.join(self.folder, str(i)), DTYPES[s["elem"]]).reshape(s["sizes"])
        arrays = [read(i, s) for i, s in enumerate(saved)]
        return arrays[0] if len(arrays) == 1 else arrays

    def close(self):
        for pipe in (self.process.stdin, self.process.stdout):
            try: pipe.close()
            except OSError: pass
        try: self.process.wait(10)
        except subprocess.TimeoutExpired: self.process.kill(); self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
