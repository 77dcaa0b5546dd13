"""What the shells complete, and the scripts that make them ask."""

import os
import re
import shutil
import subprocess
import sys

import click
import pytest
from click.shell_completion import get_completion_class

from spnrefine.cli import main

SHELLS = ("bash", "zsh", "fish")
COMMANDS = main.list_commands(click.Context(main))


def completed(*arguments, shell="bash"):
    """What is offered for the last of the arguments, as (kind, value)."""
    asking = get_completion_class(shell)(main, {}, "spnrefine", "_SPNREFINE_COMPLETE")
    *before, incomplete = arguments
    return [(item.type, item.value) for item in asking.get_completions(before, incomplete)]


def values(*arguments):
    return {value for _, value in completed(*arguments)}


def in_process(shell, instruction, **environment):
    """The program as the shells call it."""
    code = "from spnrefine.cli import main; main(prog_name='spnrefine')"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "_SPNREFINE_COMPLETE": f"{shell}_{instruction}", **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize(
    ("shell", "registers"),
    [
        ("bash", r"complete -o nosort -F \w+ spnrefine"),
        ("zsh", "#compdef spnrefine"),
        ("fish", "complete --no-files --command spnrefine"),
    ],
)
def test_the_script_of_each_shell_asks_the_program(shell, registers):
    script = in_process(shell, "source")
    assert f"_SPNREFINE_COMPLETE={shell}_complete" in script
    assert re.search(registers, script)
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_program_answers_each_shell(shell):
    words = {"COMP_WORDS": "spnrefine batch photos --mask-", "COMP_CWORD": "--mask-" if shell == "fish" else "3"}
    assert "--mask-dir" in in_process(shell, "complete", **words)


def test_bash_offers_options_and_the_values_of_options(tmp_path):
    """The script itself, sourced by bash, which then completes as at its prompt."""
    (tmp_path / "spnrefine").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "from spnrefine.cli import main; main(prog_name=\'spnrefine\')" "$@"\n'
    )
    (tmp_path / "spnrefine").chmod(0o755)
    (tmp_path / "script").write_text(in_process("bash", "source"))
    ask = """
        PATH="$PWD:$PATH"; . ./script
        ask() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            asked=; _spnrefine_completion spnrefine
            echo "$asked: ${COMPREPLY[*]}"
        }
        compopt() { asked=$2; }
        ask spnrefine ba
        ask spnrefine batch photos --max
        ask spnrefine bench --only p
        ask spnrefine photo.jpg --model gen
        ask spnrefine pho
    """
    shown = subprocess.run(["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines() == [
        "default: batch",
        ": --max-items --max-failures --max-change --max-megapixels",  # in the order of --help
        ": propagation peers",
        "default: general",
        "default: ",  # bash's own: files
    ]


def test_commands_and_photographs_come_first():
    assert set(COMMANDS) <= values("")
    assert ("file", "pho") in completed("pho")
    assert values("ba") >= {"batch"}


def test_options_work_with_and_without_the_command():
    for arguments in (["photo.jpg", "--ma"], ["refine", "photo.jpg", "--ma"], ["--ma"]):
        assert {"--mask", "--max-change"} <= values(*arguments)
    offered = [value for _, value in completed("--")]
    assert len(offered) == len(set(offered))
    assert {"--version", "--debug", "--help", "--mask"} <= set(offered)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_offered(command):
    parameters = main.get_command(click.Context(main), command).params
    expected = {name for parameter in parameters for name in parameter.opts if name.startswith("--")}
    assert expected <= values(command, "--")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_file_and_folder_is_completed_as_one(command):
    context = click.Context(main)
    for parameter in main.get_command(context, command).params:
        if not isinstance(parameter, click.Option):
            continue
        metavar = parameter.get_help_record(context)[0].rpartition(" ")[2]
        if re.search(r"FILE|PATH|MASK|DIR", metavar):
            kinds = {kind for kind, _ in completed(command, parameter.opts[-1], "")}
            assert ("dir" if metavar == "DIR" else "file") in kinds, parameter.opts


@pytest.mark.parametrize("arguments", [["photo.jpg", "--mask", ""], ["refine", ""], ["batch", ""]])
def test_files_are_left_to_the_shell(arguments):
    assert completed(*arguments) == [("file", "")]


def test_models_and_devices_are_offered():
    assert ("plain", "general") in completed("batch", "--model", "gen")
    assert ("file", "gen") in completed("batch", "--model", "gen")
    assert values("bench", "--device", "") == {"auto", "cpu", "cuda"}
    assert values("bench", "--device", "c") == {"cpu", "cuda"}


def test_what_cannot_be_guessed_is_not_offered():
    assert completed("batch", "--band", "") == []
    assert completed("train", "--set", "") == []
