"""What every command gets besides its own words: where it is, how loud to be, and where to write.

Results go to standard output, everything about the doing of it to standard error, so that a pipe gets only the
result.  With ``--json`` standard output holds exactly one JSON document.  Hot; holds no logic of any command.
"""

from __future__ import annotations

import os
import sys

from accord.cli.paint import Paint, reveal, wants_color

__all__ = ["Context", "global_options"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from accord.cli.parser import Args, Parser
    from accord.io.reporting import Reporter
    from accord.tasks.inspect_env import Looked


def global_options(parser: Parser) -> None:
    """The options that may stand before and after every command."""
    parser.section("Global options")
    parser.flag("-q", "--quiet", help="Print results and errors only")
    parser.count("-v", "--verbose", help="Say more; with an internal error, show the traceback")
    parser.flag("--json", dest="as_json", help="Print one JSON document instead of text, errors included")
    parser.flag(
        "--no-color",
        help="Never colour the output (also the variable NO_COLOR; FORCE_COLOR for the contrary)",
    )
    parser.flag("--no-progress", env="ACCORD_NO_PROGRESS", help="Draw no progress bars")
    parser.flag(
        "--offline",
        env="ACCORD_OFFLINE",
        help="Never use the network; what the cache holds is enough or it is an error",
    )
    parser.value(
        "--cache-dir", metavar="DIR", env="ACCORD_CACHE_DIR", help="The cache folder", complete="dir"
    )
    parser.value(
        "--project",
        metavar="DIR",
        env="ACCORD_PROJECT",
        help="Take the project in or above DIR",
        complete="dir",
    )
    parser.value("--directory", metavar="DIR", help="Change to DIR first", complete="dir")
    parser.flag("-h", "--help", help="Show this help")


class Context:
    """One run of the tool.  ``words`` is the line as typed; ``paint`` colours standard output, ``paint_error`` standard error."""

    def __init__(
        self,
        args: Args,
        *,
        words: Sequence[str] = (),
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.words = tuple(words)
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr
        self.environ = os.environ if environ is None else environ
        self.quiet: bool = args.quiet
        self.verbose: int = args.verbose
        self.json: bool = args.as_json
        self.offline: bool = args.offline
        self.cache_dir: str | None = args.cache_dir
        self.project: str | None = args.project
        self.no_progress: bool = args.no_progress
        self.paint = Paint(not self.json and wants_color(self.stdout, self.environ, refused=args.no_color))
        self.paint_error = Paint(wants_color(self.stderr, self.environ, refused=args.no_color))
        self._reporter: Reporter | None = None

    def out(self, text: str = "") -> None:
        """A line of the result, whatever a stranger's name in it holds."""
        self.stdout.write(reveal(text) + "\n")

    def page(self, text: str) -> None:
        """Lines of our own words: a help page."""
        self.stdout.write(reveal(text, lines=True) + "\n")

    def say(self, text: str) -> None:
        """A line about what was done; unsaid under ``--quiet`` and ``--json``."""
        if not self.quiet and not self.json:
            self.complain(text)

    def complain(self, text: str) -> None:
        """A line on standard error."""
        self.stderr.write(reveal(text) + "\n")

    def warn(self, text: str) -> None:
        """Something a person should know although the command goes on."""
        if not self.quiet:
            self.complain(f"{self.paint_error('warning', 'yellow', 'bold')}: {text}")

    def emit(self, record: object) -> None:
        """The one JSON document of this run."""
        import json

        text = json.dumps(record, indent=2, ensure_ascii=not self.speaks_unicode)
        self.stdout.write(f"{text}\n")

    @property
    def speaks_unicode(self) -> bool:
        """Whether standard output has every letter."""
        named = getattr(self.stdout, "encoding", None) or "utf-8"
        return named.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")

    @property
    def reporter(self) -> Reporter:
        """Progress bars on a terminal, words in a log, silence otherwise; made at its first use."""
        if self._reporter is None:
            from accord.cli.lines import reporter

            self._reporter = reporter(self)
        return self._reporter

    def finish(self) -> None:
        """Take progress bars off the screen; called before the last words of a run are written."""
        if self._reporter is not None:
            from accord.cli.lines import close

            try:
                close(self._reporter)
            except OSError:
                pass  # the terminal has gone, and the bars with it

    def cache(self) -> str:
        """The cache folder of this run, as a path."""
        from accord.tasks.folders import cache_folder

        return cache_folder(self.cache_dir, self.environ)

    def project_dir(self) -> str:
        """The folder of the project this run is about: the nearest one upwards with a ``pyproject.toml``."""
        from accord.tasks.folders import find_project

        return find_project(self.project)

    def project_file(self) -> str:
        """The ``pyproject.toml`` of that project."""
        return os.path.join(self.project_dir(), "pyproject.toml")

    def environment(self, asked: str | None) -> str:
        """The folder of the environment this run is about."""
        from accord.tasks.folders import find_environment

        return find_environment(asked, self.environ, self.project)

    def look(self, args: Args) -> Looked:
        """What is installed where ``--path``, ``--env`` or ``--python`` say."""
        from accord.tasks.inspect_env import look

        env = None if args.path or (args.python and not args.env) else self.environment(args.env)
        return look(env=env, folders=args.path, python=args.python, cache_dir=self.cache())
