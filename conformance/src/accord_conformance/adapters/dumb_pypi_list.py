"""The list that the tool wants of the files in FOLDER: a JSON object a line, written to LIST."""

import hashlib
import json
import pathlib
import sys

folder, made = map(pathlib.Path, sys.argv[1:])
entries = [
    {"filename": path.name, "hash": "sha256=" + hashlib.sha256(path.read_bytes()).hexdigest()}
    for path in sorted(folder.iterdir())
]
made.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
