"""``spnrefine cache``: where compiled kernels are kept, and how to be rid of them."""

import click

from spnrefine.cli.options import option
from spnrefine.cli.sections import Command
from spnrefine.cli.streams import tell


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  spnrefine cache
  spnrefine cache --clear
""",
)
@option("--clear", is_flag=True, help="Delete them; the next command compiles what it needs, in some twelve seconds.")
def cache(clear: bool) -> None:
    """Show where compiled kernels are kept, or delete them.

    They lie in the folder spnrefine of NUMBA_CACHE_DIR or, where that is not set, of your caches (XDG_CACHE_HOME, or
    else ~/.cache), and are all that this program leaves on a machine. A new version never runs what an older one left.
    """
    from spnrefine import cache as kept

    place, found = kept.folder(), kept.clear() if clear else kept.contents()
    amount = f"{found.files} files, {found.bytes / 1e6:.1f} MB"
    if place is None:
        tell("No place for caches is known here, so kernels are compiled anew by every command: set HOME.")
    else:
        tell(f"{place}: {amount}{' deleted' if clear else ''}")
