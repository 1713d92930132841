"""The command `scraper`, run with a fault at one effect or by another clock.

command.py [--at N --fault NAME] [--ahead SECONDS] [--effects FILE] ARGUMENT...

FILE gets the names of all effects, if the command lives to tell them.
"""

import argparse
import json
import os
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import NoReturn

from scraper import cli, folder, settlement
from tests.faults.effects import FAULTS, Effects


def set_clock_ahead(seconds: float) -> None:
    """Let every clock that tells the date be ahead, or behind."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Shifted":
            return super().now(tz) + timedelta(seconds=seconds)

    wall = time.time
    time.time = lambda: wall() + seconds
    for module in (folder, settlement):
        module.datetime = Shifted  # type: ignore[attr-defined]


def tell_at_exit(effects: Effects, file: Path) -> None:
    """The command ends by `os._exit`, so nothing else would be called at its end."""
    leave = os._exit

    def tell_and_leave(code: int) -> NoReturn:
        file.write_text(json.dumps(effects.names))
        leave(code)

    os._exit = tell_and_leave


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--at", type=int, default=0)
    parser.add_argument("--fault", choices=FAULTS, default="killed before")
    parser.add_argument("--ahead", type=float, default=0.0)
    parser.add_argument("--effects", type=Path)
    options, arguments = parser.parse_known_args()
    effects = Effects(options.at, *FAULTS[options.fault])
    if options.effects:
        tell_at_exit(effects, options.effects)
    if options.ahead:
        set_clock_ahead(options.ahead)
    cli.sys.argv[1:] = arguments
    cli.entry()


if __name__ == "__main__":
    main()
