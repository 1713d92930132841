"""What Ctrl-C, SIGTERM and SIGHUP do to a session, by the moment they come; real signals to this process."""

import asyncio
import signal
import subprocess
import sys

import pytest

from scraper import loop
from scraper.cli.interrupts import Interrupts

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals as Unix has them")

ENDS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class Run:
    """What a pipeline is to the signals."""

    def __init__(self) -> None:
        self.is_stopping = False
        self.did: list[str] = []

    def stop(self) -> None:
        self.is_stopping = True
        self.did.append("stop")

    def abort(self) -> None:
        self.did.append("abort")


def seen(*numbers: signal.Signals) -> list[str]:
    """What a run did that got these signals."""
    run, interrupts = Run(), Interrupts()

    async def session() -> None:
        interrupts.session_begins()
        interrupts.run_begins(run)
        for number in numbers:
            signal.raise_signal(number)
            await asyncio.sleep(0)

    with interrupts.taken():
        loop.run(session())
    return run.did


@pytest.mark.parametrize(
    ("numbers", "did"),
    [
        ([signal.SIGINT], ["stop"]),
        ([signal.SIGTERM], ["stop"]),
        ([signal.SIGHUP], ["stop"]),
        ([signal.SIGINT, signal.SIGINT], ["stop", "abort"]),
        ([signal.SIGHUP, signal.SIGTERM], ["stop", "abort"]),
        ([signal.SIGHUP, signal.SIGHUP], ["stop"]),
        ([signal.SIGTERM, signal.SIGHUP, signal.SIGHUP], ["stop"]),
    ],
)
def test_first_drains_and_second_ends_at_once_unless_it_tells_once_more_that_the_terminal_is_gone(numbers, did):
    before = signal.getsignal(signal.SIGHUP)
    try:
        assert seen(*numbers) == did
    finally:
        signal.signal(signal.SIGHUP, before)  # once told, a hangup is ignored to the end of the process


@pytest.mark.parametrize("number", ENDS)
def test_before_the_run_the_session_is_cancelled(number):
    before = signal.getsignal(signal.SIGHUP)
    interrupts = Interrupts()

    async def session() -> None:
        interrupts.session_begins()
        signal.raise_signal(number)
        await asyncio.sleep(10)

    try:
        with pytest.raises(KeyboardInterrupt), interrupts.taken():
            loop.run(session())
    finally:
        signal.signal(signal.SIGHUP, before)


def test_one_that_comes_just_before_the_run_begins_is_answered_once():
    run, interrupts = Run(), Interrupts()

    async def session() -> None:
        interrupts.session_begins()
        signal.raise_signal(signal.SIGINT)
        interrupts.run_begins(run)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with interrupts.taken():
        loop.run(session())
    assert run.did == ["stop"]


def test_second_one_breaks_off_what_takes_long_before_the_run():
    interrupts = Interrupts()

    async def session() -> None:
        interrupts.session_begins()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), interrupts.taken():
        loop.run(session())


def test_before_the_loop_one_is_enough():
    with pytest.raises(KeyboardInterrupt), Interrupts().taken():
        signal.raise_signal(signal.SIGINT)


def test_behind_the_session_they_mean_nothing_and_behind_the_block_what_they_did():
    before, interrupts = [signal.getsignal(number) for number in ENDS], Interrupts()

    async def session() -> None:
        interrupts.session_begins()
        interrupts.run_begins(Run())

    with interrupts.taken():
        loop.run(session())
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(number) for number in ENDS] == before


def test_under_nohup_a_hangup_stays_unheard():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert seen(signal.SIGHUP) == []
    finally:
        signal.signal(signal.SIGHUP, before)


def test_cancellation_that_no_signal_asked_for_is_a_cancellation():
    with pytest.raises(asyncio.CancelledError), Interrupts().taken():
        raise asyncio.CancelledError


def test_interrupt_while_the_command_is_still_imported_ends_it_without_a_traceback():
    code = (
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'scraper.cli': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from scraper.__main__ import entry\n"
        "entry()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (130, b"scraper: interrupted\n")
