#!/usr/bin/env bash
# Runs every test. With LLVM 22 and ptxas installed nothing is left out; what is missing is named at the end.
# In CI (CI=true) both must be there.
set -euo pipefail
cd "$(dirname "$0")/.."
export LLVM_SYS_221_PREFIX="${LLVM_SYS_221_PREFIX:-/usr/lib/llvm-22}"
missing=()
features=()
packages=(--workspace)
if [ -x "$LLVM_SYS_221_PREFIX/bin/llvm-config" ]; then
    features=(--features we3-tests/llvm)
    # The same selection as the tests below: another one has other features, and builds dependencies again.
    cargo build "${packages[@]}" "${features[@]}" --bin we3-llvm
else
    missing+=("LLVM 22: the LLVM and PTX backends were not tested (apt-get install llvm-22-dev)")
    packages=(--workspace --exclude we3-backend-llvm)
fi
if ! ls .venv/lib/python3*/site-packages/nvidia/*/bin/ptxas >/dev/null 2>&1 && ! command -v ptxas >/dev/null; then
    missing+=("ptxas: emitted PTX was not assembled (make setup)")
    if [ "${CI:-}" = true ]; then
        echo "CI=true, and ptxas is missing: make setup installs it" >&2
        exit 1
    fi
fi
cargo test "${packages[@]}" "${features[@]}"
if [ ${#missing[@]} -gt 0 ]; then
    printf 'NOT TESTED: %s\n' "${missing[@]}"
    [ "${CI:-}" = true ] && exit 1
fi
exit 0
