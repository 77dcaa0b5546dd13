"""The command line. One file a command; each imports what is heavy inside its function."""

import click

from spnrefine.cli.group import Group, debug_option
from spnrefine.version import __version__


@click.group(
    cls=Group,
    default="refine",
    default_if_no_args=False,
    params=[debug_option()],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Refine a coarse segmentation mask so that its edge follows the photograph.

    \b
    spnrefine photo.jpg --mask coarse.png             writes photo_refined.png
    spnrefine batch photos/ --mask-dir masks/ -o out/ refines a folder
    cat coarse.png | spnrefine photo.jpg --mask - > refined.png

    IMAGE alone stands for refine IMAGE; spnrefine COMMAND --help lists the options of a command.
    """
