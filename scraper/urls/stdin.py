"""Standard input and pipes read on a thread of their own: neither the loop nor the end of the program waits for it."""

import asyncio
import errno
import os
import select
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import nullcontext, suppress
from typing import BinaryIO

from scraper.errors import SourceError
from scraper.urls.unpack import PIECE_BYTES


async def chunks_of(
    open_stream: Callable[[], BinaryIO], name: str, *, is_owned: bool = False
) -> AsyncGenerator[bytes, None]:
    """Give a stream's bytes as they come. The next read begins when the last one's bytes were taken.

    `open_stream` is called on the thread too, for opening a pipe waits for its writer; `is_owned`: close it at the end.
    The thread is a daemon and is not joined: a read that never returns cannot be interrupted, and must not keep an
    interrupted run from ending. Raises SourceError, which names `name`, where reading fails.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[bytes | OSError | ValueError] = asyncio.Queue()
    wanted = threading.Semaphore(0)
    is_over = threading.Event()

    def deliver(found: bytes | OSError | ValueError) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(arrived.put_nowait, found)

    def pump() -> None:
        try:
            stream = open_stream()
            with stream if is_owned else nullcontext():
                read = _reader_of(stream)
                while wanted.acquire() and not is_over.is_set():
                    deliver(read())
        except (OSError, ValueError) as exc:
            deliver(exc)

    threading.Thread(target=pump, name="stdin", daemon=True).start()
    try:
        while True:
            wanted.release()
            found = await arrived.get()
            if isinstance(found, Exception):
                raise SourceError(f"{name} cannot be read: {getattr(found, 'strerror', None) or found}") from found
            if not found:
                return
            yield found
    finally:
        is_over.set()
        wanted.release()


def _reader_of(stream: BinaryIO) -> Callable[[], bytes]:
    """Read past the stream's own buffer where there is a file below it.

    A thread that is blocked inside `sys.stdin.buffer` holds its lock, and the interpreter aborts at exit when it cannot
    get that.
    """
    try:
        number = stream.fileno()
    except (OSError, AttributeError):
        return lambda: stream.read(PIECE_BYTES)
    is_terminal = os.isatty(number)  # one that was closed says that it is none
    return lambda: _read_file(number, is_terminal)


def _read_file(number: int, is_terminal: bool) -> bytes:
    while True:
        try:
            return os.read(number, PIECE_BYTES)
        except BlockingIOError:  # another process that shares the pipe made it non-blocking
            select.select([number], [], [])
        except OSError as exc:
            if exc.errno != errno.EIO or not is_terminal:
                raise
            return b""  # the terminal was closed: the list that was typed on it ends there
