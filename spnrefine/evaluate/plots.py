"""What ``spnrefine eval --plot`` draws: reliability diagrams, and the error by threshold."""

import io
from collections.abc import Mapping
from importlib.util import find_spec

from spnrefine.errors import FileError, MissingExtraError
from spnrefine.evaluate.evaluation import Result
from spnrefine.evaluate.thresholds import THRESHOLDS, mean_errors

FORMATS = {".png", ".svg", ".pdf"}


def check_plot(suffix: str) -> None:
    """Refuse what cannot be drawn, before anything is measured.

    Raises
    ------
    FileError
        No plot can be written with this extension.
    MissingExtraError
        Without matplotlib.
    """
    if suffix.lower() not in FORMATS:
        raise FileError(f"A plot cannot be written as {suffix!r}: use .png, .svg or .pdf.")
    if find_spec("matplotlib") is None:
        raise MissingExtraError("--plot needs matplotlib: pip install 'spnrefine[plot]'.")


def plot(results: Mapping[str, Result], suffix: str) -> bytes:
    """Draw the methods' reliability near the coarse contour and their mean 1 - IoU by threshold, side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    reliability, error = figure.subplots(1, 2)
    reliability.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="means what it says")
    for name, result in results.items():
        rows = result.band.rows()
        reliability.plot([row["predicted"] for row in rows], [row["observed"] for row in rows], marker="o", label=name)
        errors = mean_errors(result.by_threshold)
        if errors is not None:
            error.plot(THRESHOLDS, errors, label=name)
    reliability.set(xlabel="probability of the object, mean of a bin", ylabel="share of pixels that are the object's")
    reliability.set(title="Reliability within 2 % of the diagonal of the coarse contour", xlim=(0, 1), ylim=(0, 1))
    error.set(xlabel="threshold", ylabel="mean 1 - IoU", title="Error by threshold", xlim=(0, 1))
    for axes in (reliability, error):
        axes.legend()
        axes.grid(alpha=0.3)
    drawn = io.BytesIO()
    figure.savefig(drawn, format=suffix.lower().removeprefix("."), dpi=150)
    return drawn.getvalue()
