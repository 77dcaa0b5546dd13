import json
import sys
import time
from multiprocessing.pool import ThreadPool
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from spnrefine.evaluate import bench, commands, peers, timing
from spnrefine.evaluate.scene import draw_scene
from spnrefine.ops.cuda import compiling


@pytest.fixture
def briefly(monkeypatch):
    """Time few calls, on small arrays."""

    def time_once(call, device="cpu", **_):
        return timing.median_seconds(call, device, seconds=0, least=1)

    monkeypatch.setattr(bench, "median_seconds", time_once)
    monkeypatch.setattr(timing, "COPY_BYTES", 1 << 20)


def test_median_of_what_was_timed():
    calls = []
    seconds = timing.median_seconds(lambda: calls.append(1), seconds=0, least=4)
    assert len(calls) == 2 + 4
    assert 0 < seconds < 0.1


def test_a_scene_has_an_object_and_a_mask_that_is_off():
    image, mask = draw_scene(300, 200)
    assert (image.shape, mask.shape) == ((300, 200, 3), (300, 200))
    assert set(np.unique(mask)) == {0, 255}
    assert 0.3 < (mask > 0).mean() < 0.5


def test_propagation_rows(monkeypatch, briefly):
    monkeypatch.setattr(bench, "PROPAGATION_SHAPES", ((8, 12, 2),))
    rows = list(bench.propagation("cpu"))
    assert [row["layout"] for row in rows] == ["channels_last", "contiguous"]
    for row in rows:
        moved = (12 + 1 + 1) * 8 * 12 * 2 * 4
        assert row["gb_s"] == pytest.approx(moved / (row["forward_ms"] * 1e6), rel=1e-6)
        assert row["share"] == pytest.approx(row["gb_s"] / row["copy_gb_s"])
        assert row["backward_ms"] > 0
        assert row["times_reference"] == pytest.approx(row["reference_ms"] / row["forward_ms"])


def test_compiling_is_timed_apart(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    compiled = []

    def compile_slowly(unit, capability):
        compiled.append(unit.way)
        time.sleep(0.05)
        return b"code", ""

    monkeypatch.setattr(compiling, "compiled", compile_slowly)
    rows = list(bench.kernels("cuda"))
    assert [row["ways"] for row in rows] == ["forward", "forward and backward"]
    assert sorted(compiled) == ["backward", "forward", "forward"]  # from disk nothing is compiled
    for row in rows:
        assert row["first_seconds"] > max(0.05, row["again_seconds"])


def test_what_a_gpu_compiles_is_not_timed_on_a_cpu(run):
    refused = run("bench", "--only", "kernels", "--device", "cpu")
    assert refused.exit_code == 2
    assert "give --device cuda too" in refused.output


def test_end_to_end_rows_have_time_and_memory(monkeypatch):
    monkeypatch.setattr(bench, "SCENES", ((64, 96),))
    (row,) = bench.end_to_end("general", "cpu")
    assert row["size"] == "96x64"
    assert 0 < row["seconds"] < 30
    assert 0.1 < row["peak_gb"] < 4
    assert "growth_exponent" not in row


def test_growth_is_told_from_the_first_quarter_of_a_megapixel_on(monkeypatch):
    seconds = {(64, 96): 7, (500, 500): 1, (1000, 1000): 8, (2000, 2000): 16}
    monkeypatch.setattr(bench, "SCENES", tuple(seconds))
    monkeypatch.setattr(bench, "_refine_scene", lambda height, width, *_: (seconds[height, width], 1e9))
    monkeypatch.setattr(bench.multiprocessing, "get_context", lambda _: SimpleNamespace(Pool=ThreadPool))
    rows = list(bench.end_to_end("general", "cpu"))
    assert [row["seconds"] for row in rows] == list(seconds.values())
    assert [row.get("growth_exponent") for row in rows] == [None, None, pytest.approx(1.5), pytest.approx(1.0)]


def test_whole_commands_are_timed(monkeypatch, warm):
    assert (sys.executable, "-m", "spnrefine") == commands.PROGRAM
    monkeypatch.setattr(commands, "PROGRAM", tuple(warm))
    monkeypatch.setattr(commands, "IMPORT_TORCH", (sys.executable, "-c", "import json"))
    monkeypatch.setattr(commands, "SIDE", 128)
    (row,) = commands.cold("general", "cpu", times=1)
    assert row["ratio"] == pytest.approx(row["seconds"] / row["import_torch_seconds"])
    (row,) = commands.batch("general", "cpu", images=3)
    assert row["share"] == pytest.approx(row["images_per_second"] * row["in_process_seconds_an_image"])
    assert row["seconds"] > 0


def test_bench_prints_machine_and_versions(run, monkeypatch, briefly):
    monkeypatch.setattr(bench, "PROPAGATION_SHAPES", ((4, 4, 1),))
    printed = json.loads(run("bench", "--only", "propagation", "--json").stdout)
    assert printed["machine"]["cores"] >= 1
    assert "torch" in printed["versions"]
    assert "refine" not in printed
    assert "forward_ms" in run("bench", "--only", "propagation").stdout


def test_peers_are_timed_beside_the_tool(monkeypatch):
    chosen = {"domain-transform": peers.PEERS["domain-transform"]}
    monkeypatch.setattr(peers, "available", lambda: chosen)
    (row,) = bench.against_peers("general", "cpu", times=1)
    assert row["peer"] == "domain-transform"
    assert row["ratio"] == pytest.approx(row["spnrefine_seconds"] / row["seconds"])
