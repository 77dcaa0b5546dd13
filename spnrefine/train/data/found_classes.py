"""The classes of label maps that nobody has named."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.files.classes import Classes
from spnrefine.train.data.pairs import Pair


def classes_of(pairs: Sequence[Pair]) -> Classes:
    """Return a class for each id from 0 to the largest in the label maps, void aside.

    Raises
    ------
    FileError
        A label map cannot be read, or all of them hold one id alone.
    """
    largest = 0
    for pair in pairs:
        try:
            with Image.open(pair.mask) as file:
                ids = np.asarray(file)
        except (OSError, ValueError) as error:
            raise FileError(f"{pair.mask} cannot be read ({error}): expected a label map.") from None
        if ids.ndim != 2 or ids.dtype != np.uint8:
            raise FileError(f"{pair.mask} is no label map: expected one channel of 8-bit class ids.")
        largest = max(largest, int(ids[ids != pair.void].max(initial=0)))
    if not largest:
        raise FileError(
            "The label maps hold one class alone: expected ids from 0 on, or binary masks and --task binary."
        )
    return Classes.numbered(largest + 1)
