"""What README and the other documents say is what the program does, and what they point to is there."""

import re

import click
import pytest

from spnrefine.cli import main
from spnrefine.train.recipe import Recipe
from spnrefine.train.settings import with_settings
from tests.documents import DOCUMENTS, ROOT, anchors, inline_code, links, name
from tests.test_arrows import ARROWS

README = (ROOT / "README.md").read_text()
COMMANDS = main.list_commands(click.Context(main))
OF_OTHERS = {
    "--check",
    "--rm",
    "--read-only",
    "--user",
    "--no-index",
    "--find-links",
    "--require-hashes",
    "--no-deps",
    "--no-build-isolation",
}  # of ruff, docker and pip
LONGEST = {"README.md": 120, "CARD.md": 70}  # lines


def options(command):
    context = click.Context(main)
    parameters = main.get_command(context, command).params
    names = [name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)]
    return {name for name in names if name.startswith("--")}


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


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_no_document_names_an_option_that_does_not_exist(path):
    known = {option for command in COMMANDS for option in options(command)} | {"--help", "--version"} | OF_OTHERS
    for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", path.read_text()):
        assert option in known, option


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_options_stand_with_a_command_that_has_them(path):
    for code in inline_code(path):
        words = code.split()
        if words[0] != "spnrefine" or len(words) == 1:
            continue
        known = options(words[1] if words[1] in COMMANDS else "refine") | {"--help", "--version"}
        for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", code):
            assert option in known, code


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_numbers_of_the_recipe_that_documents_set_exist(path):
    text = " ".join(path.read_text().split())
    settings = re.findall(r"--set (?:'([^']+)'|((?!NAME=)\w+=[^\s'`,)]*\w))", text)
    with_settings(Recipe(), [quoted or plain for quoted, plain in settings])


def test_the_notebook_sets_numbers_of_the_recipe():
    assert len(re.findall(r"--set", (ROOT / "docs/experiments.md").read_text())) > 30


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_what_a_document_links_to_is_there(path):
    for link in links(path):
        target, _, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), link
        assert found.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(found), link


def test_links_and_anchors_are_seen():
    assert "examples/before_after.jpg" in links(ROOT / "README.md")
    assert "general-carried-on-on-two-cores" in anchors(ROOT / "docs/experiments.md")


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=name)
def test_readme_leads_to_every_document(path):
    assert name(path) in links(ROOT / "README.md")


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.name in LONGEST], ids=name)
def test_readmes_and_cards_are_short(path):
    assert len(path.read_text().splitlines()) <= LONGEST[path.name]


def test_there_is_a_card_for_all_weights():
    folders = {path.parent for path in ROOT.glob("weights/*/*.safetensors")}
    assert folders == {path.parent for path in DOCUMENTS if path.name == "CARD.md"}


def test_files_and_folders_that_the_map_of_the_code_names_exist():
    named = [
        code for code in inline_code(ROOT / "docs/architecture.md") if re.fullmatch(r"\S+/|\S+\.\w+|\S+/\S+", code)
    ]
    assert len(named) > 30
    for path in named:
        assert (ROOT / "spnrefine" / path).exists() or (ROOT / path).exists(), path


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_files_of_the_repository_that_a_document_names_exist(path):
    for code in inline_code(path):
        if re.fullmatch(r"(tests|spnrefine|docs|weights|findings|\.ci)/\S+", code):
            assert (ROOT / code).exists(), code


def test_every_room_stands_on_the_map():
    named = inline_code(ROOT / "docs/architecture.md")
    for room in sorted((ROOT / "spnrefine").iterdir()):
        if room.is_dir() and any(room.glob("*.py")):
            assert f"{room.name}/" in named, room.name


@pytest.mark.parametrize("room", sorted(set(ARROWS) - {"cache", "errors", "version"}))
def test_the_map_draws_the_arrows_that_the_code_is_held_to(room):
    arrows = re.findall(rf"^\| `{room}/` \| .* \| (.*) \|$", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    assert arrows == [", ".join(sorted(ARROWS[room])) or "nothing"]
