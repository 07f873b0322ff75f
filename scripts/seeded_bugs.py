#!/usr/bin/env python3
"""Seeds bugs one at a time into a copy of the tree and checks that the tests notice.

Each file `tests/seeded/NAME.bug` holds:

    file: passes/src/scalar/fold.rs
    why: what is wrong now, in one line
    tests: -p we3-tests --test lowering
    find:
    <exact text, found once>
    replace:
    <text>

`tests:` are the arguments of `cargo test` that should be enough to notice it (several, tried in order,
with ` ;; ` between them); `--quick` runs those instead of the whole suite.

Usage: scripts/seeded_bugs.py [--list] [--check] [--only SUBSTRING] [--quick | --tests 'cargo test arguments']
           [--need N] [--target FOLDER]
`--check` only looks whether every text is found once; nothing is built.
Exit code 0 when at least N bugs (default: all) are caught.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "seeded" / "tree"


def read_bug(path):
    text = path.read_text()
    head, rest = text.split("\nfind:\n", 1)
    find, replace = rest.split("\nreplace:\n", 1)
    fields = dict(line.split(": ", 1) for line in head.splitlines() if line.strip())
    return {"name": path.stem, "file": fields["file"], "why": fields["why"], "tests": fields.get("tests", ""),
            "find": find.rstrip("\n"), "replace": replace.rstrip("\n")}


def fresh_copy():
    COPY.parent.mkdir(parents=True, exist_ok=True)
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in tracked.decode().split("\0"):
        source, dest = ROOT / name, COPY / name
        if name and source.is_file():
            dest.parent.mkdir(parents=True, exist_ok=True)
            if not dest.exists() or dest.read_bytes() != source.read_bytes():
                shutil.copy2(source, dest)
    venv = COPY / ".venv"
    if (ROOT / ".venv").exists() and not venv.exists():
        venv.symlink_to(ROOT / ".venv")


def stale(bug):
    """How often a bug's text is found when that is not once."""
    count = (ROOT / bug["file"]).read_text().count(bug["find"])
    return None if count == 1 else count


def run_tests(arguments, target):
    env = dict(os.environ, CARGO_TARGET_DIR=str(target), RUST_BACKTRACE="0")
    started = time.time()
    done = subprocess.run(f"cargo test --quiet --offline {arguments}", shell=True, cwd=COPY, env=env,
                          capture_output=True, text=True)
    return done.returncode == 0, time.time() - started, done.stdout + done.stderr


def noticed(bug, options):
    """Whether the tests notice, and whether the tree was built."""
    for arguments in bug["tests"].split(" ;; ") if options.quick and bug["tests"] else [options.tests]:
        green, _, output = run_tests(arguments, options.target)
        if not green:
            return True, "could not compile" not in output
    return False, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--target", type=pathlib.Path, default=COPY.parent / "target")
    parser.add_argument("--only", default="")
    parser.add_argument("--tests", default="--workspace --features we3-tests/llvm")
    parser.add_argument("--need", type=int, default=None)
    options = parser.parse_args()
    bugs = [read_bug(path) for path in sorted((ROOT / "tests" / "seeded").glob("*.bug"))]
    bugs = [bug for bug in bugs if options.only in bug["name"]]
    if options.list:
        for bug in bugs:
            print(f"{bug['name']:40} {bug['file']}: {bug['why']}")
        return 0
    if options.check:
        wrong = [(bug["name"], stale(bug)) for bug in bugs if stale(bug) is not None]
        for name, count in wrong:
            print(f"STALE  {name}: its text occurs {count} times")
        print(f"{len(bugs) - len(wrong)} passed, {len(wrong)} failed")
        return 1 if wrong else 0
    fresh_copy()
    everything = " && cargo test --quiet --offline ".join(
        sorted({one for bug in bugs for one in bug["tests"].split(" ;; ") if one}))
    green, seconds, output = run_tests(everything if options.quick else options.tests, options.target)
    if not green:
        print(output[-4000:])
        print("the tests fail without any bug: nothing can be learnt")
        return 2
    print(f"unchanged tree is green in {seconds:.0f} s; {len(bugs)} bugs to seed", flush=True)
    missed = []
    for bug in bugs:
        path = COPY / bug["file"]
        text = path.read_text()
        if text.count(bug["find"]) != 1:
            print(f"STALE  {bug['name']}: its text occurs {text.count(bug['find'])} times in {bug['file']}")
            missed.append(bug["name"])
            continue
        path.write_text(text.replace(bug["find"], bug["replace"]))
        started = time.time()
        caught, built = noticed(bug, options)
        seconds = time.time() - started
        path.write_text(text)
        verdict = "MISSED" if not caught else ("caught" if built else "NOBUILD")
        if verdict != "caught":
            missed.append(bug["name"])
        print(f"{verdict:7} {bug['name']} ({seconds:.0f} s): {bug['why']}", flush=True)
    caught = len(bugs) - len(missed)
    print(f"{caught} passed, {len(missed)} failed")
    return 0 if caught >= (options.need if options.need is not None else len(bugs)) else 1


if __name__ == "__main__":
    sys.exit(main())
