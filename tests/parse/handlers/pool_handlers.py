"""Page handlers that misbehave on command; imported by the worker processes of test_pool.py."""

import atexit
import json
import os
import select
import signal
import stat
import time

from scraper.records import Page, Parsed, ParsePlan


def build(plan: ParsePlan):
    return handle


def handle(page: Page) -> Parsed:
    order, _, rest = page.body.partition(b" ")
    if order in ORDERS:
        ORDERS[order](rest)
    if order == b"memory":
        return Parsed(None, "parse_memory", "no memory")
    if order == b"columns":
        return Parsed(json.dumps(page.extra).encode())
    return Parsed(page.body.upper())


def close_the_stream(seconds: bytes):
    os.closerange(3, 64)
    time.sleep(float(seconds))
    os._exit(9)


def leave_an_orphan(rest: bytes):
    """End, and let a child hold the stream until the pool closes it."""
    if os.fork():
        os._exit(7)
    select.select([fd for fd in range(3, 64) if is_socket(fd)], [], [], 20)
    os._exit(0)


def is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


ORDERS = {
    b"crash": lambda rest: os.kill(os.getpid(), signal.SIGSEGV),
    b"signal": lambda rest: os.kill(os.getpid(), int(rest)),
    b"exit": lambda rest: os._exit(7),
    b"hang": lambda rest: time.sleep(60),
    b"nap": lambda rest: time.sleep(0.1),
    b"close": close_the_stream,
    b"orphan": leave_an_orphan,
}


def stubborn(plan: ParsePlan):
    atexit.register(time.sleep, 60)
    return handle


def unspeakable(plan: ParsePlan):
    raise ValueError("half a pair: \ud800")


def broken(plan: ParsePlan):
    raise ValueError("this plan cannot be built")


def dying(plan: ParsePlan):
    os._exit(3)
