"""Pages in a real browser: seen (screenshots for the docs), operated by keyboard, without JavaScript, held against axe-core.

``ACCORD_SCREENSHOTS=docs/assets/index`` writes the pictures; without it they are looked at for their size alone.  axe-core
(MPL-2.0) is asked of the registry npm is set to, into a temporary folder, and is no part of what is shipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from accord.server.accounts import people
from accord.server.parts import open_parts
from accord.server.settings import Settings
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.browsing import PASSWORD
from accord.testing.serving import Served, basic, form

playwright = pytest.importorskip("playwright.sync_api")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]

README = """# {name}

{name} does one thing and does it *well*. It is a [library](https://{name}.example/) for Python 3.9 and newer.

```python
from {name} import Client

with Client("https://api.example", retries=3) as client:
    print(client.get("/things").json())  # one request, kept alive
```

| Feature | Since |
|---|---|
| Retries | 1.0 |
| Streaming | 2.0 |

- [x] Typed
- [x] No dependencies beyond the standard library
"""
PROJECTS = {
    "aurora": ("Colour for terminals, with fallbacks that look good", ["2.0.0", "2.1.0", "3.0.0"]),
    "courier": ("HTTP requests that resume, retry and verify", ["1.4.0", "1.5.0", "2.0.0rc1"]),
    "ledger-lines": ("Double-entry bookkeeping on plain text files", ["0.9.1"]),
    "meridian": ("Time zones without surprises", ["5.2", "5.3"]),
    "quill": ("Templates that escape by default", ["1.0", "1.1"]),
    "sextant": ("Geodesy: distances, bearings and areas on the ellipsoid", ["4.0"]),
    "tern": ("A tiny task queue on SQLite", ["0.3.0", "0.4.0"]),
    "weft": ("Dataclasses from JSON Schema, checked at the edge", ["1.2.3"]),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served index with a few projects; the administrator has a password."""
    folder = str(tmp_path_factory.mktemp("site") / "data")
    with Served(folder) as served:
        for name, (summary, versions) in PROJECTS.items():
            for version in versions:
                _publish(served, name, version, summary)
        parts = open_parts(Settings(folder))
        hashed = parts.passwords.hash(PASSWORD)
        with parts.database.write("system") as writing:
            people.set_password(writing, people.user_named(writing.connection, "admin"), hashed)
        parts.close()
        yield served.url


def _publish(served: Served, name: str, version: str, summary: str) -> None:
    module = name.replace("-", "_")
    needs = (
        "Requires-Dist: tern>=0.3\nRequires-Dist: quill; extra == 'html'\nProvides-Extra: html\n"
        if name == "courier"
        else ""
    )
    metadata = (
        f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: {summary}\nLicense-Expression: MIT\n"
        f"Author: Ada Lovelace\nRequires-Python: >=3.{9 + len(version) % 3}\nKeywords: {summary.split(maxsplit=1)[0].lower()},python\n"
        f"Project-URL: Homepage, https://{name}.example/\nProject-URL: Changelog, https://{name}.example/changes\n"
        f"{needs}Description-Content-Type: text/markdown\n\n{README.format(name=name)}"
    )
    files = {
        f"{module}/__init__.py": f'"""{summary}."""\n\n__version__ = "{version}"\n'.encode(),
        f"{module}/client.py": b"class Client:\n    pass\n" * (1 + len(version)),
        f"{module}/data/table.json": b"{}\n",
        f"{module}-{version}.dist-info/entry_points.txt": f"[console_scripts]\n{name} = {module}:main\n".encode(),
    }
    wheel = zip_bytes(wheel_parts(files, name=module, version=version, metadata=metadata))
    _send(served, f"{module}-{version}-py3-none-any.whl", wheel)


def _send(served: Served, filename: str, content: bytes) -> None:
    body, content_type = form({":action": "file_upload", "protocol_version": "1"}, filename, content)
    request = urllib.request.Request(
        f"{served.url}/legacy/", body, {"content-type": content_type, **basic(served.token)}
    )
    urllib.request.urlopen(request).close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


DESKTOP: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
PAGES = {
    "home": "/",
    "search": "/search?q=templates",
    "near": "/search?q=curier",
    "project": "/project/courier/",
    "version": "/project/courier/1.4.0/",
    "releases": "/project/courier/releases/",
    "files": "/project/courier/1.5.0/files/",
    "inside": "/project/courier/1.5.0/files/courier-1.5.0-py3-none-any.whl",
    "dependencies": "/project/courier/1.5.0/dependencies/",
    "used-by": "/project/tern/used-by/",
    "compare": "/project/aurora/compare/?old=2.0.0&new=3.0.0",
    "login": "/login",
    "fault": "/project/nowhere/",
}
MEMBERS = {"tokens": "/account/tokens/", "manage": "/project/courier/manage/", "operator": "/admin/"}


def _sign_in(page: Page, site: str, then: str = "/account/tokens/") -> None:
    page.goto(f"{site}/login?next={then}")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{then}")


def _faults(page: Page) -> list[str]:
    """What the browser complains of: scripts or styles that the policy stopped, files that are not there."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda fault: found.append(str(fault)))
    return found


def test_pictures_for_the_docs(site: str, chromium: Browser, tmp_path: Path) -> None:
    folder = Path(os.environ.get("ACCORD_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    shots = [
        ("home", "light", DESKTOP),
        ("home", "dark", DESKTOP),
        ("home", "light", PHONE),
        ("project", "light", DESKTOP),
        ("project", "dark", DESKTOP),
        ("project", "dark", PHONE),
        ("near", "light", DESKTOP),
        ("inside", "light", DESKTOP),
        ("compare", "dark", DESKTOP),
        ("tokens", "light", DESKTOP),
        ("manage", "light", DESKTOP),
        ("operator", "dark", DESKTOP),
    ]
    for scheme in ("light", "dark"):
        for size in (DESKTOP, PHONE):
            context = chromium.new_context(viewport=size, color_scheme=scheme)
            page = context.new_page()
            names = [name for name, of, where in shots if of == scheme and where == size]
            for name in sorted(names, key=lambda one: one in MEMBERS):
                if name in MEMBERS:
                    _sign_in(page, site)
                page.goto(site + {**PAGES, **MEMBERS}[name])
                target = folder / f"{name}-{scheme}-{'phone' if size == PHONE else 'desktop'}.png"
                page.screenshot(path=target)
                assert 5_000 < target.stat().st_size < 150_000, target
            context.close()


@pytest.mark.parametrize("size", [PHONE, DESKTOP, {"width": 320, "height": 600}])
def test_no_page_is_wider_than_the_screen(site: str, chromium: Browser, size: ViewportSize) -> None:
    context = chromium.new_context(viewport=size)
    page = context.new_page()
    _sign_in(page, site)
    for name, target in {**PAGES, **MEMBERS}.items():
        page.goto(site + target)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], f"{name} is {width} wide"
    context.close()


def test_everything_works_without_javascript(site: str, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site)
    page.get_by_label("Search projects").fill("curier")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="courier").first.click()
    assert page.locator("h1").inner_text().startswith("courier")
    page.get_by_text("poetry", exact=True).click()
    assert page.get_by_text("poetry add --source main courier").is_visible()
    assert not page.get_by_text("python -m pip install").is_visible()
    page.get_by_role("link", name="Files").click()
    page.get_by_role("link", name="contents of courier-1.5.0-py3-none-any.whl").click()
    assert page.get_by_text("client.py").is_visible()
    page.get_by_role("link", name="What changed").click()
    page.get_by_label("From").select_option("1.4.0")
    page.get_by_role("button", name="Compare").click()
    assert page.get_by_role("heading", name="What changed from 1.4.0 to 1.5.0").is_visible()
    _sign_in(page, site, "/project/quill/manage/")
    page.get_by_label("Release", exact=True).select_option("1.0")
    page.get_by_label("Reason").fill("superseded")
    page.get_by_role("button", name="Yank").click()
    page.goto(f"{site}/project/quill/1.0/")
    assert page.get_by_text("The reason given: superseded").is_visible()
    page.goto(f"{site}/account/tokens/")
    page.get_by_label("Name").fill("from a form")
    page.get_by_role("button", name="Make it").click()
    assert page.get_by_text("It is shown this once").is_visible()
    page.get_by_role("button", name="Revoke from a form").click()
    assert page.get_by_text("ended").first.is_visible()
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_role("link", name="Sign in").is_visible()
    context.close()


def test_the_policy_stops_nothing_of_ours_and_readers_get_no_cookie(site: str, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    faults = _faults(page)
    for name, target in PAGES.items():
        if name not in ("fault", "login"):
            page.goto(site + target)
    assert faults == []
    assert context.cookies() == []
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.goto(f"{site}/project/courier/")
    assert page.get_by_role("button", name="Copy: pip").is_visible()
    context.close()


def test_the_keyboard_reaches_the_content_the_tools_and_the_tree(site: str, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/project/courier/")
    page.keyboard.press("Tab")
    assert page.get_by_text("Skip to the content").is_visible()
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.get_by_role("radio", name="pip").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_text("uv add --index").is_visible()
    context.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm")
    folder = tmp_path_factory.mktemp("axe")
    packed = subprocess.run(
        [npm, "pack", "--silent", "axe-core@4"], cwd=folder, capture_output=True, text=True
    )
    if packed.returncode:
        pytest.skip("axe-core cannot be had")
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


@pytest.mark.network
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_against_wcag_2_2_aa(site: str, chromium: Browser, axe: str, scheme: Any) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport=DESKTOP, bypass_csp=True)
    page = context.new_page()
    found = _violations(page, site, PAGES, axe)
    _sign_in(page, site)
    found += _violations(page, site, MEMBERS, axe)
    assert found == [], "\n".join(found)
    context.close()


def _violations(page: Page, site: str, pages: dict[str, str], axe: str) -> list[str]:
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = []
    for name, target in pages.items():
        page.goto(site + target)
        page.evaluate(axe)
        result = page.evaluate(f"axe.run({{runOnly: {json.dumps(tags)}}})")
        for one in result["violations"]:
            places = [" ".join(node["target"]) for node in one["nodes"][:3]]
            found.append(
                f"{name}: {one['id']}: {one['help']}: {places} {one['nodes'][0].get('failureSummary', '')}"
            )
    return found


@pytest.mark.network
def test_axe_would_find_something(site: str, chromium: Browser, axe: str) -> None:
    context: BrowserContext = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{site}/login")
    page.evaluate("document.querySelector('label[for=user]').remove()")
    page.evaluate(axe)
    assert page.evaluate("axe.run().then(found => found.violations.length)") > 0
    context.close()
