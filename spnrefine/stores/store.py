"""Objects of a store, listed, fetched, and put whole; through fsspec, whose matter credentials are."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spnrefine.errors import FileError, MissingExtraError
from spnrefine.stores.urls import Url

_DRIVERS = {"s3": "s3fs", "gs": "gcsfs"}


def check_installed(scheme: str) -> None:
    """Refuse a store whose packages are missing.

    Raises
    ------
    MissingExtraError
        fsspec, or what it needs for this store, is not installed.
    """
    if find_spec("fsspec") is None:
        raise MissingExtraError(f"{scheme}:// needs fsspec: pip install 'spnrefine[stores]'.")
    driver = _DRIVERS.get(scheme)
    if driver is not None and find_spec(driver) is None:
        raise MissingExtraError(f"{scheme}:// needs {driver}, which fsspec opens it with: pip install {driver}.")


def names_in(folder: Url) -> Iterator[str]:
    """Yield the keys of all objects below a folder, as they go on from it; none where there is no such folder.

    Raises
    ------
    FileError
        The store does not list it.
    """
    start = f"{folder.path}/"
    try:
        found = _system(folder.scheme).find(folder.path)
    except FileNotFoundError:
        return
    except Exception as error:
        raise FileError(f"{folder} cannot be listed ({_reason(error)}): check its name and your credentials.") from None
    for path in found:
        key = path.lstrip("/")
        if key.startswith(start):
            yield key.removeprefix(start)


def fetch(source: Url, target: Path) -> bool:
    """Copy an object into a file; False where there is no such object.

    Raises
    ------
    FileError
        It cannot be read.
    """
    try:
        _system(source.scheme).get_file(source.path, str(target))
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return False
    except Exception as error:
        target.unlink(missing_ok=True)
        raise FileError(f"{source} cannot be read ({_reason(error)}): check it and your credentials.") from None
    return True


def read(source: Url) -> bytes | None:
    """Return the bytes of a small object; None where there is none. Errors as of `fetch`."""
    try:
        return bytes(_system(source.scheme).cat_file(source.path))
    except FileNotFoundError:
        return None
    except Exception as error:
        raise FileError(f"{source} cannot be read ({_reason(error)}): check it and your credentials.") from None


def put(target: Url, data: bytes, *, replace: bool) -> None:
    """Make an object of complete bytes in one put: a store shows them all or none.

    ``open(url, "wb")`` is not used: left by an exception, it publishes what was written until then.

    Raises
    ------
    FileError
        The store does not take it; or there is one and it is not to be replaced, unless it holds the same.
    """
    try:
        _system(target.scheme).pipe_file(target.path, data, mode="overwrite" if replace else "create")
    except FileExistsError:
        if read(target) != data:  # a put that is tried again finds itself
            raise FileError(f"{target} exists: choose another output or pass --overwrite.") from None
    except Exception as error:
        raise FileError(
            f"{target} cannot be written ({_reason(error)}): check the store and your credentials."
        ) from None


def claim(target: Url, data: bytes) -> bool:
    """Make an object where there is none; False where there is one. Errors as of `put`.

    ``data`` is a byte at least: with none, s3fs empties the object that is there and does not refuse.
    """
    assert data
    try:
        _system(target.scheme).pipe_file(target.path, data, mode="create")
    except FileExistsError:
        return False
    except Exception as error:
        raise FileError(
            f"{target} cannot be written ({_reason(error)}): check the store and your credentials."
        ) from None
    return True


def remove(target: Url) -> None:
    """Delete an object, if it is there; whoever finds it later will see that it is old."""
    try:
        _system(target.scheme).rm_file(target.path)
    except Exception:
        return


def changed(target: Url) -> datetime | None:
    """Return when an object was put, by the store's clock; None where there is none."""
    try:
        found = _system(target.scheme).modified(target.path)
    except Exception:
        return None
    return found if isinstance(found, datetime) else None


@cache
def _system(scheme: str) -> Any:
    check_installed(scheme)
    import fsspec

    return fsspec.filesystem(scheme, use_listings_cache=False)  # whose entries never grow old


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".:")
    return text[:200] or type(error).__name__
