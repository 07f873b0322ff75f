#!/usr/bin/env python3
"""Checks every kernel: at a small size the same bits on the interpreter, Cranelift and LLVM; at full size the same bits
on Cranelift and LLVM; each with results in fresh memory and in arrays that are there; and the reference's result within
the kernel's tolerance. Exit code 1 if something differs."""
import argparse, sys, warnings
import bench



def bits(value, results):
    return [x.tobytes() for x in results.arrays(value)]


def check(kernel, small, registry, results):
    """What is wrong, one line each."""
    backends = ["we3_cranelift", "we3", "we3_cranelift_out", "we3_out"]
    if small: backends = ["we3_interp", "we3_interp_out", *backends]
    context = registry.Context(1, {"numpy", "numba", *backends}, small)
    size = "small" if small else "full"
    faults = []
    try:
        peers = kernel["setup"](context)
        reference_name = next(iter(peers))
        reference = results.comparable(kernel, peers[reference_name]())
        reference = [x.copy() for x in reference]
        values = {}
        for name in backends:
            if name not in peers: faults.append(f"{size}: {name} does not build"); continue
            try: values[name] = peers[name]()
            except Exception as error: faults.append(f"{size}: {name}: {str(error)[:300]}")
        for name, value in values.items():
            first = next(iter(values))
            if bits(value, results) != bits(values[first], results): faults.append(f"{size}: {first} and {name} differ in bits")
            error = results.error(reference, results.comparable(kernel, value, peers[name].post))
            if not error <= kernel["rtol"]: faults.append(f"{size}: {name} is off {reference_name} by {error:.3g}")
    finally:
        context.close()
    return faults


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--kernels", default="", help="names or parts of names, comma-separated")
    ap.add_argument("--small-only", action="store_true")
    a = ap.parse_args()
    bench.set_threads(1)
    warnings.filterwarnings("ignore")
    registry = bench.load_kernels()
    import results
    wanted, failed = [part for part in a.kernels.split(",") if part], 0
    for kernel in registry.KERNELS.values():
        if wanted and not any(part in kernel["name"] for part in wanted): continue
        faults = check(kernel, True, registry, results) + ([] if a.small_only else check(kernel, False, registry, results))
        failed += bool(faults)
        print(f"{kernel['name']}: {'ok' if not faults else ''}", *faults, sep="\n  " if faults else "", flush=True)
    if failed: sys.exit(f"{failed} kernels are wrong")


if __name__ == "__main__":
    main()
