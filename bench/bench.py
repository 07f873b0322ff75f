#!/usr/bin/env python3
"""Times every kernel on we3 and on its peers, in turns, and writes one CSV row for each.

All peers of a kernel are set up first and called once (the result is compared with the first peer's), then timed round
by round, so that ratios hold on a machine that others use too. With one thread the time is the process's CPU time,
which other processes' turns do not lengthen; with two it is the wall time. Times are per call. we3 is timed with results
in fresh memory (`we3`) and in arrays that are there (`we3_out`); the ratio to a peer takes the one that the peer does."""
import argparse, csv, gc, glob, importlib, os, statistics, sys, time, warnings

BENCH = os.path.dirname(os.path.abspath(__file__))
LIMITS = os.path.join(BENCH, "out", "limits.csv")
COLUMNS = "kernel threads peer median_ms min_ms max_ms wall_median_ms samples first_ms build_ms rel_err limit_ms results".split()
# Of each family the one that won most often, the strict C that we3's promise compares with, and the libraries.
QUICK = "numpy scipy numba_fast numba_par jax gcc_fast gcc_omp clang_fast clang_omp gcc_fast_mont gcc_omp_mont clang_fast_mont clang_omp_mont " \
        "gcc_fast_seg gcc_omp_seg gcc_fast_diag gcc_omp_diag clang_fast_diag clang_omp_diag fftw onnxruntime halide we3 we3_out".split()


def options():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--threads", default="1,2", help="1, 2 or 1,2")
    ap.add_argument("--kernels", default="", help="names or parts of names, comma-separated")
    ap.add_argument("--peers", default="", help="peers, comma-separated")
    ap.add_argument("--quick", action="store_true", help="few rounds and the peers that win most often")
    ap.add_argument("--rounds", type=int, help="samples of each peer (9; quick: 5)")
    ap.add_argument("--sample-ms", type=float, default=4.0, help="calls are repeated up to this long in a sample")
    ap.add_argument("--budget-s", type=float, help="for each peer and kernel (2; quick: 0.3)")
    ap.add_argument("--limits", default=LIMITS, help="the machine's limits; measured if this file is not there")
    ap.add_argument("--out", default=os.path.join(BENCH, "results.csv"))
    a = ap.parse_args()
    a.rounds = a.rounds or (5 if a.quick else 9)
    a.budget_s = a.budget_s or (0.3 if a.quick else 2.0)
    a.only = set(a.peers.split(",")) if a.peers else set(QUICK) if a.quick else None
    return a


def set_threads(threads):
    """Before NumPy and the others are imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "NPROC", "HL_NUM_THREADS"): os.environ[name] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")   # spinning workers of one peer would slow the next one down
    if threads == 1: os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def load_kernels():
    sys.path[:0] = [os.path.join(BENCH, "harness"), os.path.join(BENCH, "peers")]
    import registry
    for path in sorted(glob.glob(os.path.join(BENCH, "peers", "*.py"))): importlib.import_module(os.path.basename(path)[:-3])
    return registry


def sample(peer, calls):
    """Seconds a call by the clock, and of CPU."""
    if hasattr(peer, "sample"): return peer.sample(calls)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(calls): peer()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall / calls, cpu / calls


def measure(peers, rounds, sample_ms, budget_s):
    """Lists of (wall, cpu) for each peer, taken in turns."""
    calls, first, estimate = {}, {}, {}
    for name, peer in peers.items():
        estimate[name] = sample(peer, 1)[0]
        calls[name] = max(1, int(sample_ms / 1e3 / max(estimate[name], 1e-7)))
    samples, spent = {name: [] for name in peers}, dict.fromkeys(peers, 0.0)
    gc.disable()
    for turn in range(rounds):
        for name, peer in peers.items():
            if spent[name] + estimate[name] > budget_s and turn >= (3 if estimate[name] < 1 else 1): continue
            samples[name].append(sample(peer, calls[name]))
            spent[name] += samples[name][-1][0] * calls[name]
    gc.enable()
    return samples


def first_calls(kernel, peers):
    """Each peer's first call, its error against the first peer, and where its results go; one that fails is left out."""
    import results
    reference, rows = None, {}
    for name, peer in list(peers.items()):
        try:
            start = time.perf_counter(); value = peer(); took = time.perf_counter() - start
            found = results.comparable(kernel, value, getattr(peer, "post", None))
            if reference is None: reference = [x.copy() for x in found]
            error = results.error(reference, found)
            rows[name] = (took, error, results.place(peer, value))
            if not error <= kernel["rtol"]: print(f"# {kernel['name']} {name}: WRONG, error {error:.2g}", flush=True)
        except Exception as error:
            print(f"# {kernel['name']} {name}: {str(error)[:300]!r}", flush=True)
            del peers[name]
    return rows


def run(kernel, threads, a, registry, limits, writer):
    import limits as machine
    context = registry.Context(threads, a.only and a.only | {"numpy"})
    try:
        peers = kernel["setup"](context)
        peers = {name: peer for name, peer in peers.items() if context.wants(name)}
        firsts = first_calls(kernel, peers)
        samples = measure(peers, a.rounds, a.sample_ms, a.budget_s)
        limit = machine.limit_s(kernel["work"], limits, threads)
        for name, taken in samples.items():
            walls = [wall for wall, _ in taken]
            times = [cpu for _, cpu in taken] if threads == 1 else walls
            took, error, place = firsts[name]
            build = getattr(peers[name], "build_s", max(0.0, took - statistics.median(walls)))
            row = [statistics.median(times), min(times), max(times), statistics.median(walls)]
            writer.writerow([kernel["name"], threads, name, *(f"{1e3 * t:.4g}" for t in row), len(taken), f"{1e3 * took:.4g}",
                             f"{1e3 * build:.4g}", f"{error:.2g}", f"{1e3 * limit:.4g}", place])
        del peers
    except Exception as error:
        print(f"# {kernel['name']}: setup failed: {error!r}", flush=True)
    finally:
        context.close(); gc.collect()


def one_thread_count(threads, a):
    """In a process of its own: the libraries read their thread counts when they start."""
    set_threads(threads)
    warnings.filterwarnings("ignore")
    registry = load_kernels()
    import limits as machine
    limits = machine.read(a.limits, threads)
    wanted = [part for part in a.kernels.split(",") if part]
    with open(a.out, "a", newline="") as out:
        writer = csv.writer(out)
        for kernel in registry.KERNELS.values():
            if wanted and not any(part in kernel["name"] for part in wanted): continue
            start = time.perf_counter()
            run(kernel, threads, a, registry, limits, writer)
            out.flush()
            print(f"{kernel['name']} ({threads} thread{'s' if threads > 1 else ''}): {time.perf_counter() - start:.1f} s", flush=True)


def report(a):
    """The table to the screen and to out/table.md, the plot to out/plot.svg."""
    import report as shown
    found = shown.load(a.out)
    texts = [f"## {threads} thread{'s' if threads > 1 else ''}, ms per call\n\n{shown.table(kernels)}\n\n{shown.summary(kernels)}\n"
             for threads, kernels in found.items()]
    print("\n" + "\n".join(texts))
    folder = os.path.join(BENCH, "out")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "table.md"), "w") as file: file.write("\n".join(texts))
    try: shown.plot(found, os.path.join(folder, "plot.svg"))
    except ImportError: print("# no plot: matplotlib is not installed")


def main():
    a = options()
    sys.path.insert(0, os.path.join(BENCH, "harness"))
    import limits
    if a.limits == LIMITS and not os.path.exists(LIMITS): limits.measure(LIMITS, os.environ.get("BENCH_CLANG", "clang-22"))
    with open(a.out, "w", newline="") as out: csv.writer(out).writerow(COLUMNS)
    for threads in map(int, a.threads.split(",")):
        child = os.fork()
        if child == 0:
            one_thread_count(threads, a)
            sys.stdout.flush(); os._exit(0)
        if os.waitpid(child, 0)[1] != 0: sys.exit(f"the run with {threads} thread(s) ended early")
    report(a)


if __name__ == "__main__":
    main()
