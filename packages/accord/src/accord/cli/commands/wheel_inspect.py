"""``accord wheel inspect``: what a wheel or sdist is and holds."""

from __future__ import annotations

HELP = "Show what a wheel or sdist is and holds"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.wheel_files import Folder, Inspection


def arguments(parser: Parser) -> None:
    parser.description = """Shows the metadata, the state of RECORD and the files with their sizes. Nothing of the file
        is run or unpacked to disk. What is wrong inside is shown in its place; a file that is not safe to open is
        refused."""
    parser.examples = (
        ("accord wheel inspect spam-1.0-py3-none-any.whl", "what it is, and its folders"),
        ("accord wheel inspect spam-1.0.tar.gz --files", "every file of an sdist"),
        ("accord wheel inspect spam-1.0-py3-none-any.whl --html spam.html", "one page for a browser"),
    )
    parser.argument("file", metavar="FILE", help="A wheel or an sdist", complete="file")
    parser.value("--depth", metavar="N", convert=_depth, help="Show folders N levels deep (default: 2)")
    parser.flag("--files", help="Show every file")
    parser.flag("--metadata", help="Show every field of the metadata, and no files")
    parser.value(
        "--html", metavar="FILE", help="Write one HTML page that needs nothing else", complete="file"
    )


def _depth(text: str) -> int:
    if not text.isdigit():
        raise ValueError(f"{text!r} is no number of levels")
    return int(text)


def run(args: Args, context: Context) -> int:
    from accord.tasks import wheel_files

    found = wheel_files.inspect_file(args.file)
    if args.html is not None:
        wheel_files.write_page(found, args.html)
        context.say(f"wrote {args.html}")
        if not context.json:
            return 0
    if context.json:
        context.emit(found.as_dict())
        return 0
    for line in _about(found, context):
        context.out(line)
    if args.metadata:
        for key, value in found.metadata.pairs:
            for number, part in enumerate(value.split("\n")):
                context.out(f"{context.paint(key + ':', 'bold') if not number else '   '} {part}")
        return 0
    depth = 64 if args.files else 2 if args.depth is None else args.depth
    context.out()
    for line in _tree(wheel_files.tree_of(found.files), "", depth, context, files=args.files):
        context.out(line)
    return 0


def _about(found: Inspection, context: Context) -> Iterator[str]:
    from accord.cli.render import plural, size

    paint = context.paint
    yield paint(f"{found.name} {found.version}".strip() or found.filename, "bold") + f" ({found.kind})"
    facts = [("summary", found.metadata.first("Summary"))]
    if found.kind == "wheel":
        facts += [("tags", ", ".join(found.tags)), ("build", found.build)]
    facts += [
        ("python", found.metadata.first("Requires-Python")),
        (
            "licence",
            found.metadata.first("License-Expression") or found.metadata.first("License").partition("\n")[0],
        ),
        ("generator", found.wheel.first("Generator")),
        ("size", f"{size(found.size)} packed, {size(found.unpacked)} in {plural(len(found.files), 'file')}"),
        ("sha256", found.sha256),
    ]
    if found.kind == "wheel":
        record = found.record
        facts.append(
            (
                "record",
                f"complete, {plural(record.rows, 'line')} (accord wheel verify reads what they describe)",
            )
            if record.state == "complete"
            else ("record", paint(f"faulty: {record.message} [{record.code}]", "red"))
        )
    facts += [("requires", text) for text in found.metadata.all("Requires-Dist")]
    facts += [
        (point.group, f"{point.name} = {point.module}" + (f":{point.attribute}" if point.attribute else ""))
        for point in found.entry_points
    ]
    facts += [("shared object", path) for path in found.shared_objects]
    facts += [("fault", paint(text, "red")) for text in found.faults]
    for label, text in facts:
        if text:
            yield f"  {paint(f'{label:<13}', 'dim')} {text}"


def _tree(folder: Folder, indent: str, depth: int, context: Context, *, files: bool) -> Iterator[str]:
    """The folders to ``depth`` levels, the files where they are asked for or stand at the top."""
    from accord.cli.render import plural, size

    for inner in folder.folders.values():
        sums = context.paint(f"{size(inner.size)}, {plural(inner.count, 'file')}", "dim")
        yield f"{indent}{context.paint(inner.name + '/', 'bold')}  {sums}"
        if depth > 1:
            yield from _tree(inner, indent + "    ", depth - 1, context, files=files)
    if files or (depth > 0 and len(folder.files) <= 20):
        for file in folder.files:
            leads = f" -> {file.target}" if file.target else ""
            mode = " *" if file.mode & 0o111 else ""
            yield f"{indent}{file.path.rpartition('/')[2]}{mode}{leads}  {context.paint(size(file.size), 'dim')}"
    elif folder.files:
        yield indent + context.paint(f"… {plural(len(folder.files), 'file')}", "dim")
