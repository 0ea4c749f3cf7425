#!/usr/bin/env bash
# Writes the locks of this folder anew, with Accord: one for each Python, because a lock with hashes names the files
# that fit one Python.  Pins stay as they are unless options say otherwise: requirements/lock.sh --upgrade.
set -euo pipefail
cd "$(dirname "$0")"
accord=../.venv/bin/accord
for python in 3.11 3.12 3.13; do
    "$accord" --quiet python find "$python" >/dev/null
    for name in base dev; do
        constraint=()
        if [ "$name" = dev ]; then constraint=(--constraint "base-$python.txt"); fi
        echo "requirements/$name-$python.txt"
        "$accord" --quiet pip compile "$name.in" ${constraint[@]+"${constraint[@]}"} --python "$python" --no-build \
            --generate-hashes --custom-compile-command "make lock" -o "$name-$python.txt" "$@"
    done
done
