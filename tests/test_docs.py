"""What the README says is what the program does."""

import re
from pathlib import Path

import click
import pytest

from spnrefine.cli import main

README = (Path(__file__).parents[1] / "README.md").read_text()
COMMANDS = main.list_commands(click.Context(main))


def options(command):
    context = click.Context(main)
    parameters = main.get_command(context, command).params
    return {name for parameter in parameters for name in parameter.opts if name.startswith("--")}


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_shows_every_command(command):
    assert re.search(rf"spnrefine {command}\b", README) or command == "refine"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_examples(run_help, command):
    shown = run_help(command)
    assert "Examples:" in shown
    for option in options(command):
        assert option in shown


@pytest.fixture
def run_help():
    from click.testing import CliRunner

    return lambda command: CliRunner().invoke(main, [command, "--help"], prog_name="spnrefine").output


def test_readme_names_no_option_that_does_not_exist():
    known = {option for command in COMMANDS for option in options(command)} | {"--help", "--version"}
    for line in re.findall(r"^.*\bspnrefine .*$", README, re.MULTILINE):
        for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", line):
            assert option in known, line


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_files_that_the_readme_links_exist(link):
    assert (Path(__file__).parents[1] / link).exists()
