"""A page handler that tells how its worker received each body; imported by a worker of test_work_counts.py."""

import socket

import msgspec

from scraper.records import Page, Parsed, ParsePlan


def build(plan: ParsePlan):
    """Note what the worker's socket gives from now on: the batches, the setup having come before."""
    received: list[bytes] = []
    calls: list[str] = []

    def noting(name: str):
        plain = getattr(socket.socket, name)

        def receive(self: socket.socket, *arguments):
            data = plain(self, *arguments)
            calls.append(name)
            received.append(data)
            return data

        return receive

    def handle(page: Page) -> Parsed:
        is_the_received = any(data is page.body for data in received)
        return Parsed(msgspec.json.encode([is_the_received, len(calls)]))

    for name in ("recv", "recv_into"):
        setattr(socket.socket, name, noting(name))
    return handle
