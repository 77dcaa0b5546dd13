"""When a step's patches are drawn: at its beginning, or on a GPU while the step before is still at work."""

from typing import Any, Protocol

import torch

from spnrefine.train.lessons.lesson import Infer, Lesson
from spnrefine.train.steps.capture import tensors_of


class Drawing(Protocol):
    """Gives each step its patches; a step calls :meth:`take`, then works, then calls :meth:`ready_for`."""

    def take(self, step: int) -> Any:
        """Return what the lesson draws for ``step``."""

    def ready_for(self, step: int) -> None:
        """Let the patches of the step after this one be drawn; the averaged network may change from here on."""

    def state(self) -> dict[str, Any]:
        """Return the lesson's state as it is before the next step's patches are drawn."""

    def forget(self) -> None:
        """Drop what was drawn ahead: the lesson's state has changed."""


class InTurn:
    """Draws when a step asks."""

    def __init__(self, lesson: Lesson, infer: Infer) -> None:
        self._lesson, self._infer = lesson, infer

    def take(self, step: int) -> Any:
        return self._lesson.draw(step, self._infer)

    def ready_for(self, step: int) -> None:
        pass

    def state(self) -> dict[str, Any]:
        return self._lesson.state()

    def forget(self) -> None:
        pass


class Ahead:
    """Draws a step ahead on a CUDA stream of its own.

    The network's own output among the patches is that of the average one step older than in :class:`InTurn`; all else
    is the same. The host is held back to two steps before the device, so that its clock is the device's but for that.
    """

    def __init__(self, lesson: Lesson, infer: Infer) -> None:
        self._lesson, self._infer = lesson, infer
        self._stream = torch.cuda.Stream(lesson.device)
        self._drawn: tuple[int, Any, dict[str, Any]] | None = None
        self._begun: list[torch.cuda.Event] = []

    def take(self, step: int) -> Any:
        if self._drawn is None or self._drawn[0] != step:
            self._draw(step, torch.cuda.current_stream(self._lesson.device).record_event())
        assert self._drawn is not None
        here = torch.cuda.current_stream(self._lesson.device)
        here.wait_stream(self._stream)
        drawn = self._drawn[1]
        for tensor in tensors_of(drawn):
            tensor.record_stream(here)  # else its memory would be drawn into again while this stream reads it
        self._begun = [*self._begun[-1:], here.record_event()]
        self._begun[0].synchronize()
        return drawn

    def ready_for(self, step: int) -> None:
        self._draw(step, self._begun[-1])
        # what is drawn reads the averaged network, which is changed next
        torch.cuda.current_stream(self._lesson.device).wait_stream(self._stream)

    def _draw(self, step: int, after: torch.cuda.Event) -> None:
        state = self._lesson.state()
        with torch.cuda.stream(self._stream):
            self._stream.wait_event(after)
            self._drawn = step, self._lesson.draw(step, self._infer), state

    def state(self) -> dict[str, Any]:
        return self._lesson.state() if self._drawn is None else self._drawn[2]

    def forget(self) -> None:
        self._drawn = None
