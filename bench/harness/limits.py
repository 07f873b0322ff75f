"""The machine's limits: measured once by limits/peak.c, and what they mean for a kernel."""
import csv, os, subprocess

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUNS = 2


def measure(path, clang):
    """Builds and runs peak.c, keeps the best value of a few runs; says why if it cannot."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    program = os.path.join(folder, "peak")
    source = os.path.join(BENCH, "limits", "peak.c")
    try:
        subprocess.run([clang, "-O3", "-march=native", "-fopenmp", source, "-o", program], check=True, capture_output=True, text=True)
        runs = [subprocess.run([program], check=True, capture_output=True, text=True).stdout for _ in range(RUNS)]
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"# the machine's limits are not measured: {getattr(error, 'stderr', None) or error}", flush=True)
        return
    found = {}
    for row in (row for run in runs for row in csv.DictReader(run.splitlines())):
        key, value = (row["what"], row["threads"]), float(row["best"])
        better = min if row["what"].startswith(("latency", "fma_latency")) else max
        found[key] = better(found[key], value) if key in found else value
    for threads in "12": found["clock_ghz", threads] = found["clock_ghz_mul_chain", "1"]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["what", "threads", "value"])
        writer.writerows([*key, value] for key, value in found.items())


def read(path, threads):
    """The best rates for a thread count; empty when they were not measured."""
    if not os.path.exists(path): return {}
    with open(path) as file: rows = list(csv.DictReader(file))
    return {row["what"]: float(row["value"]) for row in rows if int(row["threads"]) == threads}


def limit_s(work, rates, threads):
    """The time below which the machine cannot do the work of a kernel."""
    if not rates: return float("nan")
    return max(work["flops32"] / rates["fma_f32_gflops"] + work["flops64"] / rates["fma_f64_gflops"],
               work["dram"] / rates["bw_DRAM_copy_nt_GBs"], work["rd"] / rates["bw_DRAM_read_GBs"],
               work["l3"] / rates["bw_L3_copy_GBs"], work["l2"] / rates["bw_L2_copy_GBs"],
               work["iops"] / rates["add_i32_gops"], work["cycles"] / rates["clock_ghz"] / threads) / 1e9
