"""Help in sections: what a newcomer needs first, then the rest under headings."""

from collections import defaultdict
from collections.abc import Collection
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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let an option that takes a value or none be followed by an argument that is no value of it."""
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and option._flag_needs_value:
                args = _with_value(args, option.opts[0], option.flag_value, getattr(option.type, "values", ()))
        return super().parse_args(ctx, args)

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


def _with_value(args: list[str], name: str, flag_value: str, values: Collection[str]) -> list[str]:
    """Write ``--name`` as ``--name=FLAG_VALUE`` where none of its ``values`` follows."""
    end = args.index("--") if "--" in args else len(args)
    following = [*args[1:end], None][:end]
    plain = [
        f"{name}={flag_value}" if arg == name and after not in values else arg
        for arg, after in zip(args[:end], following, strict=True)
    ]
    return plain + args[end:]
