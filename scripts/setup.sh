#!/usr/bin/env bash
# Installs what the project needs and does not find: Debian packages through apt, ptxas through PyPI.
# Does nothing, quickly, when all is there. WE3_SETUP=off skips it. `setup.sh demo` leaves out what only tests need.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "${WE3_SETUP:-on}" = off ] && exit 0

say() { printf '\033[0m[setup] %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else return 1; fi; }

if ! command -v cargo >/dev/null; then
    say "cargo is missing. Install Rust with rustup (rustup.rs), then run this again; rust-toolchain.toml picks the version."
    exit 1
fi

for_demo=$([ "${1:-}" = demo ] && echo yes || echo no)

# Sources of crates (and, on a first run, the compiler) come while apt works. The build reports what fails here.
cargo fetch --locked --quiet --target "$(rustc -vV | sed -n 's/^host: //p')" >/dev/null 2>&1 &
trap wait EXIT

packages=()
command -v cc >/dev/null || packages+=(gcc libc6-dev)
[ -x "${LLVM_SYS_221_PREFIX:-/usr/lib/llvm-22}/bin/llvm-config" ] || packages+=(llvm-22-dev)
[ "$for_demo" = yes ] || python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
if [ ${#packages[@]} -gt 0 ]; then
    say "installing: ${packages[*]}"
    if command -v apt-get >/dev/null; then
        as_root apt-get update -qq &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
            say "could not install ${packages[*]}; going on without (we3c doctor says what that means)"
    else
        say "no apt-get here: install the equivalent of ${packages[*]} by hand; going on without"
    fi
fi

[ "$for_demo" = yes ] && exit 0

# ptxas assembles every kernel that the PTX backend emits, in tests.
if [ ! -x .venv/bin/python ]; then
    say "creating .venv"
    python3 -m venv .venv || { say "no Python venv: PTX will not be assembled"; exit 0; }
fi
if ! ls .venv/lib/python3*/site-packages/nvidia/*/bin/ptxas >/dev/null 2>&1; then
    say "installing ptxas (PyPI: nvidia-cuda-nvcc) into .venv"
    .venv/bin/pip install -q --disable-pip-version-check -r scripts/requirements-ptx.txt ||
        say "could not install ptxas; PTX will not be assembled"
fi
# The tests of the Python package.
if ! .venv/bin/python -c 'import numpy, pytest' 2>/dev/null; then
    say "installing NumPy and pytest into .venv"
    .venv/bin/pip install -q --disable-pip-version-check -r scripts/requirements-python.txt ||
        say "could not install NumPy and pytest; the Python package will not be tested"
fi
