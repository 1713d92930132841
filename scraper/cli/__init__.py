"""The command line. Each command is a small file beside this one; here they meet, and errors become exit codes."""

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import typer
from typer.core import TyperGroup

from scraper.cli.again import with_its_value
from scraper.cli.check import check
from scraper.cli.compare import compare
from scraper.cli.demo import demo
from scraper.cli.export import export
from scraper.cli.init import init
from scraper.cli.inspect import inspect
from scraper.cli.report import report
from scraper.cli.run import run
from scraper.cli.site import site
from scraper.cli.speak import give, hold_standard_files, tell
from scraper.cli.status import status
from scraper.cli.tune import tune
from scraper.errors import ScraperError

EPILOG = "Exit codes: 0 done, even where some URLs failed; 1 fatal; 2 usage or config; 3 interrupted, resumable."
KEYBOARD = 130
"""The exit code of a command that Ctrl-C ended before it had begun: 128 + SIGINT, as shells have it."""

app = typer.Typer(
    cls=TyperGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # the boxes around the help text would take 0.1 s to import
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)


def _show_version(wanted: bool) -> None:
    """Called before the command is looked for: none is needed."""
    if wanted:
        from importlib.metadata import version

        give(f"scraper {version('hybrid-scraper')}\n")
        raise typer.Exit


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show a traceback with an error."),
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """A URL list goes in, one typed row per page comes out."""


for command in (run, init, check, inspect, status, compare, tune, report, export, site, demo):
    app.command()(command)


def entry() -> NoReturn:
    """What the installed command calls: `main`, and then an end without the interpreter's clean-up.

    The wire's own thread (tokio) is never joined: found inside Python while the interpreter is torn down it can abort
    the process, seen once in some 90 short runs. A name lookup that hangs would hold the exit up as well. Everything
    that must be written has been, when `main` is through.
    """
    hold_standard_files()
    _lighten_start()
    code = 1
    with suppress(KeyboardInterrupt):  # comes when all has been said
        code = _code_of_main()
        with suppress(OSError, ValueError, AttributeError):  # nobody reads any more: a closed pipe, or none at all
            sys.stdout.flush()
            sys.stderr.flush()
    os._exit(code)


def _code_of_main() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except KeyboardInterrupt:
        return KEYBOARD
    except BaseException:
        with suppress(OSError, ValueError):
            traceback.print_exc()
    return 1


def _lighten_start() -> None:
    """Leave out what only costs time at the start of a process that is ours alone."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it asks every installed package for some: 60 ms
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # httpx's command line, with rich: 100 ms
    gc.disable()  # nothing of what is imported is garbage; loop.run turns it on again


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code (design: 0 done, 1 fatal, 2 usage, 3 interrupted)."""
    given = with_its_value(list(sys.argv[1:] if arguments is None else arguments))
    try:
        app(given)
    except (ScraperError, OSError) as exc:
        if "--debug" in given:
            traceback.print_exc()
        for line in _words(exc).splitlines():
            tell(f"scraper: {line}")
        sys.exit(exc.exit_code if isinstance(exc, ScraperError) else 1)
    except SystemExit as end:
        if end.code == KEYBOARD:  # typer has turned a KeyboardInterrupt into this
            tell("scraper: interrupted")
        raise


def _words(exc: Exception) -> str:
    """What went wrong in words; of a fault of the system no stage has put into words: the file and the reason."""
    if isinstance(exc, OSError) and exc.strerror:
        return f"{exc.filename}: {exc.strerror}" if exc.filename else exc.strerror
    return str(exc)
