"""``accord tour``: the main jobs, shown."""

from __future__ import annotations

HELP = "Watch the main jobs run: an application, a package, an index"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser
    from accord.tasks.tour_steps import Step


def arguments(parser: Parser) -> None:
    parser.description = """Copies a small web application into a scratch folder and does there what Accord is for:
        lock it, make its environment, run it and ask it over HTTP, show its tree, change a dependency, undo it. Then a
        small project with a module in C is built, checked, installed and run; and an index is served on this machine,
        to which accord, twine and uv publish it and from which accord, pip and uv install it. Every step is a command you
        could type, with its time."""
    parser.argument(
        "path",
        metavar="DIR",
        count="optional",
        help="A project to show instead of the example",
        complete="dir",
    )
    parser.value("--keep", metavar="DIR", help="Use this folder, and leave it behind", complete="dir")


def run(args: Args, context: Context) -> int:
    import os
    import tempfile

    import accord
    from accord.tasks import tour

    here = os.path.dirname(accord.__file__)
    example = tour.find_example(args.path, here)
    packages = tour.find_packages(here) if args.path is None else None

    def tell(step: Step) -> None:
        if context.json:
            return
        context.out(f"{context.paint('#', 'dim')} {context.paint(step.words, 'bold')}  {step.seconds:.2f} s")
        if step.command:
            context.out(f"{context.paint('$', 'dim')} {context.paint(step.command, 'cyan')}")
        for line in step.output.splitlines():
            context.out(f"  {line}")
        context.out()
        context.stdout.flush()

    if args.keep is not None:
        os.makedirs(args.keep, exist_ok=True)
        steps = tour.take_tour(example, args.keep, packages=packages, tell=tell)
    else:
        with tempfile.TemporaryDirectory(prefix="accord-tour-") as scratch:
            steps = tour.take_tour(example, scratch, packages=packages, tell=tell)
    if context.json:
        context.emit(
            [
                {
                    "step": one.words,
                    "command": one.command,
                    "seconds": round(one.seconds, 3),
                    "output": one.output,
                }
                for one in steps
            ]
        )
    else:
        context.out(f"{len(steps)} steps, {sum(one.seconds for one in steps):.1f} s")
    return 0
