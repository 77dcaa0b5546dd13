"""URLs of folders in object stores, and of this machine's own."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from spnrefine.errors import FileError

SCHEMES = ("s3", "gs", "memory")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def is_url(text: object) -> bool:
    """Tell a URL from a path."""
    return isinstance(text, str) and _URL.match(text) is not None


def is_own_memory(text: object) -> bool:
    """Tell a URL that leads to the memory of the process that opens it."""
    return isinstance(text, str) and text.lower().startswith("memory://")


def own_path(text: str) -> Path | None:
    """Return the path that a ``file://`` URL names on this machine; None where the URL is another.

    Raises
    ------
    FileError
        It names another machine.
    """
    parts = urlsplit(text)
    if parts.scheme.lower() != "file":
        return None
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise FileError(f"{text} names no file of this machine: expected file:///PATH.")
    return Path(unquote(parts.path))


@dataclass(frozen=True)
class Url:
    """A folder, or an object, in a store.

    Attributes
    ----------
    scheme : one of `SCHEMES`.
    path : bucket and key, with no slash at either end; no part of it is empty, ``.`` or ``..``.
    """

    scheme: str
    path: str

    @classmethod
    def of(cls, text: str) -> "Url":
        """Read a URL.

        Raises
        ------
        FileError
            It is of no store that is known, or leads to no folder.
        """
        scheme, _, path = text.partition("://")
        scheme, path = scheme.lower(), path.strip("/")
        if scheme not in SCHEMES:
            known = ", ".join(f"{each}://" for each in ("file", *SCHEMES))
            raise FileError(f"{text} is of no store that is known here: expected {known}.")
        if not is_plain(path):
            raise FileError(f"{text} names no folder of a store: expected {scheme}://BUCKET/FOLDER.")
        return cls(scheme, path)

    def __truediv__(self, name: str) -> "Url":
        return Url(self.scheme, f"{self.path}/{name}")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.path}"


def is_plain(path: str) -> bool:
    """Tell whether a key can be laid out as a path below a folder, and leads nowhere else."""
    return "\0" not in path and all(part not in ("", ".", "..") for part in path.split("/"))
