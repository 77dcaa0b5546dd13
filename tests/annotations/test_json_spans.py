import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spnrefine.annotations.json_spans import dumps_like, parse
from spnrefine.errors import FileError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,  # to draw a large value takes far longer than to parse it: more and smaller ones
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=9), values, max_size=4), max_size=4),
    st.sampled_from([None, 0, 3]),
    st.booleans(),
)
def test_parses_as_json_does_and_spans_hold_the_values(objects, indent, ascii_only):
    text = json.dumps({"things": objects, "else": objects}, indent=indent, ensure_ascii=ascii_only)
    for opened in (None, {}, {"things": [{}]}, {"things": {}}, [{}]):
        assert parse(text, "x.json", opened) == json.loads(text)
    found = parse("\ufeff \n" + text + "\n", "x.json", {"things": [{}]})
    for thing in found["things"]:
        for key, (start, end) in thing.spans.items():
            assert json.loads(("\ufeff \n" + text)[start:end]) == thing[key]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "[",
        '{"a"',
        '{"a":',
        '{"a" 1}',
        '{"a": 1',
        '{"a": 1,',
        '{"a": 1,}',
        "{a: 1}",
        '{"a": [}',
        '{"a": [{"b": }]}',
        '{"a": [{}}',
        '{"a": [{},]}',
        '{"a": 1} x',
        '{"a": "',
        "[" * 100_000,
        "9" * 5000,
        '{"a": [1 2]}',
        "nul",
    ],
)
def test_what_is_not_json_is_one_sentence(text):
    for opened in (None, {"a": [{}]}, [{}]):
        with pytest.raises(FileError, match=r"x\.json (is not whole|holds) JSON"):
            parse(text, "x.json", opened)


def test_new_values_keep_the_old_ones_spacing():
    assert dumps_like([1, 2], "[3,4]") == "[1,2]"
    assert dumps_like([1, 2], "[3, 4]") == "[1, 2]"
    assert dumps_like([1, 2], "[\n  3,\n  4\n]") == "[1, 2]"
