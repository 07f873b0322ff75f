#!/usr/bin/env bash
# The digits example on real data: accuracy, time, and that every backend gives the same bits.
set -euo pipefail
cd "$(dirname "$0")/.."
we3c=target/release/we3c
data=examples/data
arguments=("$data/digits_train.npy" "$data/digits_train_labels.npy" "$data/digits_test.npy" "$data/digits_test_labels.npy")

echo "Handwritten digits (UCI), 597 test images against 1,200 training images, 3 nearest neighbours"
echo "  source: examples/digits_knn.we3"
backends=(cranelift)
[ -x target/release/we3-llvm ] && backends+=(llvm)
for backend in "${backends[@]}"; do
    timed=$("$we3c" run examples/digits_knn.we3 accuracy "${arguments[@]}" --backend "$backend" --time 2>&1)
    accuracy=$(printf '%s\n' "$timed" | grep -E '^[0-9.]+$' | head -1)
    run=$(printf '%s\n' "$timed" | grep -E "run on $backend" | awk '{print $1}')
    printf '  %-10s accuracy %s, %s ms\n' "$backend" "$accuracy" "$run"
done
echo "All backends, with the interpreter, compared bit for bit:"
"$we3c" run examples/digits_knn.we3 classify "${arguments[@]:0:3}" --same-bits
