#!/usr/bin/env bash
# The digits example on real data: accuracy, times, and that every backend gives the same bits.
set -euo pipefail
cd "$(dirname "$0")/.."
we3c=target/release/we3c
data=examples/data
arguments=("$data/digits_train.npy" "$data/digits_train_labels.npy" "$data/digits_test.npy" "$data/digits_test_labels.npy")

echo
echo "Handwritten digits (UCI): 597 test images, each named by its 3 nearest among 1,200 training images."
echo "  source     examples/digits_knn.we3"
messages=$(mktemp)
trap 'rm -f "$messages"' EXIT
# All backends compute the accuracy; `--same-bits` compares what they return.
accuracy=$("$we3c" run examples/digits_knn.we3 accuracy "${arguments[@]}" --same-bits --time 2>"$messages") || {
    cat "$messages" >&2
    exit 1
}
awk -v accuracy="$accuracy" '
    BEGIN { printf "  accuracy   %.2f %%\n\n  %-12s %10s %13s\n", 100 * accuracy, "backend", "compile", "run" }
    /^ *[0-9.]+ ms  (passes|cranelift|llvm|load)$/ { compile += $1 }
    /^ *[0-9.]+ ms  run on / {
        printf "  %-12s %10s %10.1f ms\n", $NF, compile ? sprintf("%.1f ms", compile) : "-", $1
        compile = 0
    }
    / left out: / { left_out = left_out "  " $0 "\n" }
    /^same bits on / { agreed = $0 }
    END { printf "%s%s\n", left_out, agreed }
' "$messages"
