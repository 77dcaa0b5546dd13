"""``spnrefine batch s3://BUCKET/DIR``: refine photographs and masks that lie in object stores."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from spnrefine.cli import batch_files
from spnrefine.errors import SpnRefineError
from spnrefine.stores.urls import is_own_memory, is_url, own_path

ON_DISCS = ("report", "overlay", "compare", "cutout", "doubt")
"""Options that show or draw what is done, which is written beside files."""


def any_urls(*places: Any) -> bool:
    """Tell whether any of these is a URL."""
    return any(map(is_url, places))


def check_fit(paths: tuple[Any, ...], places: tuple[Any, ...], *, given: dict[str, Any], **others: Any) -> None:
    """Refuse options that a batch in a store has no use for; ``places`` are where masks, outputs and records lie."""
    if len(paths) != 1 or any(others.values()):
        named = [f"--{name.replace('_', '-')}" for name, value in others.items() if value] or ["several names"]
        raise click.UsageError(f"{named[0]} was given with a URL: give one folder, DIR or URL, of photographs.")
    drawn = next((name for name in ON_DISCS if given[name]), None)
    if drawn is not None:
        raise click.UsageError(f"--{drawn} was given with a URL: copy the folders here for it, and leave URLs out.")
    if given["engine"] != "threads" and any(is_own_memory(place) for place in (*paths, *places)):
        raise click.UsageError(
            "--engine ray was given with memory://, which is one process's own: give s3://, gs:// or folders, or leave "
            "--engine out."
        )


def refine_stores(
    photographs: Any, mask_dir: Any, destination: str, names: dict[str, Any], given: dict[str, Any]
) -> int:
    """Refine the masks of photographs in a store, or into one; return the exit code."""
    from spnrefine.cli.course import Course
    from spnrefine.stores.places import Places

    output: Any = (is_url(destination) and own_path(destination)) or destination
    course = Course.of(Path(), **given)
    with closing(Places(output, writes=not course.dry_run)) as places:
        try:
            course = replace(course, output=places.output(output), records=_records(places, course.records))
            folder, masks = places.folder(photographs), None if mask_dir is None else places.folder(mask_dir)
            found = batch_files.Photographs(folder, [], None, None, masks, **names)
            try:
                return batch_files.refine_files(found, course, places)
            finally:
                places.put()
        except SpnRefineError as error:
            raise type(error)(places.said(str(error))) from None


def _records(places: Any, given: str | None) -> str | None:
    if given is None or not is_url(given):
        return given
    own = own_path(given)
    return str(own) if own is not None else places.file(given)
