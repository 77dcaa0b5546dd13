"""Every error speaks with one voice: what was given, a colon, what was expected or what to do, a full stop."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import spnrefine
from spnrefine import errors
from tests import sources

PACKAGE = Path(spnrefine.__file__).parent
OWN = {name for name, _ in inspect.getmembers(errors, inspect.isclass)} | {"UsageError"}
FILES = sorted(PACKAGE.rglob("*.py"))


def messages(path):
    """The texts of the errors that a file makes, with X for what is filled in."""
    for node in ast.walk(sources.tree(path)):
        if isinstance(node, ast.Call) and _called(node) in OWN and node.args:
            text = node.args[0]
            parts = text.values if isinstance(text, ast.JoinedStr) else [text]
            if all(isinstance(part, ast.Constant | ast.FormattedValue) for part in parts):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in parts)


def _called(call):
    """The last name of what is called, whatever it hangs on."""
    return getattr(call.func, "attr", getattr(call.func, "id", None))


def test_messages_are_found():
    assert sum(1 for path in FILES for _ in messages(path)) > 150


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_errors_speak_with_one_voice(path):
    for text in messages(path):
        assert text.endswith("."), text
        assert not text.endswith(".."), text
        assert "; " not in text, text
        assert re.fullmatch(r".+: .+", text), text
        assert not re.search(r"\. [A-Z]", text), text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_what_is_raised_is_written_as_numpydoc_has_it(path):
    """Under the heading, lines that name errors alone; what they mean is indented below."""
    for indent, section in re.findall(
        r'^( *)Raises\n\1------\n((?:\1(?!""").*\S.*\n)+)', path.read_text(), re.MULTILINE
    ):
        lines = [line.removeprefix(indent) for line in section.splitlines()]
        named = [line for line in lines if not line.startswith(" ")]
        assert named
        assert all(re.fullmatch(r"\w+Error(, \w+Error)*", line) for line in named), section
        assert len(lines) >= 2 * len(named), section
