#!/usr/bin/env bash
# Installs the peers, builds, runs the benchmarks: scripts/bench.sh [options of bench/bench.py], or --check [options of bench/check.py].
set -euo pipefail
cd "$(dirname "$0")/.."
export LLVM_SYS_221_PREFIX="${LLVM_SYS_221_PREFIX:-/usr/lib/llvm-22}"
say() { printf '[bench] %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else return 1; fi; }

scripts/setup.sh
packages=()
command -v clang-22 >/dev/null || packages+=(clang-22 libomp-22-dev)
ldconfig -p | grep -q libfftw3f_threads || packages+=(libfftw3-dev)
if [ ${#packages[@]} -gt 0 ] && command -v apt-get >/dev/null; then
    say "installing: ${packages[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
        say "could not install ${packages[*]}; these peers are left out"
fi
pip="bench/.venv/bin/pip install -q --disable-pip-version-check"
if [ ! -x bench/.venv/bin/python ]; then
    say "creating bench/.venv"
    python3 -m venv bench/.venv
fi
if ! cmp -s bench/requirements.txt bench/.venv/installed.txt; then
    say "installing NumPy, Numba, JAX and others into bench/.venv"
    $pip -r bench/requirements.txt
    $pip -r bench/requirements-libraries.txt || say "some libraries have no package here; they are left out"
    cp bench/requirements.txt bench/.venv/installed.txt
fi
cargo build --release -q -p we3-bench -p we3-backend-llvm
if [ "${1:-}" = --check ]; then
    shift
    exec bench/.venv/bin/python bench/check.py "$@"
fi
exec bench/.venv/bin/python bench/bench.py "$@"
