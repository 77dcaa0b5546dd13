"""The report's page as text: what it holds, in which order, how it escapes, and how it is written."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

import spnrefine
from spnrefine.errors import FileError
from spnrefine.review import put_aside
from spnrefine.review import report as review
from spnrefine.review.items import home, link
from spnrefine.review.report import Report, summarise
from tests.review.making import HOSTILE, arrays, record


class Scripts(HTMLParser):
    """The text of each script element by its id, and every tag that the page has."""

    def __init__(self, page):
        super().__init__()
        self.found, self.tags, self._id = {}, [], None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self._id = dict(attributes).get("id", "code") if tag == "script" else None

    def handle_data(self, data):
        if self._id:
            self.found[self._id] = self.found.get(self._id, "") + data

    def handle_endtag(self, tag):
        self._id = None


def page_of(*records, pictures=False):
    report = Report()
    for number, one in enumerate(records):
        report.add(one, *(arrays(number) if pictures else ()))
    return report.html(Path())


def data_of(page):
    return json.loads(Scripts(page).found["report"])


def test_worst_come_first():
    changes = {"b": 0.1, "a": 0.1, "c": 0.7, "d": None, "e": 0.0}
    records = [record(f"{name}.jpg", changed=changed) for name, changed in changes.items()]
    records += [record("f.jpg", status="failed", changed=None, error="it broke"), {"image": "photos/g.jpg"}]
    items = data_of(page_of(*records))["items"]
    assert [Path(item["image"]).stem for item in items] == ["f", "c", "a", "b", "e", "d", "g"]
    assert items[0]["error"] == "it broke"


def test_pictures_wait_on_the_disc_or_where_there_is_none_in_memory(monkeypatch):
    records = [record(f"{name}.jpg") for name in "abc"]
    page = page_of(*records, pictures=True)

    def refuse(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(put_aside.tempfile, "TemporaryFile", refuse)
    assert page_of(*records, pictures=True) == page


def test_what_no_longer_fits_the_disc_stays_in_memory(monkeypatch):
    kept = put_aside.PutAside()
    before = kept.put(b"before")
    monkeypatch.setattr(kept, "_file", Full(kept._file, 9))
    after = [kept.put(data) for data in (b"aft", b"er")]
    assert (before, after) == ((0, 6), [(6, 3), b"er"])
    assert [kept.get(place) for place in (before, *after)] == [b"before", b"aft", b"er"]


class Full:
    """A file on a disc that holds so many bytes."""

    def __init__(self, file, size):
        self._file, self._size = file, size

    def write(self, data):
        if self._file.tell() + len(data) > self._size:
            raise OSError(28, "No space left on device")
        return self._file.write(data)

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_of_very_many_the_worst_alone_have_pictures(monkeypatch):
    monkeypatch.setattr(review, "MOST_PICTURES", 2)
    records = [record(f"{name}.jpg", changed=changed) for name, changed in {"a": 0.1, "b": 0.3, "c": 0.2}.items()]
    held = page_of(*records, pictures=True)
    found = Scripts(held).found
    assert [Path(item["image"]).stem for item in json.loads(found["report"])["items"]] == ["b", "c", "a"]
    assert sorted(found) == sorted(["report", "picture-0", "picture-1", "code"])
    assert data_of(held)["about"]["pictures"] == "those of the 2 worst"


def test_expected_error_comes_before_change():
    doubts = {"a": (0.9, 0.1, None), "b": (0.1, 0.3, None), "c": (0.5, 0.0, 0.6), "d": (0.2, None, None)}
    records = [
        record(f"{name}.jpg", changed=changed, doubt=doubt, quality_after=quality)
        for name, (changed, doubt, quality) in doubts.items()
    ]
    items = data_of(page_of(*records))["items"]
    assert [(Path(item["image"]).stem, item["expected"]) for item in items] == [
        ("c", pytest.approx(0.4)),  # the judge's word goes first
        ("b", 0.3),
        ("a", 0.1),
        ("d", None),
    ]


def test_what_an_earlier_run_did_is_not_new():
    statuses = ("refined", "failed", "skipped", "by hand")
    items = data_of(page_of(*(record(f"{status}.jpg", status=status) for status in statuses)))["items"]
    assert {item["status"]: item["new"] for item in items} == dict(
        zip(statuses, (True, True, False, False), strict=True)
    )


def test_a_page_takes_up_what_is_not_done_again():
    first = Report()
    for number, name in enumerate("abc"):
        first.add(record(f"{name}.jpg", changed=0.1 * number), *arrays(number))
    before = first.html(Path())
    second = Report({"output": "out & <b>"})
    second.add(record("b.jpg", changed=0.9))
    second.take_up(before)
    page = second.html(Path())
    items = data_of(page)["items"]
    assert [(Path(item["image"]).stem, item["new"]) for item in items] == [("b", True), ("c", False), ("a", False)]
    found, old = Scripts(page).found, Scripts(before).found
    assert (found["picture-1"], found["picture-2"]) == (old["picture-0"], old["picture-2"])
    assert "picture-0" not in found
    assert "<title>Refined masks: out &amp; &lt;b&gt;</title>" in page


@pytest.mark.parametrize(
    "page", ["", "<html>", '<script type="application/json" id="report">{"items": [3, {}]}</script>']
)
def test_what_is_no_page_of_ours_holds_nothing(page):
    report = Report()
    report.take_up(page)
    assert data_of(report.html(Path()))["items"] == []


def test_the_home_of_a_page_is_a_known_digest():
    assert home(Path("/")) == 0x811C9DC5  # FNV-1a of nothing
    assert home(Path("/a")) == (((0x811C9DC5 ^ ord("/")) * 0x01000193 & 0xFFFFFFFF) ^ ord("a")) * 0x01000193 % 2**32


def test_summary_counts_in_a_fixed_order():
    statuses = ["full", "odd", "refined", "failed", "refined", None]
    records = [{"status": status, "changed": n / 10, "seconds": 2} for n, status in enumerate(statuses)]
    summary = summarise([*records, {"changed": float("nan"), "seconds": None}])
    assert summary["counts"] == [["failed", 1], ["refined", 2], ["full", 1], ["odd", 1], ["unknown", 2]]
    assert summary["changed"] == pytest.approx(0.25)
    assert summary["seconds"] == 12
    assert summarise([]) == {"counts": [], "changed": None, "seconds": 0}


def test_hostile_names_are_data_and_nothing_else():
    hostile = record(HOSTILE, error=HOSTILE, notes=[HOSTILE], status="</script><script>alert(1)</script>")
    page, plain = page_of(hostile), page_of(record())
    assert Scripts(page).tags == Scripts(plain).tags
    assert "alert(1)</script>" not in page
    (item,) = data_of(page)["items"]
    assert item["image"].endswith(HOSTILE)
    assert item["notes"] == [HOSTILE]


def test_the_policy_admits_this_page_alone():
    page = page_of(record())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", page)
    assert "innerHTML" not in page


def test_links_are_relative_and_escaped(tmp_path):
    assert link("photos/a b.jpg", Path()) == "photos/a%20b.jpg"
    assert link("photos/a.jpg", Path("reports/today")) == "../../photos/a.jpg"
    assert link(str(tmp_path / "x" / "a.png"), tmp_path / "y") == "../x/a.png"
    assert link("javascript:alert(1)", Path()) == "javascript%3Aalert%281%29"
    url = link(f"photos/{HOSTILE}", Path())
    assert not set("\"'<> #") & set(url)
    assert unquote(urlsplit(url).path) == f"photos/{HOSTILE}"
    assert link(b"photos/\xff.jpg".decode("utf-8", "surrogateescape"), Path()) == "photos/%FF.jpg"


def test_bytes_that_are_no_text_can_be_named(tmp_path):
    report = Report({"output": b"\xfe".decode("utf-8", "surrogateescape")})
    report.add(record(b"\xff.jpg".decode("utf-8", "surrogateescape")))
    report.add(record("half \ud800.jpg"))  # of a character
    report.write(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert r"<title>Refined masks: \xfe</title>" in page
    half, whole = (item["links"][0][1] for item in data_of(page)["items"])
    assert whole.endswith("photos/%FF.jpg")
    assert half.endswith("photos/half%20%5Cud800.jpg")


def test_an_empty_record_and_values_of_the_wrong_kind_do_no_harm():
    odd = dict.fromkeys(record(), float("inf")) | {"status": "refined", "notes": "alone", "components_before": "x"}
    numpy = record(changed=np.float32(0.5), seconds=np.int64(2), components_after=np.int32(1))
    items = data_of(page_of({}, dict.fromkeys(record()), odd, numpy))["items"]
    assert items[0]["changed"] == 0.5
    assert items[0]["components"] == [3, 1]
    odd_item = next(item for item in items if item["notes"])
    assert odd_item["notes"] == ["alone"]
    assert odd_item["components"] is odd_item["changed"] is None
    empty = [item for item in items if item["status"] == "unknown"]
    assert len(empty) == 2
    assert empty[0] == empty[1]
    assert empty[0]["links"] == []


def test_no_records_make_a_page_too():
    assert data_of(page_of())["items"] == []


def test_pictures_belong_to_their_items():
    report = Report()
    report.add(record("a.jpg", changed=0.1), *arrays())
    report.add(record("b.jpg", changed=0.9))
    report.add(record("c.jpg", changed=0.5), *arrays(1))
    scripts = Scripts(report.html(Path())).found
    assert [name for name in scripts if name.startswith("picture")] == ["picture-1", "picture-2"]
    picture = json.loads(scripts["picture-1"])
    assert set(picture) == {"jpeg", "width", "height", "coarse", "refined", "places"}
    assert picture["coarse"].startswith("M")


def test_threads_may_add_at_once(tmp_path):
    report = Report()
    scene = arrays(height=60, width=80)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: report.add(record(f"{n:03}.jpg", changed=n / 100), *scene), range(60)))
    assert len(report) == 60
    alone = Report()
    for n in range(60):
        alone.add(record(f"{n:03}.jpg", changed=n / 100), *scene)
    assert report.html(tmp_path) == alone.html(tmp_path)


def test_what_the_caller_does_to_a_record_afterwards_changes_nothing():
    report, values = Report(), record("a.jpg")
    report.add(values)
    values["image"] = "b.jpg"
    assert data_of(report.html(Path()))["items"][0]["image"] == "photos/a.jpg"


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "new" / "report.html"
    report = Report()
    report.add(record())
    report.write(path)
    assert data_of(path.read_text("utf-8"))["version"] == spnrefine.__version__
    with pytest.raises(FileError, match="exists"):
        report.write(path)
    report.write(path, overwrite=True)
    with pytest.raises(FileError, match="never overwritten"):
        report.write(path, overwrite=True, inputs=[path])
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_the_worst_expected_quality_comes_first():
    report = Report()
    for name, quality in (("a", 0.9), ("b", None), ("c", 0.4), ("d", 0.7)):
        report.add({"status": "refined", "image": name, "mask": name, "changed": 0.1, "quality_after": quality})
    page = report.html(Path())
    places = [page.index(f'"image":"{name}"') for name in "cdab"]
    assert places == sorted(places)
