"""``--engine``: where a batch is worked on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli.options import option, section
from spnrefine.cli.types import Number

if TYPE_CHECKING:
    from spnrefine.batch.engine import Engine

THREADS, RAY = "threads", "ray"


class EngineName(click.ParamType):
    """``threads``, ``ray`` or ``ray:ADDRESS``."""

    name = "engine"

    def convert(self, value: str, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """Return the name as it was given."""
        kind, colon, address = value.partition(":")
        if (kind, colon) != (THREADS, "") and (kind != RAY or (colon and not address)):
            self.fail(f"{value!r} is no engine: give {THREADS}, {RAY} or {RAY}:ADDRESS.", parameter, context)
        return value


engine_options = section(
    "On a cluster",
    option(
        "--engine",
        type=EngineName(),
        default=THREADS,
        show_default=True,
        metavar="NAME",
        help="threads of this process, or workers of a Ray cluster (extra ray): ray:ADDRESS, or ray for one of this "
        "machine's own. --jobs is then how many workers.",
    ),
    option(
        "--worker-cpus",
        type=Number(min=0.01),
        default=1.0,
        show_default=True,
        metavar="N",
        help="CPUs of each worker of a cluster, which it refines with.",
    ),
    option(
        "--worker-gpus",
        type=Number(min=0),
        default=0.0,
        show_default=True,
        metavar="N",
        help="GPUs of each; 0.5 lets two share one.",
    ),
)


@dataclass(frozen=True)
class Where:
    """Where a batch is worked on, as the options say."""

    engine: str = THREADS
    worker_cpus: float = 1.0
    worker_gpus: float = 0.0

    @classmethod
    def taken(cls, options: dict[str, Any]) -> "Where":
        """Take the options out of all that were given, of which those of workers need a cluster."""
        found = cls(**{name: options.pop(name) for name in ("engine", "worker_cpus", "worker_gpus") if name in options})
        for name in ("worker_cpus", "worker_gpus"):
            if not found.is_cluster and getattr(found, name) != getattr(cls, name):
                option = "--" + name.replace("_", "-")
                raise click.UsageError(f"{option} was given without a cluster: give --engine ray too, or leave it out.")
        return found

    @property
    def is_cluster(self) -> bool:
        return self.engine != THREADS

    @property
    def threads(self) -> int | None:
        """The threads of each refinement where a cluster has them; None where this process does."""
        return max(1, int(self.worker_cpus)) if self.is_cluster else None

    def open(self, jobs: int, asked: int | None) -> "Engine":
        """Open the engine, with ``jobs`` threads, or as many workers as were ``asked`` for.

        Raises
        ------
        MissingExtraError, BackendError
            There is no such cluster, or no room for so many workers.
        """
        if not self.is_cluster:
            from spnrefine.batch.engine import Threads
            from spnrefine.simd import ram

            return Threads(jobs, ram.free())
        from spnrefine.batch.ray_cluster import Share
        from spnrefine.batch.ray_engine import RayEngine

        address = self.engine.partition(":")[2]
        return RayEngine(
            None if address in ("", "local") else address, asked, Share(self.worker_cpus, self.worker_gpus)
        )
