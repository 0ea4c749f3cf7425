"""``accord wheel diff``: two wheels or two sdists, difference by difference."""

from __future__ import annotations

HELP = "Compare two wheels or two sdists"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.wheel_files import Change, Comparison

IGNORABLE = ("times", "modes", "order", "packing", "owners", "generator", "record", "spelling")

_FEW = 10  # files that differ in their times alone are named up to here


def arguments(parser: Parser) -> None:
    parser.description = """Compares files (content, mode, time, order, packing) and metadata field by field. Two
        versions may be compared: their .dist-info folders count as one. Ends with status 0 if nothing differs, 1 if
        something does, 2 if one of the files cannot be read.

        --loose asks whether the two mean the same: files and metadata, whoever wrote them, whenever and in which
        order."""
    parser.examples = (
        ("accord wheel diff spam-1.0.tar.gz spam-1.1.tar.gz", "what a release changed"),
        ("accord wheel diff old/a-1.0-py3-none-any.whl new/a-1.0-py3-none-any.whl --text", "with the lines"),
        (
            "accord wheel diff --loose a-1.0-py3-none-any.whl built/a-1.0-py3-none-any.whl",
            "is it the same wheel?",
        ),
    )
    parser.argument("old", metavar="OLD", help="A wheel or an sdist", complete="file")
    parser.argument("new", metavar="NEW", help="Another of the same kind", complete="file")
    parser.flag("--text", help="Show the lines that differ")
    parser.append(
        "--ignore", metavar="WHAT", choices=IGNORABLE, help=f"No difference: {', '.join(IGNORABLE)}"
    )
    parser.flag("--loose", help="Ignore all of these")


def run(args: Args, context: Context) -> int:
    from accord.tasks import wheel_files

    ignore = IGNORABLE if args.loose else args.ignore
    found, texts = wheel_files.compare_files(args.old, args.new, ignore=ignore, text=args.text)
    status = 0 if found.same else 1
    if context.json:
        record = found.as_dict()
        if args.text:
            record["text"] = [one.as_dict() for one in texts]
        context.emit(record)
        return status
    for line in _lines(found, context):
        context.out(line)
    for one in texts:
        context.out()
        if one.note:
            context.out(context.paint(f"{one.path}: {one.note}".removeprefix(": "), "dim"))
        for line in one.lines:
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            context.out(context.paint(line, colour) if colour else line)
    context.say(_summary(found))
    return status


def _lines(found: Comparison, context: Context) -> Iterator[str]:
    paint = context.paint
    for field in found.metadata:
        yield f"{field.document}: {paint(field.field, 'bold')}"
        for mark, colour, values in (("-", "red", field.removed), ("+", "green", field.added)):
            for value in values:
                first, *more = value.split("\n")
                yield paint(f"    {mark} {first[:200]}", colour) + (
                    f" … ({len(more) + 1} lines)" if more else ""
                )
    for change in found.removed:
        yield f"{paint('-', 'red')} {change.path}{_size(change)}"
    for change in found.added:
        yield f"{paint('+', 'green')} {change.path}{_size(change)}"
    only_times = [change for change in found.changed if change.what == ("time",)]
    few = len(only_times) <= _FEW
    for change in found.changed:
        if few or change not in only_times:
            yield f"{paint('~', 'yellow')} {change.path}: {', '.join(_what(change))}"
    if not few:
        yield f"{paint('~', 'yellow')} {len(only_times)} files differ in nothing but their times (--ignore times)"
    if found.container:
        yield "no file differs, but the archives do: in the packed bytes, or in headers of the archive"


def _size(change: Change) -> str:
    from accord.cli.render import size

    file = change.old or change.new
    return "" if file is None else f" ({size(file.size)})"


def _what(change: Change) -> Iterator[str]:
    """What differs, with both values where they are short."""
    from accord.cli.render import size

    old, new = change.old, change.new
    assert old is not None and new is not None
    for what in change.what:
        if what == "content":
            yield "content" if old.size == new.size else f"content ({size(old.size)} -> {size(new.size)})"
        elif what == "mode":
            yield f"mode {old.mode:04o} -> {new.mode:04o}"
        elif what == "time":
            yield f"time {old.when} -> {new.when}"
        elif what == "owner":
            yield f"owner {old.owner} -> {new.owner}"
        elif what == "packing":
            yield f"packing {old.method} {old.packed} -> {new.method} {new.packed}"
        elif what == "kind":
            yield f"{old.kind} {old.target} -> {new.kind} {new.target}".replace("  ", " ")
        else:
            yield what


def _summary(found: Comparison) -> str:
    if found.identical_bytes:
        return "the two files are the same, byte for byte"
    if found.same:
        return "nothing differs that was not to be ignored"
    parts = [
        f"{len(items)} {word}"
        for word, items in (
            ("added", found.added),
            ("removed", found.removed),
            ("changed", found.changed),
            ("in the metadata", found.metadata),
        )
        if items
    ]
    return ", ".join(parts) or "the archives differ, their files do not"
