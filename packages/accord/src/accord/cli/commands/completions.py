"""``accord completions``: the completion script for a shell."""

from __future__ import annotations

HELP = "Print the completion script for a shell"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.parser import Args, Parser


def arguments(parser: Parser) -> None:
    parser.description = """The script is made from the same definitions the commands are read by. Make it again after
        an upgrade of Accord."""
    parser.examples = (
        ("accord completions bash > ~/.local/share/bash-completion/completions/accord", "bash"),
        ("accord completions zsh > ~/.zfunc/_accord", "zsh, with ~/.zfunc in fpath"),
        ("accord completions fish > ~/.config/fish/completions/accord.fish", "fish"),
    )
    parser.argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")


def run(args: Args, context: Context) -> int:
    from accord.cli import completions

    script = completions.script(args.shell)
    if context.json:
        context.emit({"shell": args.shell, "script": script})
    else:
        context.stdout.write(script)
    return 0
