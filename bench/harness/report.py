"""Tables and a plot from results.csv."""
import collections, csv

HIDDEN = {"expert"}   # hand-written intrinsics: what is reachable, not a peer to rank
OWN = ("we3", "we3_out", "we3_cranelift", "we3_cranelift_out", "we3_interp", "we3_interp_out")
FAMILIES = [("NumPy, SciPy", ("numpy", "scipy")), ("Numba", ("numba", "numba_fast", "numba_par")), ("JAX", ("jax",)),
            ("strict C", ("clang",)), ("fast C", ("clang_fast", "clang_omp", "gcc_fast", "gcc_omp")), ("other", None)]


def load(path):
    """kernel -> peer -> row, for each thread count, in the order of the file."""
    found = collections.OrderedDict()
    with open(path) as file:
        for row in csv.DictReader(file):
            found.setdefault(int(row["threads"]), collections.OrderedDict()).setdefault(row["kernel"], {})[row["peer"]] = row
    return found


def ms(row):
    """The time that ranks: with one thread the median CPU time, with more the least wall time, the one least disturbed."""
    return float(row["median_ms" if row["threads"] == "1" else "min_ms"])


def best(peers):
    """The fastest peer, or None."""
    names = [name for name in peers if name not in HIDDEN and name not in OWN]
    return min(names, key=lambda name: ms(peers[name]), default=None)


def ratio(peers):
    """Time of we3 / time of the best peer, results of both in fresh memory or of both in arrays that are there; or None."""
    winner = best(peers)
    if not winner: return None
    own = peers.get("we3_out" if peers[winner].get("results") == "out" else "we3", peers.get("we3"))
    return ms(own) / ms(peers[winner]) if own else None


def short(number):
    return f"{number:.3g}" if number < 1000 else f"{number:.0f}"


def cell(peers, family):
    names = family[1]
    known = {name for _, group in FAMILIES if group for name in group} | HIDDEN | set(OWN)
    times = [ms(row) for name, row in peers.items() if (name in names if names else name not in known)]
    return short(min(times)) if times else ""


def table(kernels):
    """Markdown: we3 beside the best of each family; a ratio above 1 is time we3 loses."""
    head = ["kernel", "we3", "we3 out=", "best peer", "we3 / best", "limit", *(name for name, _ in FAMILIES)]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for kernel, peers in kernels.items():
        winner, lost = best(peers), ratio(peers)
        own = [short(ms(peers[name])) if name in peers else "–" for name in ("we3", "we3_out")]
        limit = float(next(iter(peers.values()))["limit_ms"])
        lines.append("| " + " | ".join([kernel, *own, f"{short(ms(peers[winner]))} {winner}" if winner else "", f"{lost:.2f}" if lost else "",
                                        "" if limit != limit else short(limit), *(cell(peers, family) for family in FAMILIES)]) + " |")
    return "\n".join(lines)


def summary(kernels):
    """One line: geometric mean and wins."""
    ratios = [found for found in map(ratio, kernels.values()) if found]
    if not ratios: return "nothing to compare"
    mean = 1.0
    for one in ratios: mean *= one ** (1 / len(ratios))
    return (f"{len(ratios)} kernels: geometric mean of we3 / best peer {mean:.2f}; "
            f"we3 is fastest or within 5 % in {sum(r <= 1.05 for r in ratios)}, slower by 2 or more in {sum(r >= 2 for r in ratios)}")


def plot(found, path):
    """Bars of we3 / best peer on a logarithmic scale, one group for each kernel."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    threads = list(found)
    names = [name for name, peers in found[threads[0]].items() if ratio(peers)]
    figure, axes = plt.subplots(figsize=(9, 0.28 * len(names) + 1.2))
    for number, count in enumerate(threads):
        ratios = [ratio(found[count].get(name, {})) or float("nan") for name in names]
        places = [place + 0.38 * (number - (len(threads) - 1) / 2) for place in range(len(names))]
        axes.barh(places, [r - 1 for r in ratios], left=1, height=0.36, label=f"{count} thread{'s' if count > 1 else ''}")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log"); axes.set_yticks(range(len(names)), names, fontsize=7); axes.invert_yaxis()
    axes.set_xlabel("time of we3 / time of the best peer (below 1: we3 is faster)"); axes.legend(fontsize=7)
    figure.tight_layout(); figure.savefig(path); plt.close(figure)
