#!/usr/bin/env python3
"""Times what a person waits for: the check of the whole library, and a thirty-line program from the start of
`we3c run` to its result. Medians, as CSV. Needs only Python and target/release/we3c; ends with 1 if a bar is missed.

Every process is timed by the clock and by the processor time that it used: on a busy machine only the second says
much about we3. The bars hold for the clock on an idle machine."""

import argparse
import csv
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).resolve().parent / "thirty.we3"
CALL = ["step", "[[1, 2], [3, 4], [-1, 0.5]]", "[0, 1, 1]", "zeros:[2, 2]"]
# What `--time` calls the work between the checked program and code that can be called.
COMPILE_STAGES = ("emit", "passes", "cranelift", "load")


def used_by_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def once(command):
    """Seconds by the clock, seconds of the processor, and what the command said on standard error."""
    before, start = used_by_children(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wall, processor = time.perf_counter() - start, used_by_children() - before
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr}")
    return wall, processor, done.stderr


def stage_times(report):
    """The stages of `--time` in milliseconds; passes are indented and part of the stage above them."""
    lines = re.findall(r"^ *([0-9.]+) ms  (\S.*)$", report, re.MULTILINE)
    return {name: float(time) for time, name in lines}


def measure(we3c, runs):
    """One row for each measurement: name, bar, samples by the clock, samples of the processor."""
    run = [we3c, "run", PROGRAM, *CALL, "--time"]
    walls, processors, compiles = [], [], []
    for _ in range(runs):
        wall, processor, report = once(run)
        stages = stage_times(report)
        walls.append(wall * 1e3)
        processors.append(processor * 1e3)
        compiles.append(sum(stages[name] for name in COMPILE_STAGES))
    rows = [("run, start to result", 30.0, walls, processors), ("compile", 10.0, compiles, None)]
    samples = [once([we3c, "check", "std"]) for _ in range(runs)]
    walls, processors = ([one[part] * 1e3 for one in samples] for part in (0, 1))
    return [("check std", 100.0, walls, processors), *rows]


def machine():
    names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--we3c", default=ROOT / "target/release/we3c", type=Path)
    parser.add_argument("--runs", default=30, type=int)
    parser.add_argument("--csv", type=argparse.FileType("w"), default=sys.stdout, help="instead of standard output")
    args = parser.parse_args()
    if args.runs < 20:
        parser.error("a median of fewer than 20 runs says little")
    if not args.we3c.exists():
        parser.error(f"{args.we3c} is not there: run `make build` first")
    busy = os.getloadavg()[0]
    rows = measure(args.we3c, args.runs)
    writer = csv.writer(args.csv)
    writer.writerow(["measurement", "bar_ms", "median_ms", "fastest_ms", "median_processor_ms", "runs", "machine", "load"])
    missed = []
    for name, bar, walls, processors in rows:
        median = statistics.median(walls)
        processor = f"{statistics.median(processors):.1f}" if processors else ""
        writer.writerow([name, f"{bar:g}", f"{median:.2f}", f"{min(walls):.2f}", processor, args.runs, machine(), f"{busy:.1f}"])
        if median > bar:
            missed.append(f"{name}: {median:.1f} ms, the bar is {bar:g} ms")
    for line in missed:
        print(f"MISSED {line}", file=sys.stderr)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
