"""Help in sections: what a newcomer needs first, then the rest under headings."""

from collections import defaultdict
from typing import Any

import click

FIRST, LAST = "Options", "Other options"
NAMES_WIDTH = 30  # of the column of options, beyond which click puts the help on the next line


class Option(click.Option):
    """An option that help shows in a section."""

    def __init__(self, *names: Any, section: str = FIRST, **settings: Any):
        super().__init__(*names, **settings)
        self.section = section


class Command(click.Command):
    """A command whose help has sections, in the order in which its options first name them."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections = defaultdict(list)
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx)
            if record is not None and isinstance(option, click.Option):
                sections[getattr(option, "section", LAST)].append(record)
        names = [name for records in sections.values() for name, _ in records]
        width = max(len(name) for name in names if len(name) <= NAMES_WIDTH)
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), text) for name, text in records], col_max=NAMES_WIDTH)

    def get_short_help_str(self, limit: int = 0) -> str:
        """Return the whole first sentence, which help wraps where a line is too short for it."""
        return super().get_short_help_str(limit=1000)
