"""A batch in an object store, here one in this process's memory: see ``test_batch_s3.py`` for one behind a socket."""

import json
import shutil

import fsspec
import pytest

from spnrefine.errors import FileError
from spnrefine.stores import lease, store
from spnrefine.stores.urls import Url

NAMES = ["a", "sub/b"]


@pytest.fixture
def bucket(pair, tmp_path):
    """A store with photos/{a,sub/b}.jpg and masks/ alike, and folders of tmp_path alike; b's mask is georeferenced."""
    photo, coarse = pair
    for name in NAMES:
        for source, target in ((photo, f"photos/{name}.jpg"), (coarse, f"masks/{name}.png")):
            (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tmp_path / target)
    (tmp_path / "masks/sub/b.pgw").write_text("1\n")
    system = fsspec.filesystem("memory")
    for folder in ("photos", "masks"):
        for path in (tmp_path / folder).rglob("*.*"):
            system.pipe_file(f"/bucket/{path.relative_to(tmp_path)}", path.read_bytes())
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def batch(run, *arguments, mask_dir="memory://bucket/masks", output="memory://bucket/refined"):
    return run("batch", "memory://bucket/photos", "--mask-dir", mask_dir, "-o", output, *arguments)


def there(bucket, folder="/bucket/refined"):
    return sorted(path.removeprefix(f"{folder}/") for path in bucket.find(folder))


def test_masks_in_a_store_are_those_of_a_disc(run, bucket, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = batch(run, "--records", "memory://bucket/records.jsonl")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "2 refined of 2.\n")
    ledger = [f".spnrefine/{name}.jsonl" for name in NAMES]
    assert set(there(bucket)) >= {*ledger, "a.png", "sub/b.pgw", "sub/b.png"}
    run("batch", tmp_path / "photos", "--mask-dir", tmp_path / "masks", "-o", tmp_path / "out")
    for name in ("a.png", "sub/b.png", "sub/b.pgw"):
        assert bucket.cat_file(f"/bucket/refined/{name}") == (tmp_path / "out" / name).read_bytes()
    records = [json.loads(line) for line in bucket.cat_file("/bucket/records.jsonl").splitlines()]
    assert [(each["image"], each["mask"], each["output"]) for each in records] == [
        tuple(
            f"memory://bucket/{place}.{end}"
            for place, end in ((f"photos/{n}", "jpg"), (f"masks/{n}", "png"), (f"refined/{n}", "png"))
        )
        for n in NAMES
    ]
    assert str(tmp_path) not in "".join(bucket.cat_file(f"/bucket/refined/{name}").decode() for name in ledger)
    assert "refined/.spnrefine/run" not in there(bucket, "/bucket")
    assert not list(tmp_path.glob(".spnrefine-*"))


def test_resume_takes_up_what_is_done_and_leaves_what_was_edited(run, bucket):
    assert batch(run, "--max-items", "1").exit_code == 0
    assert "a.png" in there(bucket)
    assert "sub/b.png" not in there(bucket)
    again = ["--resume", "--records", "memory://bucket/records.jsonl"]
    assert "1 refined, 1 skipped of 2" in batch(run, *again).stderr
    assert "2 skipped of 2" in batch(run, *again).stderr
    bucket.pipe_file("/bucket/refined/a.png", b"mine")
    result = batch(run, *again)
    assert "by hand: memory://bucket/refined/a.png" in result.stderr
    assert bucket.cat_file("/bucket/refined/a.png") == b"mine"
    bucket.rm_file("/bucket/refined/sub/b.png")
    assert "1 by hand, 1 refined of 2" in batch(run, *again).stderr


def test_what_is_there_is_replaced_by_overwrite_alone(run, bucket):
    bucket.pipe_file("/bucket/refined/a.png", b"other")
    result = batch(run)
    assert result.exit_code == 1
    assert "memory://bucket/refined/a.png exists: choose another output or pass --overwrite." in result.stderr
    assert bucket.cat_file("/bucket/refined/a.png") == b"other"
    assert batch(run, "--overwrite").exit_code == 0
    assert bucket.cat_file("/bucket/refined/a.png") == bucket.cat_file("/bucket/refined/sub/b.png")


def test_an_object_that_comes_meanwhile_is_not_replaced(run, bucket, monkeypatch):
    put = store.put

    def late(target, data, *, replace):
        if target.path.endswith("a.png"):
            bucket.pipe_file("/bucket/refined/a.png", b"somebody else's")
        put(target, data, replace=replace)

    monkeypatch.setattr(store, "put", late)
    assert "a.png exists" in batch(run).stderr
    assert bucket.cat_file("/bucket/refined/a.png") == b"somebody else's"


def test_an_object_that_is_edited_meanwhile_is_not_replaced(run, bucket, monkeypatch):
    batch(run, "--max-items", "1")
    put = store.put

    def late(target, data, *, replace):
        put(target, data, replace=replace)
        if target.path.endswith("a.jsonl"):
            bucket.pipe_file("/bucket/refined/a.png", b"edited")

    monkeypatch.setattr(store, "put", late)
    result = batch(run, "--only", "a", "--band", "3")
    assert "memory://bucket/refined/a.png was changed meanwhile: it stays as it is" in result.stderr
    assert bucket.cat_file("/bucket/refined/a.png") == b"edited"


def test_an_input_is_never_replaced(run, bucket):
    before = {path: bucket.cat_file(path) for path in bucket.find("/bucket")}
    assert "is the folder of the coarse masks" in batch(run, "--overwrite", output="memory://bucket/masks").stderr
    bucket.pipe_file("/bucket/photos/c.png", before["/bucket/masks/a.png"])
    bucket.pipe_file("/bucket/masks/c.png", before["/bucket/masks/a.png"])
    result = batch(run, "--overwrite", output="memory://bucket/photos")
    assert "memory://bucket/photos/c.png is the input memory://bucket/photos/c.png itself" in result.stderr
    assert all(bucket.cat_file(path) == data for path, data in before.items())


def test_a_put_that_fails_is_a_failed_mask(run, bucket, monkeypatch):
    pipe = type(bucket).pipe_file

    def refuse(self, path, value, **how):
        if path.endswith("refined/a.png"):
            raise PermissionError("Access Denied")
        pipe(self, path, value, **how)

    monkeypatch.setattr(type(bucket), "pipe_file", refuse)
    result = batch(run)
    assert result.exit_code == 1
    assert (
        "Failed: memory://bucket/photos/a.jpg: memory://bucket/refined/a.png cannot be written (Access Denied): "
        in (result.stderr)
    )
    assert "a.png" not in there(bucket)
    assert "sub/b.png" in there(bucket)
    monkeypatch.undo()
    assert "1 refined, 1 skipped of 2" in batch(run, "--resume").stderr


def test_a_second_run_is_refused_until_the_first_has_died(run, bucket, monkeypatch):
    claim = Url("memory", "bucket/refined/.spnrefine/run")
    first = lease.Lease(Url("memory", "bucket/refined"), claim)
    result = batch(run)
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "Error: memory://bucket/refined is being written by another run, which gave a sign "
    )
    assert there(bucket) == [".spnrefine/run"]
    monkeypatch.setattr(lease, "DEAD", lease.timedelta(seconds=-1))
    second = lease.Lease(Url("memory", "bucket/refined"), claim)
    first.release()
    assert there(bucket) == [".spnrefine/run"]
    second.release()
    assert not there(bucket)


@pytest.mark.faults
def test_a_claim_that_cannot_be_deleted_ends_in_a_sentence(run, bucket, monkeypatch):
    bucket.pipe_file("/bucket/refined/.spnrefine/run", b"somebody's")
    monkeypatch.setattr(lease, "DEAD", lease.timedelta(seconds=-1))
    monkeypatch.setattr(store, "remove", lambda target: None)
    assert "run can be neither taken nor deleted: check that your credentials allow both." in batch(run).stderr


def test_a_run_that_was_taken_for_dead_puts_nothing_more(run, bucket, monkeypatch):
    monkeypatch.setattr(lease, "EVERY", 0.01)
    own = lease.Lease(Url("memory", "bucket/refined"), Url("memory", "bucket/run"))
    own.check()
    bucket.pipe_file("/bucket/run", b"another's")
    own._thread.join(10)
    with pytest.raises(FileError, match="was taken over by another run: wait for its end, and give --resume"):
        own.check()
    own.release()
    assert bucket.cat_file("/bucket/run") == b"another's"


def test_masks_are_made_and_label_maps_named_there(run, bucket):
    arguments = ["memory://bucket/photos", "-o", "memory://bucket/made", "--model", "face"]
    assert run("batch", *arguments).exit_code == 0
    assert {"a.png", "labelmap.txt", "sub/b.png"} <= set(there(bucket, "/bucket/made"))
    assert "2 skipped of 2" in run("batch", *arguments, "--resume").stderr
    bucket.pipe_file("/bucket/none/readme.txt", b"x")
    result = run("batch", "memory://bucket/none", "-o", "memory://bucket/made", "--model", "face")
    assert (result.exit_code, "Error: memory://bucket/none holds no photographs" in result.stderr) == (4, True)


def test_discs_and_stores_go_together(run, bucket, tmp_path):
    masks, out = f"file://{tmp_path}/masks", tmp_path / "out"
    assert batch(run, mask_dir=masks, output=out).exit_code == 0
    assert sorted(path.name for path in out.rglob("*.*")) == ["a.png", "b.pgw", "b.png"]
    assert "2 skipped of 2" in batch(run, "--resume", mask_dir=masks, output=f"file://{out}").stderr


def test_a_dry_run_lists_urls_and_writes_nothing(run, bucket):
    before = there(bucket, "/bucket")
    line = "memory://bucket/photos/a.jpg\tmemory://bucket/masks/a.png\tmemory://bucket/refined/a.*"
    assert line in batch(run, "--dry-run").stdout
    assert there(bucket, "/bucket") == before


@pytest.mark.faults
def test_keys_lead_nowhere_else(run, bucket, tmp_path):
    bucket.store["/bucket/photos/../../../evil.jpg"] = bucket.store["/bucket/photos/a.jpg"]
    bucket.store["/bucket/photos/" + "x" * 300 + ".jpg"] = bucket.store["/bucket/photos/a.jpg"]
    result = batch(run)
    assert result.exit_code == 0
    assert "Left out: 2 objects of memory://bucket/photos whose names no file can have." in result.stderr
    assert "2 refined of 2" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ftp://host/photos", "-o", "out"], 1, "is of no store that is known here: expected file://, s3://"),
        (["memory://bucket/../x", "-o", "out"], 1, "names no folder of a store: expected memory://BUCKET/FOLDER."),
        (["file://host/photos", "-o", "out"], 1, "names no file of this machine: expected file:///PATH."),
        (["memory://bucket/none", "-o", "memory://bucket/out"], 1, "memory://bucket/none is not a folder"),
        (["memory://bucket/photos", "-o", "out", "--report", "page.html"], 2, "--report was given with a URL"),
        (["memory://bucket/photos", "-o", "out", "--engine", "ray"], 2, "--engine ray was given with memory://, which"),
        (["memory://bucket/photos", "-o", "out", "--files-from", "-"], 2, "--files-from was given with a URL"),
        (["photos", "-o", "out", "--overlay", "memory://bucket/look"], 2, "is a URL: expected a path of this machine."),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(run, bucket, tmp_path, monkeypatch, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    result = run("batch", *arguments)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("missing", "said"), [("fsspec", "'spnrefine[stores]'"), ("s3fs", "pip install s3fs")])
def test_a_missing_package_is_asked_for_by_name(run, monkeypatch, missing, said):
    monkeypatch.setattr(store, "find_spec", lambda name: None if name == missing else object())
    store._system.cache_clear()
    result = run("batch", "s3://bucket/photos", "-o", "s3://bucket/refined")
    assert (result.exit_code, said in result.stderr) == (1, True), result.stderr
