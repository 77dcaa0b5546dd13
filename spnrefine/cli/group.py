"""The command group: commands imported when asked for, and errors turned into one sentence and an exit code."""

import sys
import traceback
from contextlib import suppress
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem
from click_default_group import DefaultGroup

from spnrefine.cli import signals, streams
from spnrefine.errors import in_words, printable

COMMANDS = {  # and the module and function of each
    "refine": "refine",
    "batch": "batch",
    "check": "check",
    "eval": "evaluate",
    "eval-labels": "evaluate_labels",
    "eval-instances": "evaluate_instances",
    "adapt": "adapt",
    "train": "train",
    "bench": "bench",
    "info": "info",
    "cache": "cache",
}
DONE, FAILED = 0, 1
SOME_FAILED, NOTHING = 3, 4
"""Exit codes of a batch: no more failed than ``--max-failures`` allows, and there were no photographs."""


class Group(DefaultGroup):
    """``spnrefine IMAGE`` is ``spnrefine refine IMAGE``; ``--debug`` works after the command too."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        known = name if name in COMMANDS else self.default_cmd_name
        if known not in self.commands:
            command = getattr(import_module(f"spnrefine.cli.{COMMANDS[known]}"), COMMANDS[known])
            command.params.append(debug_option())
            self.add_command(command)
        return super().get_command(ctx, name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, and what may follow where none is named: photographs, and options of the default one."""
        default = self.get_command(ctx, self.default_cmd_name)
        more = [] if default is None else self._complete_default(default, ctx, incomplete)
        return [*more, *super().shell_complete(ctx, incomplete)]

    def _complete_default(self, default: click.Command, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        with default.make_context(default.name, [], parent=ctx, resilient_parsing=True) as own:
            if incomplete.startswith("-"):
                known = {name for parameter in self.get_params(ctx) for name in parameter.opts}
                return [item for item in default.shell_complete(own, incomplete) if item.value not in known]
            argument = next(parameter for parameter in default.params if isinstance(parameter, click.Argument))
            return argument.shell_complete(own, incomplete)

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run; exit with 0 when all is done, 1 when something failed, 2 on wrong usage, 128 + N on signal N; see
        `SOME_FAILED` and `NOTHING`.
        """
        settings["standalone_mode"] = False
        _debug["on"] = False  # whatever an earlier run in this process asked for
        if streams.is_terminal(sys.stderr):
            show_notices()
        with signals.listening():
            try:
                self._main(*args, **settings)
            finally:
                streams.drop_stderr()

    def _main(self, *args: Any, **settings: Any) -> None:
        try:
            code = super().main(*args, **settings) or DONE
            streams.flush_stdout()
            sys.exit(code)
        except click.ClickException as error:
            error.message = printable(error.message)  # type: ignore[misc]  # click shows it alone
            with suppress(OSError):
                error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            streams.say("Interrupted.")
            sys.exit(signals.exit_code())
        except BrokenPipeError:
            streams.drop_stdout()  # the reader has gone: leave quietly
            sys.exit(FAILED)
        except Exception as error:
            streams.drop_stdout()
            if signals.heard() and not debugging():  # a terminal that has gone, say, which a SIGHUP told of
                streams.say(f"Interrupted, and then: {in_words(error) or error}")
                sys.exit(signals.exit_code())
            if debugging():
                for line in traceback.format_exc().splitlines():
                    streams.say(line)
                sys.exit(FAILED)
            streams.say(f"Error: {in_words(error) or f'{type(error).__name__}: {error} (a bug: --debug shows where)'}")
            sys.exit(FAILED)


def show_notices() -> None:
    """Have what the package logs said on standard error, also what is no warning: why somebody has to wait."""
    import logging  # here, for where nobody watches it is wanted by few commands

    class Said(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            streams.say(record.getMessage())

    log = logging.getLogger("spnrefine")
    if not log.handlers:
        log.addHandler(Said())
        log.setLevel(logging.INFO)


def debug_option() -> click.Option:
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        envvar="SPNREFINE_DEBUG",
        callback=_set_debug,
        help="Show the traceback of an error.",
    )


def debugging() -> bool:
    return _debug["on"]


_debug = {"on": False}


def _set_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    _debug["on"] = _debug["on"] or value
