"""The rewriting of tests' assertions, shared by the processes that test side by side.

Each process needs all tests, and pytest rewrites them in each, where none finds the other's bytecode: on a first run,
and wherever Python is told to write none. Here each rewrites a share first, and then finds what the others did.
"""

import hashlib
import marshal
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _pytest.assertion import rewrite  # it has no other way in

TESTS = Path(__file__).parent


def share(config: Any, folder: str, number: int, count: int) -> None:
    """Keep in ``folder`` what this process rewrites, take from there what others did, and do a share beforehand."""
    alone = getattr(rewrite, "_rewrite_test", None)
    if alone is None:  # pytest promises nothing: then each rewrites all
        return
    rewrite._rewrite_test = shared = _shared(alone, Path(folder))  # type: ignore[assignment]
    if sys.dont_write_bytecode:
        for path in sorted(TESTS.rglob("test_*.py"))[number::count]:
            shared(path, config)


def _shared(alone: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    def rewritten(path: Path, config: Any) -> Any:
        kept = folder / hashlib.sha256(os.fsencode(path)).hexdigest()
        try:
            return path.stat(), marshal.loads(kept.read_bytes())
        except OSError:
            stat, code = alone(path, config)
        begun = kept.with_suffix(f".{os.getpid()}")
        begun.write_bytes(marshal.dumps(code))
        begun.replace(kept)
        return stat, code

    return rewritten
