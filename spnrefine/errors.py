"""Every error a user can cause: one sentence saying what was given, what was expected and what to do."""


class SpnRefineError(Exception):
    """Base of all errors raised on purpose; the command line prints its text and exits with 1.

    The text is one sentence: what was given, a colon, what was expected or what to do, and a full stop.

    Examples
    --------
    >>> import numpy as np
    >>> from spnrefine import SpnRefineError, refine
    >>> try:
    ...     refine(np.zeros((60, 80, 3), np.uint8), np.zeros((60, 79), bool))
    ... except SpnRefineError as error:
    ...     print(error)
    The mask has shape (60, 79), the image (60, 80, 3): expected equal height and width.
    """


class ShapeError(SpnRefineError, ValueError):
    """Arrays whose shapes or types do not fit together."""


class BackendError(SpnRefineError, RuntimeError):
    """A propagation backend or a device that is not available, or cannot do what was asked."""


class FileError(SpnRefineError, OSError):
    """A file or folder that cannot be read or written as what it should be."""


class WeightsError(SpnRefineError, ValueError):
    """Weights that are missing, corrupt, or made for another network."""


class MissingExtraError(SpnRefineError, ImportError):
    """A package that one of the optional extras brings is not installed."""
