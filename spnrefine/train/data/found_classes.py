"""The classes of label maps that nobody has named."""

from collections.abc import Sequence

from spnrefine.errors import FileError
from spnrefine.files.classes import Classes
from spnrefine.train.data.pairs import Pair
from spnrefine.train.data.reading import read_label_map


def classes_of(pairs: Sequence[Pair]) -> Classes:
    """Return a class for each id from 0 to the largest in the label maps, void aside.

    Raises
    ------
    FileError
        A label map cannot be read, or all of them hold one id alone, or there are more than 255.
    """
    largest = max((read_label_map(pair).largest for pair in pairs), default=0)
    if not largest:
        raise FileError(
            "The label maps hold one class alone: expected ids from 0 on, or binary masks and --task binary."
        )
    return Classes.numbered(largest + 1)
