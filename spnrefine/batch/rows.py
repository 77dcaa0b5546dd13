"""Refine rows of a table, batch by batch, as Ray Data, Dask, Spark or a plain loop hand them out."""

import io
import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.batch.portion import failed
from spnrefine.errors import ShapeError, SpnRefineError
from spnrefine.files import masks, numpy_files
from spnrefine.files.images import Given
from spnrefine.files.opening import Named, Source
from spnrefine.job import job
from spnrefine.job.mattes import load_matting
from spnrefine.job.record import Record
from spnrefine.job.types import MakesMattes, Settings
from spnrefine.refiner.inputs import Rebuilt, as_array, as_image
from spnrefine.refiner.refiner import Refiner
from spnrefine.simd import cores

COLUMNS = "refined", "extension", "record", "error"
"""What is added to each row."""


class Refine(Rebuilt):
    """Refines the masks of batches of rows; one bad row is one error, and the others go on.

    It is made for engines that map a callable over batches, and holds one network. It can be pickled: the network is
    loaded again where it is first used.

    Parameters
    ----------
    model, device, threads : as of `spnrefine.Refiner`.
    image : the column of the photographs: paths, bytes of their files, or arrays (H, W, 3), uint8, RGB.
    mask : the column of the coarse masks: paths, bytes of their files, or arrays, which mean what they would in an NPY
        file.
    band, max_change, keep_topology : how much may change, as the options of ``spnrefine batch``.
    matting : what makes a matte where ``alpha`` is set, as the option of that name.
    settings : the others that say what masks mean, how they are refined and how written, likewise: those of
        `spnrefine.job.types.Settings`.

    Raises
    ------
    SpnRefineError
        ``soft`` and ``alpha`` are both set, or a restraint is no number from 0 on.

    Examples
    --------
    >>> import numpy as np
    >>> from spnrefine.batch import Refine
    >>> image = np.full((60, 80, 3), 40, np.uint8)
    >>> image[10:50, 20:60] = 200  # a bright square
    >>> coarse = np.zeros((60, 80), bool)
    >>> coarse[14:54, 24:64] = True  # four pixels off
    >>> rows = Refine(device="cpu")([{"image": image, "mask": coarse}, {"image": image, "mask": "none.png"}])
    >>> bool(rows[0]["refined"][30, 21]), bool(rows[0]["refined"][30, 63])
    (True, False)
    >>> rows[1]["error"]
    'none.png does not exist: check the path.'
    """

    def __init__(
        self,
        model: str = "general",
        device: str = "auto",
        threads: int | None = None,
        *,
        image: str = "image",
        mask: str = "mask",
        band: float | None = None,
        max_change: float | None = None,
        keep_topology: bool = False,
        matting: str = "matte",
        **settings: Any,
    ):
        how = {"band": band, "max_change": max_change, "keep_topology": keep_topology, **settings}
        self._made_with(model, device, threads, image=image, mask=mask, matting=matting, **how)
        self._settings = Settings.of(**how)
        _check(self._settings)
        self._network, self._matting = (model, device, threads), matting
        self._image, self._mask = image, mask

    def __call__(self, batch: Any) -> Any:
        """Refine the rows of a batch.

        Parameters
        ----------
        batch : list of dicts, dict of columns (NumPy arrays or lists), or pandas DataFrame.

        Returns
        -------
        A batch of the same kind and order, with these columns added to its own:

        - ``refined``: the refined mask; an array where the coarse one was an array, and else the bytes of a file in the
          coarse one's format. None where the row failed.
        - ``extension``: that of such a file, as ``.png``; None for an array.
        - ``record``: what was done, JSON text as ``spnrefine batch --records`` writes it. It is text as engines that
          keep tables in Arrow change what stands in dicts.
        - ``error``: None, or in a sentence what is wrong with the row.
        """
        if isinstance(batch, list):
            return [row | dict(zip(COLUMNS, self._row(row), strict=True)) for row in batch]
        rows = [self._row(row) for row in _rows(batch, (self._image, self._mask))]
        added = {name: _column([row[at] for row in rows]) for at, name in enumerate(COLUMNS)}
        return {**batch, **added} if isinstance(batch, Mapping) else batch.assign(**added)

    @cached_property
    def _refiner(self) -> Refiner:
        return Refiner(*self._network, **self._settings.of_refiner)

    @cached_property
    def _mattes(self) -> MakesMattes | None:
        return load_matting(self._matting, self._network[-1] or cores.threads()) if self._settings.alpha else None

    def _row(self, row: Mapping[str, Any]) -> tuple[Any, str | None, str, str | None]:
        record = Record(_name(row.get(self._image), self._image), _name(row.get(self._mask), self._mask))
        refined, extension = None, None
        try:
            refined, extension = self._refine(row, record)
        except Exception as error:  # whatever is wrong with one row, the others go on
            record = failed(record, error)
        return refined, extension, json.dumps(record.as_dict()), record.error

    def _refine(self, row: Mapping[str, Any], record: Record) -> tuple[bytes | NDArray, str | None]:
        image, mask = self._cell(row, self._image), self._cell(row, self._mask)
        photograph = Given(as_image(image)) if _is_array(image) else _source(image, self._image)
        given = Named(_npy(as_array(mask, "mask")), self._mask) if _is_array(mask) else _source(mask, self._mask)
        loaded = job.load(photograph, given, self._settings)
        refined = job.refine_timed(loaded, self._refiner, self._settings, record, self._mattes)
        data = job.encode(loaded, refined, self._settings)
        if _is_array(mask):
            return numpy_files.read(data, "the refined mask").array, None
        return data, masks.EXTENSIONS[loaded.mask.format] if isinstance(given, bytes) else masks.extension(loaded.mask)

    def _cell(self, row: Mapping[str, Any], column: str) -> Any:
        value = row.get(column)
        if isinstance(value, bytearray | memoryview):  # which is how Spark has bytes
            value = bytes(value)
        missing = isinstance(value, float) and np.isnan(value)  # which is how pandas has None
        if missing or value is None or (isinstance(value, str) and not value):
            raise SpnRefineError(f"The row has no {column!r}: give a path, the bytes of a file or an array.")
        return value


def _check(settings: Settings) -> None:
    """Refuse what no row can be refined with."""
    if settings.soft and settings.alpha:
        raise SpnRefineError("soft and alpha were both given: give one, for probabilities or for a matte.")
    for name in ("band", "max_change"):
        most = getattr(settings.restraint, name)
        if most is not None and not (isinstance(most, int | float | np.number) and most >= 0):
            raise SpnRefineError(f"{name} was {most!r}: expected a number from 0 on, or None.")


def _rows(batch: Any, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    expected = " and ".join(map(repr, columns))
    if not isinstance(batch, Mapping) and not hasattr(batch, "assign"):
        raise ShapeError(f"The batch is of type {type(batch).__name__}: expected rows, or columns {expected}.")
    present = [name for name in columns if name in batch]
    if not present:
        names = ", ".join(map(str, batch)) or "none"
        raise ShapeError(f"The batch has the columns {names}: expected {expected}.")
    lengths = [len(batch[name]) for name in present]
    if len(set(lengths)) > 1:
        raise ShapeError(f"The columns {expected} have {lengths[0]} and {lengths[1]} rows: expected as many in each.")
    for values in zip(*(batch[name] for name in present), strict=True):
        yield dict(zip(present, values, strict=True))


def _column(values: list[Any]) -> NDArray:
    """Put values into a column of objects, arrays of one shape too, which NumPy would stack."""
    column = np.empty(len(values), object)
    for at, value in enumerate(values):
        column[at] = value
    return column


def _is_array(value: Any) -> bool:
    return not isinstance(value, str | bytes | os.PathLike)


def _source(value: Any, name: str) -> Source:
    if isinstance(value, bytes):
        return Named(value, name)
    if "://" in os.fspath(value):
        raise SpnRefineError(f"{value} is a URL: give the bytes of its file, or a path of this machine.")
    return Path(value)


def _name(value: Any, column: str) -> str:
    return os.fspath(value) if isinstance(value, str | os.PathLike) else column


def _npy(array: NDArray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
