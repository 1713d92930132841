"""Where the words of a command go: talk to standard error, data to standard output. Nothing else writes there."""

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from scraper.errors import WriteError

if TYPE_CHECKING:
    from rich.console import RenderableType


def tell(line: str) -> None:
    """Say a line to the user. A standard error that is closed or full ends nothing: the work matters more."""
    with suppress(OSError, ValueError):
        typer.echo(line, err=True)


def give(text: str) -> None:
    """Put data out, whole. Raises WriteError where it cannot be written, BrokenPipeError where the reader has left."""
    if sys.stdout is None:
        raise WriteError("standard output is closed: the answer is lost")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise WriteError(f"standard output cannot be written: {exc.strerror}") from exc


def drawn(*things: "RenderableType") -> str:
    """What rich makes of some things, for standard output as it is: its width, and colours where it is a terminal."""
    from rich.console import Console  # slow to import, and most commands draw nothing

    real, drawing = Console(), io.StringIO()
    console = Console(file=drawing, force_terminal=real.is_terminal, width=real.width)
    for thing in things:
        console.print(thing)
    return drawing.getvalue()


def hold_standard_files() -> None:
    """Open what the caller closed (`2>&-`), so that no output file gets its number and a stray message into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
