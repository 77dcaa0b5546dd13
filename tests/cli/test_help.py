"""What ``--help`` prints, and the page of docs that is made from it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from spnrefine.cli import main, reference

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
COMMANDS = main.list_commands(click.Context(main))


def help_of(*arguments, columns=100):
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(main, [*arguments, "--help"], prog_name="spnrefine")
    assert result.exit_code == 0
    return result.output


def sections(text):
    """The options under each heading, in their order."""
    found = {}
    for line in text[text.index("Options:\n") :].splitlines():
        if heading := re.fullmatch(r"(\S.*):", line):
            options = found.setdefault(heading[1], [])
        elif named := re.match(r"  (?:-\w, )?(--[\w-]+)", line):
            options.append(named[1])
    return found


def test_the_page_is_what_help_prints():
    assert PAGE.read_text() == reference.reference(), "run: python -m spnrefine.cli.reference > docs/cli.md"


@pytest.mark.parametrize("columns", ["40", "200"])
def test_the_page_does_not_depend_on_the_terminal(columns):
    made = subprocess.run(
        [sys.executable, "-m", "spnrefine.cli.reference"],
        env={**os.environ, "COLUMNS": columns},
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == reference.reference()


def test_the_page_holds_every_command_and_option():
    page = reference.reference()
    context = click.Context(main)
    for name in COMMANDS:
        section = page.partition(f"\n## spnrefine {name}\n")[2].partition("\n## ")[0]
        for parameter in main.get_command(context, name).params:
            assert parameter.opts[-1] in section or isinstance(parameter, click.Argument), (name, parameter.opts)


def test_a_newcomer_finds_the_mask_and_the_output_first():
    shown = sections(help_of("refine"))
    assert next(iter(shown.items())) == (
        "Options",
        ["--mask", "--output", "--overlay", "--overlay-style", "--json", "--model"],
    )
    assert "--band" in shown["How much may change"]
    assert list(shown)[-1] == "Other options"
    assert shown["Other options"] == ["--debug", "--help"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_option_stands_in_one_section(command):
    context = click.Context(main)
    parameters = main.get_command(context, command).params
    expected = {name for parameter in parameters for name in parameter.opts if name.startswith("--")} | {"--help"}
    listed = [option for options in sections(help_of(command)).values() for option in options]
    assert sorted(listed) == sorted(expected)


@pytest.mark.parametrize("columns", [60, 80, 110])
def test_short_help_is_not_cut(columns):
    listed = " ".join(help_of(columns=columns).partition("Commands:")[2].split())
    context = click.Context(main)
    for name in COMMANDS:
        sentence = re.match(r"[^.]*\.", main.get_command(context, name).help)[0]
        assert " ".join(sentence.split()) in listed
    assert "..." not in listed
