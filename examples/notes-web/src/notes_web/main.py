"""The command ``notes-web``: serve the notes until it is told to stop."""

from __future__ import annotations

import argparse

import uvicorn

from notes_web import __version__
from notes_web.app import create_app
from notes_web.notes import MEMORY, Notebook


def main() -> int:
    parser = argparse.ArgumentParser(prog="notes-web", description="Notes in a browser and over JSON.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--database", default=MEMORY, metavar="FILE", help="keep the notes in FILE")
    parser.add_argument("--version", action="version", version=f"notes-web {__version__}")
    options = parser.parse_args()
    notebook = Notebook(options.database)
    try:
        uvicorn.run(create_app(notebook), host=options.host, port=options.port, log_level="warning")
    finally:
        notebook.close()
    return 0
