"""The wish that a run ends early, with all that it has begun finished."""


class Stop:
    """Whether a run is asked to stop; any thread may ask, and a signal's handler, as no lock is taken."""

    def __init__(self) -> None:
        self._asked = False

    @property
    def asked(self) -> bool:
        return self._asked

    def ask(self) -> None:
        """Let the run begin nothing more."""
        self._asked = True
