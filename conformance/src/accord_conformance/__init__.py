"""The conformance suite of Python packaging: cases as data, a small command protocol, adapters, a runner, a report.

It judges by the published standards alone and imports nothing of any tool it asks, Accord's own included::

    standards   rules: every testable sentence, with an id            (rules/*.toml)
    cases       what is given, what is done, what must come of it      (cases/<role>/*.toml)
    making      wheels, sdists, index pages, made from a case's words
    site        the suite's own small server, which can misbehave on purpose
    adapters    what turns the protocol into one tool's commands       (adapters/*.toml, adapters/*.py)
    protocol    a request, an answer; commands and programs that give it
    tools       an environment for each tool
    roles       what each role needs around a case, and its witnesses
    running     plays cases with tools; judging says what came of it
    results     a run as a document;  report  the site made of it
"""

__version__ = "0.1.0"
