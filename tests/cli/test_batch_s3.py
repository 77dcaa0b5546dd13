"""A batch in S3, as a server on the loopback address has it: killed, refused, cut off; the same bytes as on a disc."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter

import pytest

from tests.cli import s3
from tests.conftest import PROGRAM
from tests.documents import ROOT

pytestmark = pytest.mark.slow("installs an S3 server and s3fs; test_batch_stores.py tells most of it in memory")

MANY = 24
KEY, SECRET = "an-access-key", "a-secret-that-nobody-is-to-see"


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return s3.install(tmp_path_factory.mktemp("s3") / "venv")


@pytest.fixture
def server(packages, tmp_path):
    with s3.serve(packages, tmp_path / "server.log") as port:
        yield port


@pytest.fixture
def bucket(server, pair, tmp_path):
    """A bucket with photos/NN.jpg and masks/NN.png, and folders of tmp_path alike; one name has odd characters."""
    made = s3.Bucket(server, "bucket")
    names = [*(f"{number:02}" for number in range(MANY - 1)), "sub/ä +1%"]
    for folder, source, end in (("photos", pair[0], "jpg"), ("masks", pair[1], "png")):
        for name in names:
            path = tmp_path / folder / f"{name}.{end}"
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, path)
            made.put(s3.urllib.parse.quote(f"{folder}/{name}.{end}"), path.read_bytes())
    return made


@pytest.fixture
def start(packages, tmp_path):
    """Start a batch in the bucket, by the server at a port."""

    def begin(port, *arguments):
        own = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
        own |= {"AWS_ENDPOINT_URL": f"http://{s3.HOST}:{port}", "AWS_EC2_METADATA_DISABLED": "true"}
        own |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{packages}", "TMPDIR": str(tmp_path / "tmp")}
        (tmp_path / "tmp").mkdir(exist_ok=True)
        places = ["s3://bucket/photos", "--mask-dir", "s3://bucket/masks", "-o", "s3://bucket/refined"]
        return subprocess.Popen(
            [*PROGRAM, "batch", *places, "--jobs", "2", *arguments],
            cwd=tmp_path,
            env=os.environ | own,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return begin


def masks_in(bucket):
    return [key for key in bucket.keys("refined/") if key.endswith(".png")]


def end(process):
    out, err = process.communicate(timeout=300)
    assert SECRET not in out + err
    assert "Traceback" not in err
    return process.returncode, out, err


def asked(log):
    """Count the requests of each kind in the server's log, by where they lead."""
    found = re.findall(
        r'"([A-Z]+) /bucket/(photos|masks|refined/[.]spnrefine|refined)/[^/ ]+[.](?:jpg|png|jsonl) ', log
    )
    return Counter(found)


def check_like_on_a_disc(bucket, run, tmp_path):
    run("batch", tmp_path / "photos", "--mask-dir", tmp_path / "masks", "-o", tmp_path / "out")
    made = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in (tmp_path / "out").rglob("*.png")
    }
    assert len(made) == MANY
    assert {key: bucket.get(s3.urllib.parse.quote(f"refined/{key}")) for key in made} == made


def test_the_same_bytes_and_records_as_on_a_disc(start, server, bucket, run, tmp_path):
    before = (tmp_path / "server.log").read_text()
    code, _, err = end(start(server, "--records", "s3://bucket/records.jsonl"))
    assert (code, err) == (0, f"{MANY} refined of {MANY}.\n")
    paid = asked((tmp_path / "server.log").read_text()[len(before) :])
    one = MANY - 1  # besides the one in a folder of its own
    assert paid == {
        ("GET", "photos"): one,
        ("GET", "masks"): one,
        ("PUT", "refined"): one,
        ("PUT", "refined/.spnrefine"): one + 1,  # and what the run is called
    }
    check_like_on_a_disc(bucket, run, tmp_path)
    records = [json.loads(line) for line in bucket.get("records.jsonl").splitlines()]
    assert [record["output"] for record in records] == [
        *(f"s3://bucket/refined/{number:02}.png" for number in range(MANY - 1)),
        "s3://bucket/refined/sub/ä +1%.png",
    ]
    assert not [key for key in bucket.keys("refined/") if key.endswith("/run")]
    assert not list((tmp_path / "tmp").iterdir())
    code, _, err = end(start(server))
    assert (code, f"{MANY} failed of {MANY}." in err) == (1, True)
    code, _, err = end(start(server, "--resume"))
    assert (code, err) == (0, f"{MANY} skipped of {MANY}.\n")


@pytest.mark.faults
def test_a_killed_batch_goes_on_where_it_was(start, server, bucket, run, tmp_path):
    process = start(server)
    while len(masks_in(bucket)) < 3 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    end(process)
    done = masks_in(bucket)
    assert 3 <= len(done) < MANY
    assert "refined/.spnrefine/run" in bucket.keys("refined/")
    code, _, err = end(start(server, "--resume"))
    assert code == 0
    assert int(err.split(" refined, ")[0]) <= MANY - len(done)
    check_like_on_a_disc(bucket, run, tmp_path)


@pytest.mark.faults
def test_ctrl_c_lets_the_masks_at_work_be_put(start, server, bucket):
    process = start(server, "--records", "s3://bucket/records.jsonl")
    while len(masks_in(bucket)) < 3 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    code, _, err = end(process)
    assert code == 130
    told = len(bucket.get("records.jsonl").splitlines())
    assert told == len(masks_in(bucket)) < MANY
    assert f"{told} refined of {MANY}." in err
    assert "refined/.spnrefine/run" not in bucket.keys("refined/")


@pytest.mark.faults
def test_a_second_batch_is_refused_while_the_first_goes_on(start, server, bucket):
    first = start(server)
    while not masks_in(bucket) and first.poll() is None:
        time.sleep(0.01)
    code, _, err = end(start(server, "--overwrite"))
    assert code == 1
    assert "s3://bucket/refined is being written by another run, which gave a sign " in err
    assert end(first)[0] == 0


@pytest.mark.faults
def test_a_put_that_is_denied_fails_one_mask(start, server, bucket):
    with s3.between(server, denied="/refined/03.png") as (port, _):
        code, _, err = end(start(port))
    assert code == 1
    assert "Failed: s3://bucket/photos/03.jpg: s3://bucket/refined/03.png cannot be written (Access Denied)" in err
    assert f"1 failed, {MANY - 1} refined of {MANY}." in err
    assert bucket.get("refined/03.png") is None
    code, _, err = end(start(server, "--resume"))
    assert (code, err) == (0, f"1 refined, {MANY - 1} skipped of {MANY}.\n")


@pytest.mark.faults
def test_a_put_whose_answer_is_lost_is_no_failure(start, server, bucket, run, tmp_path):
    with s3.between(server, dropped="/refined/03.png") as (port, lost):
        code, _, err = end(start(port))
    assert lost == ["/bucket/refined/03.png"]
    assert (code, err) == (0, f"{MANY} refined of {MANY}.\n")
    check_like_on_a_disc(bucket, run, tmp_path)


@pytest.mark.faults
def test_a_bucket_that_is_not_there_and_a_server_that_is_not(start, server, bucket):
    code, _, err = end(start(server, "--mask-dir", "s3://none/masks"))
    assert code == 1
    assert err.startswith("Error: s3://none/masks ")
    bucket.put("locked", b"")
    with s3.between(server, denied="/refined/.spnrefine/run") as (port, _):
        code, _, err = end(start(port))
    assert (code, "run cannot be written (Access Denied): check the store and your credentials." in err) == (1, True)
    assert not bucket.keys("refined/")
