#!/usr/bin/env python3
"""Seeds bugs into a copy of the tree and checks that the tests notice each.

Each file `tests/seeded/NAME.bug` holds:

    file: passes/src/scalar/fold.rs
    why: what is wrong now, in one line
    tests: --test lowering
    find:
    <exact text, found once>
    replace:
    <text>

`tests:` are the arguments of `cargo test` that should be enough to notice it (several, tried in order,
with ` ;; ` between them; each `--test` is a step of its own). Without `-p` they stand for the whole workspace,
whose dependencies then have the same features as under `make test` and are not built again. `--quick` runs
those instead of the whole suite and stops at the first that fails. A bug is caught when a test fails or runs
out of time.

All bugs are built at once: the function around a bug's text gets a second body, taken when the variable
`WE3_SEEDED_BUG` holds the bug's number. So there is one build, and without the variable the tree is
unchanged: all steps must be green there first. `--alone` replaces the text itself and builds once a bug.

Usage: scripts/seeded_bugs.py [--list] [--check] [--only PART[,PART…]] [--quick | --tests 'cargo test arguments']
           [--alone] [--need N] [--target FOLDER] [--record]
`--check` only looks whether every text is found once; nothing is built. `--record` writes what became of
each bug into `tests/seeded/SCORE.md` (lines of other bugs stay).
Exit code 0 when at least N bugs (default: all) are caught.
"""

import argparse
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "seeded" / "tree"
SCORE = ROOT / "tests" / "seeded" / "SCORE.md"
TEST_SECONDS = 600
MEMORY = 16 << 30
SWITCH = """
/// Whether a seeded bug is switched on.
fn seeded_bug(number: u32) -> bool {
    static ACTIVE: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let read = || std::env::var("WE3_SEEDED_BUG").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    number == *ACTIVE.get_or_init(read)
}
"""
SCORE_HEAD = """# Seeded bugs: what caught them

Written by `scripts/seeded_bugs.py --quick --record`; `docs/testing.md` says what the bugs are. Repeat one line with
`scripts/seeded_bugs.py --quick --only NAME`.

| bug | verdict | by |
| --- | --- | --- |
"""


def read_bug(path):
    text = path.read_text()
    head, rest = text.split("\nfind:\n", 1)
    find, replace = rest.split("\nreplace:\n", 1)
    fields = dict(line.split(": ", 1) for line in head.splitlines() if line.strip())
    number = int(path.stem.split("-")[0])
    return {"name": path.stem, "number": number, "file": fields["file"], "why": fields["why"], "tests": fields.get("tests", ""),
            "find": find.rstrip("\n"), "replace": replace.rstrip("\n")}


def fresh_copy(seeded):
    """The tracked files but those in `seeded`. What differs gets the present time: cargo rebuilds what is newer than its output."""
    COPY.parent.mkdir(parents=True, exist_ok=True)
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    names = {name for name in tracked.decode().split("\0") if name and (ROOT / name).is_file()}
    for name in names - seeded:
        source, dest = ROOT / name, COPY / name
        dest.parent.mkdir(parents=True, exist_ok=True)
        if not dest.exists() or dest.read_bytes() != source.read_bytes():
            shutil.copyfile(source, dest)
            shutil.copymode(source, dest)
    for path in COPY.rglob("*"):
        if path.is_file() and ".venv" not in path.parts and str(path.relative_to(COPY)) not in names:
            path.unlink()
    venv = COPY / ".venv"
    if (ROOT / ".venv").exists() and not venv.exists():
        venv.symlink_to(ROOT / ".venv")


def stale(bug):
    """How often a bug's text is found when that is not once."""
    count = (ROOT / bug["file"]).read_text().count(bug["find"])
    return None if count == 1 else count


def code_only(text):
    """The text with everything in comments, strings and character literals replaced by spaces."""
    pattern = r"//[^\n]*|/\*.*?\*/|r(#*)\".*?\"\1|\"(?:\\.|[^\"\\])*\"|'(?:\\[^\n]+?|[^\\'\n])'"
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found.group()), text, flags=re.DOTALL)


def closing(code, opening):
    """Where the bracket at `opening` closes."""
    depth = 0
    for position in range(opening, len(code)):
        depth += (code[position] in "([{") - (code[position] in ")]}")
        if depth == 0:
            return position
    raise ValueError("brackets do not match")


def body_around(text, start, end):
    """The body, without braces, of the innermost function that holds a range of the text."""
    code = code_only(text)
    best = None
    for found in re.finditer(r"\bfn\s+\w+", code):
        position = found.end()
        while code[position] not in "{;":
            position = closing(code, position) + 1 if code[position] in "([" else position + 1
        if code[position] == "{" and position < start and end <= closing(code, position):
            best = (position + 1, closing(code, position))
    return best


def with_switches(text, bugs):
    """A file's text with a second body for each function that a bug is in."""
    bodies = {}
    for bug in bugs:
        start = text.index(bug["find"])
        body = body_around(text, start, start + len(bug["find"]))
        if body is None:
            raise ValueError(f"{bug['name']} is in no function: seed it with --alone")
        bodies.setdefault(body, []).append(bug)
    for (start, end), inside in sorted(bodies.items(), reverse=True):
        body = text[start:end]
        arms = "".join(
            f"if seeded_bug({bug['number']}) {{{body.replace(bug['find'], bug['replace'])}}} else " for bug in inside)
        text = f"{text[:start]} {arms}{{{body}}} {text[end:]}"
    # What reads a variable cannot run at compile time.
    return re.sub(r"\bconst fn\b", "fn", text) + SWITCH


def seed_all(bugs):
    """Writes the switches into the copy, where they are not there yet."""
    for file in sorted({bug["file"] for bug in bugs}):
        text = with_switches((ROOT / file).read_text(), [bug for bug in bugs if bug["file"] == file])
        if not (COPY / file).exists() or (COPY / file).read_text() != text:
            (COPY / file).write_text(text)


def workspace():
    """What `make test` builds."""
    prefix = os.environ.setdefault("LLVM_SYS_221_PREFIX", "/usr/lib/llvm-22")
    if pathlib.Path(prefix, "bin/llvm-config").exists():
        return "--workspace --features we3-tests/llvm"
    return "--workspace --exclude we3-backend-llvm"


def steps_of(arguments):
    """Single test programs of ` ;; `-separated arguments, in order, each as arguments of `cargo test`."""
    steps = []
    for part in (part.strip() for part in arguments.split(" ;; ") if part.strip()):
        selected = part if re.search(r"(^| )(-p|--workspace) ?", part) else f"{workspace()} {part}"
        targets = re.findall(r"--test \S+", part)
        rest = re.sub(r"--test \S+ ?", "", selected).strip()
        if " -- " in part or not targets:
            steps.append(selected)
        else:
            steps.extend(f"{rest} {target}" for target in targets)
    return list(dict.fromkeys(steps))


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def environment(target, bug=0):
    return dict(os.environ, CARGO_TARGET_DIR=str(target), RUST_BACKTRACE="0", INSTA_UPDATE="no",
                CARGO_TERM_COLOR="never", WE3_SEEDED_BUG=str(bug))


def kill(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_step(step, target, bug=0):
    """What fails first, if anything does; the rest is not waited for."""
    arguments, _, filters = step.partition(" -- ")
    line = f"cargo test --offline {arguments} -- {filters} --nocapture"
    process = subprocess.Popen(line, shell=True, cwd=COPY, env=environment(target, bug), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
                               preexec_fn=limited)
    late = threading.Event()
    watch = threading.Timer(TEST_SECONDS, lambda: (late.set(), kill(process)))
    watch.start()
    failed, place, seen = None, None, []
    for text in process.stdout:
        seen.append(text)
        place = place or re.search(r"\b(?:tests|examples|std|stdlib)/\S+?\.(?:we3|ir):\d+(?!:\d)", text)
        found = re.search(r"^test (\S+) .*FAILED", text) or re.search(r"^    (\S+)$", text) if failed is None else None
        if re.search(r"\bFAILED\b", text):
            failed = found.group(1) if found else panicked(seen)
            kill(process)
            break
    watch.cancel()
    code = process.wait()
    process.stdout.close()
    if failed is None and code == 0:
        return None
    if late.is_set():
        return f"`{step}`: out of time after {TEST_SECONDS} s"
    where = f", {place.group()}" if place and failed else ""
    return f"`{step}`: {failed or 'the test program died: ' + ''.join(seen[-5:])}{where}"


def panicked(lines):
    """The test that panicked first."""
    names = (re.match(r"thread '(.+?)' .*panicked", line) for line in lines)
    return next((name.group(1) for name in names if name and name.group(1) != "<unnamed>"), "a test")


def build_step(step, target):
    """What the compiler has against it."""
    arguments = step.split(" -- ")[0]
    builds = [f"cargo test --quiet --offline --no-run {arguments}"]
    if "we3-tests/llvm" in step:
        # The worker stands beside the tests.
        builds.append(f"cargo build --quiet --offline {workspace()} --bin we3-llvm")
    for build in builds:
        done = subprocess.run(build, shell=True, cwd=COPY, env=environment(target), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
        if done.returncode != 0:
            return done.stdout[-4000:] or "no output"
    return None


def try_switched(bug, steps, target):
    for step in steps:
        told = run_step(step, target, bug["number"])
        if told:
            return "caught", told
    return "MISSED", "; ".join(f"`{step}`" for step in steps)


def try_alone(bug, steps, target):
    path = COPY / bug["file"]
    text = path.read_text()
    path.write_text(text.replace(bug["find"], bug["replace"]))
    try:
        for step in steps:
            told = build_step(step, target)
            if told:
                return "NOBUILD", told
            told = run_step(step, target)
            if told:
                return "caught", told
        return "MISSED", "; ".join(f"`{step}`" for step in steps)
    finally:
        path.write_text(text)


def record(name, verdict, told):
    """Puts one line into the table of results."""
    lines = SCORE.read_text().splitlines() if SCORE.exists() else []
    rows = {line.split("|")[1].strip(): line for line in lines if re.match(r"\| \d", line)}
    told = told.splitlines()[-1].replace("|", "\\|") if told else ""
    rows[name] = f"| {name} | {verdict} | {told} |"
    caught = sum("| caught |" in row for row in rows.values())
    table = "\n".join(rows[key] for key in sorted(rows))
    SCORE.write_text(f"{SCORE_HEAD}{table}\n\n{caught} of {len(rows)} bugs caught.\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--target", type=pathlib.Path, default=COPY.parent / "target")
    parser.add_argument("--only", default="")
    parser.add_argument("--tests", default=workspace())
    parser.add_argument("--need", type=int, default=None)
    options = parser.parse_args()
    every = [read_bug(path) for path in sorted((ROOT / "tests" / "seeded").glob("*.bug"))]
    bugs = [bug for bug in every if any(part in bug["name"] for part in options.only.split(","))]
    # Bugs of one package follow each other, so that going from one to the next rebuilds as little as possible.
    bugs.sort(key=lambda bug: (bug["file"].split("/src/")[0], bug["name"]))
    if options.list:
        for bug in bugs:
            print(f"{bug['name']:40} {bug['file']}: {bug['why']}")
        return 0
    wrong = [(bug["name"], stale(bug)) for bug in bugs if stale(bug) is not None]
    for name, count in wrong:
        print(f"STALE  {name}: its text occurs {count} times")
    if options.check:
        print(f"{len(bugs) - len(wrong)} passed, {len(wrong)} failed")
        return 1 if wrong else 0
    bugs = [bug for bug in bugs if stale(bug) is None]
    # Bugs that are not tried are built in as well, so that the next call finds everything built.
    every = [] if options.alone else [bug for bug in every if stale(bug) is None]
    fresh_copy({bug["file"] for bug in every})
    seed_all(every)
    steps = {bug["name"]: steps_of(bug["tests"] if options.quick and bug["tests"] else options.tests) for bug in bugs}
    started = time.time()
    for step in dict.fromkeys(step for bug in bugs for step in steps[bug["name"]]):
        begun = time.time()
        told = build_step(step, options.target)
        built = time.time()
        told = told or run_step(step, options.target)
        if told:
            print(f"`{step}` fails without any bug: nothing can be learnt\n{told}")
            return 2
        print(f"green without a bug: `{step}` ({built - begun:.0f} s + {time.time() - built:.0f} s)", flush=True)
    print(f"unchanged tree is green in {time.time() - started:.0f} s; {len(bugs)} bugs to seed", flush=True)
    caught = 0
    for bug in bugs:
        begun = time.time()
        verdict, told = (try_alone if options.alone else try_switched)(bug, steps[bug["name"]], options.target)
        caught += verdict == "caught"
        print(f"{verdict:7} {bug['name']} ({time.time() - begun:.0f} s): {bug['why']}\n        {told}", flush=True)
        if options.record:
            record(bug["name"], verdict, told)
    failed = len(bugs) + len(wrong) - caught
    print(f"{caught} passed, {failed} failed")
    return 0 if caught >= (options.need if options.need is not None else caught + failed) else 1


if __name__ == "__main__":
    sys.exit(main())
