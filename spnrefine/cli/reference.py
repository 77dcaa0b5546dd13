"""The reference of the command line, ``docs/cli.md``, from what ``--help`` prints.

``python -m spnrefine.cli.reference > docs/cli.md`` writes it anew.
"""

from collections.abc import Iterator

import click

from spnrefine.cli import main

WIDTH = 110  # of the lines, whatever the terminal
PREFACE = """\
# Command line

What `--help` prints, for all commands; `python -m spnrefine.cli.reference > docs/cli.md` writes this page anew.

An option may also come from the environment, from a variable named after it: `SPNREFINE_DEVICE=cpu` is `--device cpu`
and `SPNREFINE_MAX_CHANGE=0.2` is `--max-change 0.2`. What stands on the command line goes first.

| exit code | meaning |
|---|---|
| 0 | all is done |
| 1 | something failed: standard error says what was given, and what was expected or what to do |
| 2 | wrong usage: nothing was begun |
| 130 | interrupted with Ctrl-C (143 with SIGTERM, 129 with SIGHUP) |
"""


def reference() -> str:
    """Return the page: a preface, then a section a command."""
    return "\n".join([PREFACE, *_sections()])


def _sections() -> Iterator[str]:
    context = click.Context(main, info_name="spnrefine", terminal_width=WIDTH, **main.context_settings)
    yield _section("spnrefine", main.get_help(context))
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if command is not None:
            yield _section(f"spnrefine {name}", command.get_help(click.Context(command, context, name)))


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n```text\n{text}\n```\n"


if __name__ == "__main__":
    print(reference(), end="")
