"""The style of the HTML page: light and dark by what the reader's system asks for, one column on a phone, readable
in print.  Colours keep a contrast of 4.5 to 1 against their ground (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light dark; --ground: #fbfaf7; --card: #fff; --ink: #1d2329; --soft: #57606a; --line: #d9d6ce;
  --accent: #0b5c7a; --wash: #e6f0f3; --bad: #9a1f1f; --badwash: #fdeeee; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181c; --card: #1b2127; --ink: #e4e7ea; --soft: #a3adb7;
  --line: #333c45; --accent: #7cc7e0; --wash: #1f3038; --bad: #ff9c94; --badwash: #3a2020; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
.top, main, footer { max-width: 60rem; margin: 0 auto; padding: 0 1rem; }
.top { padding-top: 2rem; }
h1 { margin: .1rem 0 .2rem; font-size: clamp(1.6rem, 5vw, 2.4rem); line-height: 1.15; overflow-wrap: anywhere; }
h1 small { color: var(--soft); font-weight: 400; font-size: .6em; }
h2 { margin: 0 0 .7rem; font-size: 1.1rem; }
code, pre, .name { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .9em; overflow-wrap: anywhere; }
.kind { display: inline-block; margin: 0; padding: .05rem .6rem; border-radius: 1rem; background: var(--wash);
  color: var(--accent); font-size: .85rem; font-weight: 600; }
.summary { margin: 0 0 .3rem; font-size: 1.1rem; overflow-wrap: anywhere; }
.file { margin: 0 0 1rem; color: var(--soft); }
section { margin: 0 0 1rem; padding: 1rem 1.2rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.faults { border-color: var(--bad); background: var(--badwash); }
.faults h2 { color: var(--bad); }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .7rem 1.5rem; margin: 0; }
.facts dt { color: var(--soft); font-size: .85rem; }
.facts dd { margin: 0; font-weight: 550; overflow-wrap: anywhere; }
.whole { grid-column: 1 / -1; }
.plain { margin: 0; padding: 0; list-style: none; columns: 18rem auto; }
.plain li { break-inside: avoid; padding: .1rem 0; overflow-wrap: anywhere; }
.none { margin: 0; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; white-space: pre-line; }
thead th { color: var(--soft); font-size: .85rem; white-space: nowrap; }
tbody th { font-weight: 550; overflow-wrap: normal; }
tbody tr:last-child > * { border-bottom: 0; }
details > summary { cursor: pointer; border-radius: .3rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
section > details { margin-top: .6rem; }
.tree ul { margin: 0; padding-left: 1.1rem; list-style: none; border-left: 1px solid var(--line); }
.tree > ul { padding-left: 0; border-left: 0; }
.tree li { padding: .08rem 0; }
.tree summary:hover { background: var(--wash); }
.size { color: var(--soft); font-size: .85rem; white-space: nowrap; margin-left: .4rem; }
.mark { display: inline-block; padding: 0 .45rem; border-radius: .8rem; background: var(--wash); color: var(--accent); font-size: .78rem; }
pre { margin: .6rem 0 0; white-space: pre-wrap; max-height: 40rem; overflow: auto; }
footer { color: var(--soft); font-size: .85rem; padding-bottom: 2rem; }
@media print { section { break-inside: avoid; border: 0; padding: 0; } }
"""
