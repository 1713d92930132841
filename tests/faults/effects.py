"""What can go wrong at an effect on the disk, and counters before all of `scraper.disk` that let it go wrong at one."""

import os
import signal
from collections.abc import Callable
from errno import EIO, ENOSPC
from typing import Any

from scraper import disk

EFFECTS = ("write_some", "sync", "sync_folder", "truncate", "replace", "unlink", "step")
KILLED = -signal.SIGKILL

Fault = Callable[[Callable[..., Any], str, tuple[Any, ...]], Any]
"""Called in place of an effect, with the real function, its name and its arguments."""


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_before(call: Callable[..., Any], name: str, arguments: tuple[Any, ...]) -> Any:
    kill()


def kill_behind(call: Callable[..., Any], name: str, arguments: tuple[Any, ...]) -> Any:
    call(*arguments)
    kill()


def half_and_kill(call: Callable[..., Any], name: str, arguments: tuple[Any, ...]) -> Any:
    if name == "write_some":
        file, data = arguments
        call(file, data[: len(data) // 2])
    kill()


def fail(call: Callable[..., Any], name: str, arguments: tuple[Any, ...]) -> Any:
    raise OSError(ENOSPC, "No space left on device")


def fail_half(call: Callable[..., Any], name: str, arguments: tuple[Any, ...]) -> Any:
    if name == "write_some":
        file, data = arguments
        call(file, data[: len(data) // 2])
    raise OSError(EIO, "Input/output error")


def short(call: Callable[..., Any], name: str, arguments: tuple[Any, ...]) -> Any:
    if name != "write_some":
        return call(*arguments)
    file, data = arguments
    return call(file, data[: max(1, len(data) // 2)])


FAULTS: dict[str, tuple[Fault, bool]] = {
    "half written and killed": (half_and_kill, False),
    "fails once": (fail, False),
    "killed behind": (kill_behind, False),
    "fails from here on": (fail_half, True),
    "short write": (short, False),
    "killed before": (kill_before, False),
}
"""By name: what happens at the effect, and whether at all behind it as well. The most telling first."""


class Effects:
    """Counts the effects of this process, and lets one of them go wrong."""

    def __init__(self, at: int, fault: Fault, is_for_ever: bool) -> None:
        """`at`: the number of the effect, 1 for the first, 0 for none."""
        self.names: list[str] = []
        self.at, self.fault, self.is_for_ever = at, fault, is_for_ever
        for name in EFFECTS:
            setattr(disk, name, self._counted(name, getattr(disk, name)))

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def effect(*arguments: Any) -> Any:
            self.names.append(arguments[0] if name == "step" else name)
            number = len(self.names)
            if self.at and (number == self.at or (self.is_for_ever and number > self.at)):
                return self.fault(call, name, arguments)
            return call(*arguments)

        return effect
