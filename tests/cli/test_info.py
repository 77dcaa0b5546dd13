import json
from pathlib import Path

from spnrefine import cache
from spnrefine.model import weights


def test_info_tells_versions_backends_and_weights(run):
    facts = json.loads(run("info", "--json").stdout)
    assert "reference" in facts["machine"]["backends"]
    assert "cpu" in facts["machine"]["backends"]
    general = next(w for w in facts["weights"] if w["name"] == "general")
    assert general["sha256"] == weights.describe("general").sha256
    assert "non-commercial" in general["terms"]


def test_info_tells_which_kernels_are_kept(run, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert json.loads(run("info", "--json").stdout)["machine"]["kernels kept"] == "0 files, 0.0 MB"
    for name in ("cuda.forward-float32-float32-sm_90-0f.cubin", "scan-1e.routines"):
        cache.keep(name, bytes(10**6))
    machine = json.loads(run("info", "--json").stdout)["machine"]
    assert machine["kernels kept"] == "2 files, 2.0 MB"
    assert machine["of them for CUDA"] == ["forward-float32-float32-sm_90"]


def test_info_for_people_says_the_same(run):
    shown = run("info")
    assert shown.exit_code == 0
    assert weights.describe("general").sha256 in shown.stdout.replace("\n", "").replace(" ", "")


def test_models_are_listed_with_their_purpose_terms_and_card(run):
    listed = json.loads(run("info", "--models", "--json").stdout)["weights"]
    assert [each["name"] for each in listed] == weights.available()
    for each in listed:
        assert each["purpose"]
        assert each["terms"], each["name"]
        assert Path(each["card"]).is_file()
    shown = run("info", "--models").stdout
    assert all(each["name"] in shown for each in listed)


def test_models_name_the_fields_that_they_have_seen(run):
    found = {one["name"]: one["fields"] for one in json.loads(run("info", "--models", "--json").stdout)["weights"]}
    assert {"cells", "cracks", "wounds"} <= set(found["broad"])
    assert {"cells", "cracks", "wounds"} <= set(found["general"])
    assert not {"cells", "cracks", "wounds"} & set(found["object"])
    assert "cells" in run("info", "--models").stdout


def test_a_file_of_ones_own_is_described(run):
    path = weights.find("broad")
    [described] = json.loads(run("info", path, "--json").stdout)["weights"]
    assert described["sha256"] == weights.describe("broad").sha256
    assert described["start"].startswith("general ")
    assert described["steps"] == weights.describe("broad").provenance["steps"]
    shown = run("info", path).stdout
    assert "Weights: broad" in shown
    assert "Versions" not in shown
    assert run("info", path, "--models").exit_code == 2
    missing = run("info", "nowhere.safetensors")
    assert missing.exit_code == 1
    assert "No weights 'nowhere.safetensors'" in missing.stderr
