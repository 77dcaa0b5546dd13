"""What of OpenCV is not in all its packages: plain ones lack the contributed modules, and from version 5 on more."""

from typing import Any

import cv2

from spnrefine.errors import BackendError

PACKAGE = "opencv-contrib-python-headless"


def has(name: str) -> bool:
    """Tell whether OpenCV has a function or class, such as ``ximgproc.guidedFilter``."""
    return _find(name) is not None


def need(name: str, what: str) -> Any:
    """Return a function or class of OpenCV.

    Raises
    ------
    BackendError
        It is not there, which ``what`` cannot do without.
    """
    found = _find(name)
    if found is None:
        raise BackendError(
            f"{what} needs cv2.{name}, which OpenCV {cv2.__version__} lacks as it is installed: "
            f"uninstall all packages named opencv-*, then install {PACKAGE}."
        )
    return found


def _find(name: str) -> Any:
    """Look a name up; a module may be there and empty where one package was installed over another."""
    found: Any = cv2
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
