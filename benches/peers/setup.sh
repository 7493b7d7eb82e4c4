#!/bin/sh
# Sets the peers up beside this script: Python's in .venv, Rust's in target. About 8 GB, because PyPI's PyTorch brings
# CUDA along. VENV and BUILT may name other folders.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${VENV:-$here/.venv}
built=${BUILT:-$here/target}

python3 -m venv "$venv"
"$venv/bin/pip" install -q -r "$here/requirements-bench.txt"
for peer in burn candle; do
    cd "$here/$peer"
    cargo build --release --locked --target-dir "$built/$peer-default"
    RUSTFLAGS="-C target-cpu=native" cargo build --release --locked --features strongest --target-dir "$built/$peer-strongest"
done
