"""Seconds spent in a block of code, readable from any thread while it is still open. Nothing else lives here."""

import time


class Stopwatch:
    """Adds up the time of the blocks it is entered for, by one thread, one block at a time."""

    def __init__(self) -> None:
        """At zero."""
        self._before_s = 0.0
        self._since: float | None = None

    def __enter__(self) -> None:
        """Go."""
        self._since = time.monotonic()

    def __exit__(self, *exc: object) -> None:
        """Stop."""
        since, self._since = self._since, None
        if since is not None:
            self._before_s += time.monotonic() - since

    @property
    def seconds(self) -> float:
        """All of it so far. Read from another thread it may lack the block that ends just then, never for long."""
        since = self._since
        return self._before_s + (time.monotonic() - since if since is not None else 0.0)
