"""Page handlers that misbehave on command; imported by the worker processes of test_pool.py."""

import os
import signal
import time

from scraper.records import Page, Parsed, ParsePlan


def build(plan: ParsePlan):
    return handle


def handle(page: Page) -> Parsed:
    order = page.body.split(b" ")[0]
    if order == b"crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if order == b"hang":
        time.sleep(60)
    if order == b"exit":
        os._exit(7)
    if order == b"memory":
        return Parsed(None, "parse_memory", "no memory")
    if order == b"fail":
        return Parsed(None, "not_html", "told to")
    return Parsed(page.body.upper())


def broken(plan: ParsePlan):
    raise ValueError("this plan cannot be built")


def dying(plan: ParsePlan):
    os._exit(3)
