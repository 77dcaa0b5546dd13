"""Every error a user can cause: one sentence saying what was given, what was expected and what to do."""

import errno
import os
import re


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


_UNPRINTABLE = re.compile(
    "[\0-\x1f\x7f-\x9f"  # control characters, with which a terminal can be made to do anything
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of writing, and so hide a name
    "\u2028\u2029\ufeff\ud800-\udfff]"  # line ends, a mark that is not seen, and what no encoding can hold
)


def printable(text: str) -> str:
    """Write ``text`` so that it does nothing to a terminal and stays on its line; names of files may hold anything.

    Examples
    --------
    >>> from spnrefine.errors import printable
    >>> print(printable("a\\x1b[2J\\n.jpg"))
    a\\x1b[2J\\n.jpg
    """
    return _UNPRINTABLE.sub(lambda found: _escaped(found[0]), text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a name that is no text
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


NO_TORCH = (
    "torch is not installed, which training, bench, GPUs and spnrefine.ops need: "
    "pip install 'spnrefine[train]', or 'spnrefine[cuda]' for a GPU."
)


def in_words(error: BaseException) -> str | None:
    """Say in a sentence what stopped the program from outside; None where it must be its own fault.

    Where that is raised, and of which kind, is up to the system and to libraries: a full disc or a lack of memory can
    show anywhere.
    """
    if isinstance(error, SpnRefineError):
        return str(error)
    text = " ".join(str(error).split())
    if isinstance(error, OSError):
        return _of_the_system(error, text)
    if isinstance(error, MemoryError) or any(word in text for word in _OUT_OF_MEMORY):
        return "Memory ran out: use a smaller photograph or fewer --jobs."
    if any(word in text for word in _OUT_OF_THREADS):
        return f"No thread could be started ({text}): use fewer --threads and --jobs, or raise the system's limit."
    if isinstance(error, ModuleNotFoundError) and error.name == "torch":
        return NO_TORCH
    if isinstance(error, ImportError) and not (error.name or "").startswith("spnrefine"):
        what = error.name or "A package"
        return f"{what} cannot be imported ({text}): install it again, in the version that this program asks for."
    if isinstance(error, UnicodeEncodeError):
        return f"Text cannot be written as {error.encoding} ({error.reason}): set PYTHONUTF8=1."
    return None


_OUT_OF_MEMORY = "bad_alloc", "Insufficient memory", "Failed to allocate memory", "allocate memory", "out of memory"
_OUT_OF_THREADS = "can't start new thread", "pthread_create", "Resource temporarily unavailable"


def _of_the_system(error: OSError, text: str) -> str:
    reason = error.strerror or text or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        where = f"{_path(error)} cannot be written" if error.filename else "Something cannot be written"
        return f"{where} ({reason}): make room, or choose another place."
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"Too few files may be open at once ({reason}): use fewer --jobs, or raise the system's limit."
    if error.errno == errno.ENOMEM:
        return "Memory ran out: use a smaller photograph or fewer --jobs."
    if "shared object" in text:
        return f"A library cannot be loaded ({text}): install the package that needs it again."
    if not error.filename:
        return f"The system refused a call ({reason}): check the disc, and where output goes."
    return f"{_path(error)} cannot be used ({reason}): check the path and its permissions."


def _path(error: OSError) -> str:
    return str(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else repr(error.filename)
