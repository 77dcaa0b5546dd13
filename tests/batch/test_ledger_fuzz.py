"""Whatever stands in a ledger, it is asked without an error, and nothing that differs from its digest is taken up."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spnrefine.batch.digests import Origin, digest
from spnrefine.batch.keys import run_key
from spnrefine.batch.ledger import Ledger, made_before
from spnrefine.boxes.boxed import Boxed
from spnrefine.job.record import Record
from spnrefine.job.types import Settings

pytestmark = pytest.mark.faults

fuzzed = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
ABSURD = st.sampled_from(
    [None, True, -1, 10**400, 0.5, float("nan"), "", "\0", "x" * 5000, "../../b.png", "\ud800", [], {}, [[0]], {"a": 1}]
).map(copy.deepcopy)
MASK = Boxed.of(np.pad(np.ones((3, 5), bool), 2))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with an output, and the lines that say so."""
    folder = tmp_path_factory.mktemp("ledger")
    (folder / "out").mkdir()
    (folder / "out/a.png").write_bytes(b"refined")
    (folder / "p").write_bytes(b"photograph")
    ledger = opened(folder)
    key, inputs = ledger.keys(folder / "p")
    record = Record(image="p", mask="m", output="out/a.png", status="refined")
    ledger.begin(folder / "out/a.png", key, digest(b"refined"))
    ledger.finish(folder / "out/a.png", key, digest(b"refined"), record, inputs=inputs, chosen=True)
    ledger.keep(Origin("mask", "inputs", "joint"), MASK, record)
    ledger.tried(key, given_up=False)
    ledger.close()
    assert ledger.path.stat().st_size > 0
    return folder, ledger.path, ledger.path.read_bytes(), (key, inputs)


def opened(folder: Path) -> Ledger:
    return Ledger(folder / "out", run_key(Settings(), "sum", "0.1.0"))


def ask(folder: Path, path: Path, data: bytes, key: str, inputs: str) -> None:
    """Ask a ledger of such bytes all that can be asked."""
    path.write_bytes(data)
    ledger, output = opened(folder), folder / "out/a.png"
    for found in (ledger.finished(output, key), ledger.chosen(output, inputs), ledger.done(output, inputs)):
        assert found is None or found.status == "skipped"
    assert ledger.may_replace(output) in (True, False)
    assert ledger.tries(key) >= 0
    for kept in (ledger.kept("mask", MASK.size), ledger.kept_last("inputs", MASK.size)):
        assert kept is None or kept[0].size == MASK.size
    assert all(isinstance(each, Path) for each in made_before(folder / "out"))
    output.write_bytes(b"edited by somebody")
    try:
        assert ledger.finished(output, key) is None
        assert not ledger.may_replace(output)
    finally:
        output.write_bytes(b"refined")
        ledger.close()


@fuzzed
@given(st.data())
def test_values_that_are_absurd(written, data):
    folder, path, whole, keys = written
    lines = [json.loads(line) for line in whole.splitlines()]
    for _ in range(data.draw(st.integers(1, 3))):
        holder = data.draw(st.sampled_from(lines))
        while isinstance(inner := holder[key := data.draw(st.sampled_from(sorted(holder)))], dict) and inner:
            if data.draw(st.booleans()):
                break
            holder = inner
        holder[key] = data.draw(ABSURD)
    ask(folder, path, b"".join(json.dumps(line).encode() + b"\n" for line in lines), *keys)


@fuzzed
@given(st.data())
def test_bytes_that_are_damaged(written, data):
    folder, path, whole, keys = written
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
        damaged = damaged or bytearray(b"\n")
    ask(folder, path, bytes(damaged), *keys)


def test_what_was_not_damaged_is_taken_up(written):
    folder, path, whole, (key, inputs) = written
    path.write_bytes(whole)
    ledger, output = opened(folder), folder / "out/a.png"
    assert ledger.finished(output, key)
    assert ledger.chosen(output, inputs)
    assert ledger.may_replace(output)
    assert ledger.tries(key) == 1
    np.testing.assert_array_equal(ledger.kept("mask", MASK.size)[0], MASK)
    ledger.close()
