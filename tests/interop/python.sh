#!/usr/bin/env bash
# Prints the path of a Python that has Keras, onnxruntime and the others of requirements.txt, in a folder below target/.
# Prints nothing, and says why on stderr, where it cannot be had; what needs it is then skipped.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$here/../../target/interop}
log=$venv/install.log

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    if ! python3 -m venv "$venv" 2>/dev/null; then
        echo "notice: python3 -m venv does not work here; checks against Keras are skipped" >&2
        exit 0
    fi
    if ! "$venv/bin/pip" install -q -r "$here/requirements.txt" >"$log" 2>&1; then
        echo "notice: Keras cannot be installed here (see $log); checks against it are skipped" >&2
        exit 0
    fi
    cp "$here/requirements.txt" "$venv/installed.txt"
fi
(cd "$venv/bin" && echo "$PWD/python")
