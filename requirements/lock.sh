#!/usr/bin/env bash
# Writes the locks of this folder anew, with Accord: one for each Python, because a lock with hashes names the files
# that fit one Python.  Pins stay as they are unless options say otherwise: requirements/lock.sh --upgrade.
# Extras stand behind names: the pip that comes with Python 3.11 (23.2) does not apply a pin of `coverage` to the
# `coverage[toml]` that pytest-cov asks for, takes the newest release for it, and then refuses that for want of a hash.
set -euo pipefail
cd "$(dirname "$0")"
accord=../.venv/bin/accord
for python in 3.11 3.12 3.13; do
    "$accord" --quiet python find "$python" >/dev/null
    for name in base dev tour; do
        constraint=()
        if [ "$name" != base ]; then constraint=(--constraint "base-$python.txt"); fi
        echo "requirements/$name-$python.txt"
        "$accord" --quiet pip compile "$name.in" ${constraint[@]+"${constraint[@]}"} --python "$python" --no-build \
            --generate-hashes --no-strip-extras --custom-compile-command "make lock" -o "$name-$python.txt" "$@"
    done
done
