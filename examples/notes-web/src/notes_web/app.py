"""The routes: a page for people, JSON for programs, over one notebook."""

from __future__ import annotations

import platform
from importlib.metadata import version
from json import JSONDecodeError
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from notes_web.notes import Notebook

DEPENDENCIES = ("jinja2", "python-multipart", "sqlalchemy", "starlette", "uvicorn")

pages = Jinja2Templates(Path(__file__).with_name("templates"))


def create_app(notebook: Notebook) -> Starlette:
    """The application over ``notebook``."""

    def page(request: Request, fault: str = "", status: int = 200) -> Response:
        context = {"notes": notebook.all(), "fault": fault}
        return pages.TemplateResponse(request, "index.html", context, status_code=status)

    def home(request: Request) -> Response:
        return page(request)

    async def write(request: Request) -> Response:
        async with request.form() as form:
            text = str(form.get("text", ""))
        try:
            notebook.add(text)
        except ValueError as fault:
            return page(request, str(fault), 400)
        return RedirectResponse("/", 303)

    def list_notes(_request: Request) -> Response:
        return JSONResponse([note.as_dict() for note in notebook.all()])

    async def add_note(request: Request) -> Response:
        try:
            sent = await request.json()
            note = notebook.add(str(sent["text"]))
        except (JSONDecodeError, KeyError, TypeError):
            return JSONResponse({"error": 'send {"text": "…"}'}, 400)
        except ValueError as fault:
            return JSONResponse({"error": str(fault)}, 400)
        return JSONResponse(note.as_dict(), 201)

    def remove_note(request: Request) -> Response:
        removed = notebook.remove(request.path_params["number"])
        return Response(status_code=204) if removed else JSONResponse({"error": "no such note"}, 404)

    def about(_request: Request) -> Response:
        versions = {name: version(name) for name in DEPENDENCIES}
        return JSONResponse({"python": platform.python_version(), "dependencies": versions})

    return Starlette(
        routes=[
            Route("/", home),
            Route("/", write, methods=["POST"]),
            Route("/api/notes", list_notes),
            Route("/api/notes", add_note, methods=["POST"]),
            Route("/api/notes/{number:int}", remove_note, methods=["DELETE"]),
            Route("/api/about", about),
        ]
    )
