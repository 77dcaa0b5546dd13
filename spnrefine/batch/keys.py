"""What results depend on besides their inputs, in words."""

import json
from dataclasses import asdict
from typing import Any

from spnrefine.job.types import Settings

FIRST_OPTIONS = {"soft", "threshold", "labels", "void", "resize_mask", "quick", "best", "overwrite", "restraint"}


def run_key(settings: Settings, weights: str, version: str) -> str:
    """Put in words what results depend on besides the inputs: options, checksum of the weights, version.

    Options that version 0.1.0 did not have are named only where they are not their defaults, so that a new option does
    not void what was done without it.
    """
    usual = asdict(Settings())
    options = {name: value for name, value in asdict(settings).items() if name in FIRST_OPTIONS or value != usual[name]}
    options["overwrite"] = None
    options["labels"] = {None: False, False: "no"}.get(settings.labels, settings.labels)
    return json.dumps([options, weights, version], sort_keys=True)


def told(settings: Settings) -> dict[str, Any]:
    """Name the options that are not what they usually are, for whoever reads a record."""
    usual, given = _flat(Settings()), _flat(settings)
    return {name: value for name, value in given.items() if value != usual[name] and name != "overwrite"}


def _flat(settings: Settings) -> dict[str, Any]:
    options = asdict(settings)
    restraint = options.pop("restraint")
    return {**options, **restraint}
