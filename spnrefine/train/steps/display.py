"""What a run says: lines on standard error, and a bar above them where that is a terminal."""

import sys

from tqdm import tqdm

from spnrefine.errors import printable
from spnrefine.train.steps.loop import Progress


def say(text: str) -> None:
    tqdm.write(printable(text), file=sys.stderr)
    sys.stderr.flush()


class Display:
    """A bar on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self.bar = tqdm(
            total=100,
            unit="%",
            bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}",
            disable=not sys.stderr.isatty(),
        )

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()

    def show(self, progress: Progress) -> None:
        figures = f"loss {progress.loss:.4f}  {progress.patches_per_second:.1f} patches/s  rate {progress.rate:.2e}"
        if self.bar.disable:
            say(f"step {progress.step} ({progress.share:.1%}): {figures}")
            return
        self.bar.set_postfix_str(f"step {progress.step}  {figures}")
        self.bar.update(100 * progress.share - self.bar.n)
