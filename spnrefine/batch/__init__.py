"""Many masks, as files or as items of an annotation file: worked through by several threads, resumed from a ledger.

`Refine` is for engines of others, which map it over the rows of a table.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spnrefine.batch.rows import Refine

__all__ = ["Refine"]


def __getattr__(name: str) -> Any:
    if name != "Refine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from spnrefine.batch.rows import Refine

    return Refine
