"""COCO: one JSON file of images and annotations; LVIS, SA-1B and lists of results, which hold the same segmentations.

- COCO and LVIS: an object with the lists ``images`` and ``annotations``. LVIS names its images by ``coco_url`` alone.
- SA-1B: an object with one ``image`` and its ``annotations``; a file, or a folder of them.
- Results, as networks write them: a list of objects with ``image_id``, ``segmentation`` and ``score``. Which photograph
  an ``image_id`` is says another file of COCO, or else its own name, as COCO's photographs are named by it.

What becomes of a segmentation is in `coco_items`.
"""

import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from spnrefine.annotations.coco_brief import Brief, brief
from spnrefine.annotations.coco_items import CocoItem
from spnrefine.annotations.items import Item, TextFile, called
from spnrefine.annotations.json_spans import Kept
from spnrefine.annotations.photograph_names import Photographs, of_stem
from spnrefine.errors import MissingExtraError

OPENED: dict[str, Any] = {"annotations": [Kept({}, brief)]}

STEMS = ("{:012}", "COCO_val2014_{:012}", "COCO_train2014_{:012}", "COCO_test2014_{:012}")
"""What COCO calls the photograph of a number. Another photograph that is named by a number may have another id."""

WEB = ("http://", "https://")


def is_coco(value: Any) -> bool:
    """Tell COCO and LVIS by their lists of images and annotations."""
    return isinstance(value, dict) and all(isinstance(value.get(key), list) for key in ("images", "annotations"))


def is_sa1b(value: Any) -> bool:
    """Tell SA-1B by its one image and list of annotations."""
    return (
        isinstance(value, dict) and isinstance(value.get("image"), dict) and isinstance(value.get("annotations"), list)
    )


def is_results(value: Any) -> bool:
    """Tell a list of results by what each of them has."""
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(
            isinstance(one, dict) and "image_id" in one and ("segmentation" in one or "bbox" in one) for one in value
        )
    )


def open_coco(
    path: Path,
    text: str,
    value: Any,
    photographs: Photographs,
    named: dict[str, Any] | None = None,
    *,
    polygons: bool,
    tolerance: float,
) -> TextFile:
    """Open COCO's ``value`` of any of these forms, parsed from ``text`` with `OPENED`, or for a list with any dict.

    Annotations without a segmentation (boxes, keypoints, captions) are no items and stay as they are.

    Parameters
    ----------
    path : relative to the document; also what the items are named after.
    named : for a list of results, what the file that names their images holds, or None.

    Raises
    ------
    MissingExtraError
        Without pycocotools, which rasterises COCO's polygons.
    """
    if find_spec("pycocotools") is None:
        raise MissingExtraError("Reading COCO needs pycocotools: pip install 'spnrefine[coco]'.")
    annotations = value if isinstance(value, list) else value["annotations"]
    where = "" if isinstance(value, list) else "annotations"
    known = Images(path, value, named, photographs)
    masks = {
        position: found
        for position, found in enumerate(annotations)
        if isinstance(found, Brief) and found["segmentation"]
    }
    compressed = any(found["segmentation"] == "compressed" for found in masks.values())
    ids = Counter(_key(found.get("id")) for found in masks.values())
    items: list[Item] = []
    for position, found in masks.items():
        key = _key(found.get("id"))
        own_id = key and ids[key] == 1
        name = f"{path.as_posix()}#{found['id']}" if own_id else f"{path.as_posix()}#{where}[{position}]"
        photograph, problem, stated = known.find(name, found)
        own: dict[str, Any] = {"held": found.start, "text": text, "stated": stated, "tolerance": tolerance}
        own |= {"category": known.category(found), "score": _score(found), "crowd": found.get("iscrowd") == 1}
        items.append(CocoItem(name, photograph, problem, polygons=polygons, compressed=compressed, **own))
    return TextFile(path, text, items, objects=len(annotations))


class Images:
    """The images of a file, by their ids; one of text stands for a number, and the other way round, if need be.

    Parameters
    ----------
    path : of the file, for problems.
    value : what it holds.
    named : for a list of results, what the file that names them holds, or None.
    photographs : where they are looked for.
    """

    def __init__(self, path: Path, value: Any, named: dict[str, Any] | None, photographs: Photographs):
        self._path, self._photographs = path, photographs
        self._only = value["image"] if is_sa1b(value) else None
        holder = value if isinstance(value, dict) else named or {}
        listed = holder.get("images")
        kinds = holder.get("categories")
        self._categories = {
            _key(kind.get("id")): called(kind.get("name"))
            for kind in (kinds if isinstance(kinds, list) else [])
            if isinstance(kind, dict)
        }
        self._listed = isinstance(listed, list)
        self._holder = path.name if isinstance(value, dict) else "the file that names the images"
        known = [image for image in listed if isinstance(image, dict)] if isinstance(listed, list) else []
        self._by_id = {_key(image.get("id")): image for image in known}
        called_by_id: dict[str, set[str]] = {}
        for image in known:
            called_by_id.setdefault(_key(image.get("id")), set()).add(_file_name(image))
        self._several = {key: sorted(names) for key, names in called_by_id.items() if key and len(names) > 1}
        texts = Counter(str(image.get("id")) for image in known)
        for image in known:
            if _file_name(image):
                photographs.mention([_file_name(image)])
        self._by_text = {str(image.get("id")): image for image in known if texts[str(image.get("id"))] == 1}

    def category(self, found: dict[str, Any]) -> str | None:
        """Return the name of an annotation's category, or its id where it has none."""
        identity = found.get("category_id")
        return self._categories.get(_key(identity)) or called(identity)

    def find(self, name: str, found: dict[str, Any]) -> tuple[Path, str | None, tuple[Any, Any]]:
        """Return the photograph of an annotation, what is wrong with it, and its (height, width) by the file."""
        identity = _whole(found.get("image_id"))
        if self._only is None and not self._listed:
            return (*self._find_by_id(name, identity), (None, None))
        image = self._only
        if image is None:
            image = self._by_id.get(_key(identity)) or self._by_text.get(str(identity), {})
        own = _file_name(image)
        stated = (image.get("height"), image.get("width"))
        if self._only is None and _key(identity) in self._several:
            one, other, *_ = self._several[_key(identity)]
            problem = f"{name} belongs to the image {identity}, which is both {one} and {other} in {self._holder}: "
            return self._path, problem + "give each image an id of its own.", stated
        if own:
            return (*self._photographs.find(name, [own]), stated)
        problem = f"{name} belongs to no image with a file name in {self._holder}: export it again."
        return self._path, problem, stated

    def _find_by_id(self, name: str, identity: Any) -> tuple[Path, str | None]:
        text = str(identity) if type(identity) in (int, str) else ""
        if type(identity) is int:
            names = [one for stem in STEMS for one in of_stem(stem.format(identity))]
        else:
            names = [*([text] if text else []), *of_stem(text)]
        photograph, problem = self._photographs.find(name, names)
        if problem:
            problem = f"{name} has the image_id {text[:50]!r}, of which no photograph is named"
            problem += ": give --images-file, the COCO file of these images."
        return photograph, problem


def _score(found: dict[str, Any]) -> float | None:
    score: Any = found.get("score")
    return float(score) if type(score) in (int, float) and abs(score) <= sys.float_info.max else None


def _file_name(image: dict[str, Any]) -> str:
    """Return an image's name, from its address where it has no other."""
    own, url = image.get("file_name"), image.get("coco_url")
    if isinstance(own, str) and own and not own.startswith(WEB):
        return own
    try:
        return next((unquote(urlsplit(one).path).lstrip("/") for one in (own, url) if isinstance(one, str) and one), "")
    except ValueError:  # brackets that are no address
        return ""


def _key(identity: Any) -> str:
    """Make an id a key: 1 and "1" are two ids, and what is neither number nor text is none."""
    return repr(_whole(identity)) if isinstance(identity, int | float | str) else ""


def _whole(identity: Any) -> Any:
    """Make a whole number of 139.0, as ids are that were in a table with gaps; all else as it is."""
    return int(identity) if isinstance(identity, float) and identity.is_integer() else identity
