"""Whether a path leads to a file, for names that come from strangers: asking never raises an error."""

import os
import stat
from pathlib import Path


def is_file(path: Path) -> bool:
    """Like Path.is_file, but False for names that no file can have: too long, or with a null byte."""
    return why_no_file(path) is None


def why_no_file(path: Path) -> str | None:
    """Say, as the rest of a sentence, why nothing can be read from ``path`` as from a file; None where it can.

    A pipe is no file here: who reads one that nobody writes to waits for ever.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 -- of a list of many
    except FileNotFoundError:
        return "there is no such file: check the path."
    except OSError as error:
        return f"it cannot be reached ({error.strerror or error}): check the path and its permissions."
    except ValueError:  # a null byte, or half of a character
        return "no file can have this name: check the path."
    if stat.S_ISREG(mode):
        return None
    what = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device or socket"
    return f"it is {what}: give a file."
