"""A plain file server: what lies in FOLDER, on PORT of loopback.

A page may lie there in several forms: index.html, index.v1_html and index.v1_json, of which the client gets the first it accepts, as the server's configuration that
mirrors are documented with does.  A folder's URL without its slash is redirected to the one with it.
"""

import os
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

FORMS = (
    ("application/vnd.pypi.simple.v1+json", "index.v1_json"),
    ("application/vnd.pypi.simple.v1+html", "index.v1_html"),
    ("text/html", "index.html"),
    ("*/*", "index.html"),
)


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    extensions_map = {
        "": "application/octet-stream",
        ".html": "text/html; charset=utf-8",
        ".v1_html": "application/vnd.pypi.simple.v1+html",
        ".v1_json": "application/vnd.pypi.simple.v1+json",
    }

    def send_head(self):
        path, mark, query = self.path.partition("?")
        folder = self.translate_path(path)
        if path.endswith("/") and os.path.isdir(folder):
            accept = self.headers.get("Accept", "*/*").lower()
            for kind, name in FORMS:
                if kind in accept and os.path.exists(os.path.join(folder, name)):
                    self.path = path + name + mark + query
                    break
        return super().send_head()

    def list_directory(self, path):
        self.send_error(404)

    def log_message(self, *args):
        pass


os.chdir(sys.argv[1])
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
