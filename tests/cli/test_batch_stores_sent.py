"""A batch in an object store whose items other processes work on: the same as without, whoever ends in the middle.

Here they are sent within one process, as the store is its memory; ``test_batch_s3_ray.py`` has processes and a server.
"""

import json
import os

import pytest

from spnrefine.cli.engines import Where
from spnrefine.errors import FileError
from spnrefine.files import temporary
from spnrefine.stores import lease, store
from spnrefine.stores.lease import Lease
from spnrefine.stores.mirror import _sweep
from spnrefine.stores.urls import Url
from tests.batch.sending import Sending
from tests.cli import test_batch_stores

bucket, batch, there = test_batch_stores.bucket, test_batch_stores.batch, test_batch_stores.there


@pytest.fixture
def send(run, monkeypatch):
    """Run a batch whose tasks are sent, of which the first few are lost; return the result and how many were sent."""

    def begin(*arguments, deaths=0, kind=Sending, **places):
        engine = kind(deaths)
        with monkeypatch.context() as patch:
            patch.setattr(Where, "open", lambda *how: engine)
            result = batch(run, *arguments, **places)
        return result, engine.sent

    return begin


def records(bucket):
    lines = [json.loads(line) for line in bucket.cat_file("/bucket/records.jsonl").splitlines()]
    return [line | {"seconds": None, "time": None, "run": None} for line in lines]


def masks(bucket):
    return {name: bucket.cat_file(f"/bucket/refined/{name}") for name in there(bucket) if name[0] != "."}


def test_what_is_sent_comes_out_as_on_threads(run, send, bucket, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    bucket.pipe_file("/bucket/photos/c.jpg", b"no photograph")
    bucket.pipe_file("/bucket/masks/c.png", bucket.cat_file("/bucket/masks/a.png"))
    threads = batch(run, "--records", "memory://bucket/records.jsonl")
    expected, wanted = masks(bucket), records(bucket)
    bucket.rm("/bucket/refined", recursive=True)
    bucket.rm_file("/bucket/records.jsonl")
    result, sent = send("--records", "memory://bucket/records.jsonl")
    assert (result.exit_code, result.stdout, result.stderr) == (1, threads.stdout, threads.stderr)
    assert "Failed: memory://bucket/photos/c.jpg: memory://bucket/photos/c.jpg " in result.stderr
    assert (masks(bucket), sent) == (expected, 3)
    assert set(expected) == {"a.png", "sub/b.png", "sub/b.pgw"}
    assert records(bucket) == wanted
    assert not list(tmp_path.glob(".spnrefine-*"))


def test_what_is_done_is_skipped_where_it_is_sent(send, bucket):
    result, sent = send("--max-items", "1")
    assert ("1 refined of 2." in result.stderr, sent) == (True, 1)
    result, sent = send("--resume")
    assert ("1 refined, 1 skipped of 2." in result.stderr, sent) == (True, 2)
    bucket.pipe_file("/bucket/refined/a.png", b"mine")
    assert "1 by hand, 1 skipped of 2" in send("--resume")[0].stderr
    assert bucket.cat_file("/bucket/refined/a.png") == b"mine"
    assert "2 failed of 2" in send()[0].stderr


def test_what_goes_to_a_folder_is_written_here(run, send, bucket, tmp_path):
    assert batch(run, output=tmp_path / "threads").exit_code == 0
    result, sent = send(output=tmp_path / "out")
    assert (result.exit_code, sent) == (0, 2)
    made = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "threads").rglob("*.*")}
    assert set(made) == {"a.png", "b.png", "b.pgw"}
    (tmp_path / "out/a.png").unlink()
    result, sent = send("--resume", output=tmp_path / "out")
    assert ("1 refined, 1 skipped of 2." in result.stderr, sent) == (True, 1)


def test_an_item_that_ends_each_process_is_given_up_and_begins_anew(send, bucket):
    result, _ = send(deaths=1)
    assert "2 refined of 2." in result.stderr
    result, _ = send("--overwrite", deaths=3)
    assert "1 failed, 1 refined of 2." in result.stderr
    assert "Failed: memory://bucket/photos/a.jpg: The process that worked on it ended 3 times (" in result.stderr
    tried = [json.loads(line) for line in bucket.cat_file("/bucket/refined/.spnrefine/a.jsonl").splitlines()]
    assert [line["tried"] for line in tried if "tried" in line] == ["again", "again", "given up"]
    assert "2 skipped of 2." in send("--resume", deaths=2)[0].stderr


def test_tries_of_a_run_that_was_killed_count(send, bucket):
    class KilledError(Exception):
        pass

    class Short(Sending):
        def _records(self, portion):
            assert portion.lost("as a test wants it") is None
            assert portion.lost("as a test wants it") is None
            raise KilledError

    assert "KilledError" in send(kind=Short)[0].stderr
    assert "1 failed, 1 refined of 2." in send("--resume", deaths=1)[0].stderr


def test_an_input_is_never_replaced(send, bucket):
    bucket.pipe_file("/bucket/photos/c.png", b"a photograph, maybe")
    bucket.pipe_file("/bucket/masks/c.png", bucket.cat_file("/bucket/masks/a.png"))
    result, sent = send("--overwrite", output="memory://bucket/photos")
    assert "memory://bucket/photos/c.png is the input memory://bucket/photos/c.png itself" in result.stderr
    assert (bucket.cat_file("/bucket/photos/c.png"), sent) == (b"a photograph, maybe", 2)


def test_a_worker_of_a_run_that_was_taken_for_dead_puts_nothing_more(bucket, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(lease, "_looked", {})
        own = Lease(Url("memory", "bucket/refined"), Url("memory", "bucket/run"))
        own.claimed.check()
        bucket.pipe_file("/bucket/run", b"another's")
        own.claimed.check()  # it looked just now
        patch.setattr(lease, "_looked", {})
        with pytest.raises(FileError, match="was taken over by another run: wait for its end, and give --resume"):
            own.claimed.check()
        own.release()
    store.remove(Url("memory", "bucket/run"))


def test_what_dead_processes_had_fetched_goes(run, bucket, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = tmp_path / temporary.new_name().replace(f"-{os.getpid()}-", "-9999999999-")
    (ended / "desks").mkdir(parents=True)
    (ended / "desks/photo.jpg").write_bytes(b"fetched")
    _sweep.cache_clear()
    assert batch(run, "--dry-run").exit_code == 0
    assert not ended.exists()
