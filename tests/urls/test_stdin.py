import asyncio
import io
import os
import subprocess
import sys
import threading
from contextlib import aclosing

import pytest

from scraper.errors import SourceError
from scraper.urls.stdin import chunks_of


def reading(stream):
    return chunks_of(lambda: stream, "standard input")


async def read_all(stream) -> bytes:
    return b"".join([chunk async for chunk in reading(stream)])


async def test_stream_without_a_file_is_read_to_its_end():
    assert await read_all(io.BytesIO(b"x" * 100_000)) == b"x" * 100_000


async def test_pipe_gives_what_has_come_without_waiting_for_more():
    inner, outer = os.pipe()
    with os.fdopen(inner, "rb") as stream, os.fdopen(outer, "wb", buffering=0) as writer:
        async with aclosing(reading(stream)) as chunks:
            writer.write(b"one\n")
            assert await anext(chunks) == b"one\n"
            writer.write(b"two\n")
            assert await anext(chunks) == b"two\n"
            writer.close()
            assert [chunk async for chunk in chunks] == []


async def test_non_blocking_pipe_is_waited_for():
    inner, outer = os.pipe()
    os.set_blocking(inner, False)
    with os.fdopen(inner, "rb") as stream, os.fdopen(outer, "wb", buffering=0) as writer:
        async with aclosing(reading(stream)) as chunks:
            waiting = asyncio.ensure_future(anext(chunks))
            await asyncio.sleep(0)
            writer.write(b"late")
            assert await waiting == b"late"


async def test_thread_ends_unread_when_the_reader_is_left():
    stream = io.BytesIO(b"x" * 1_000_000)
    before = set(threading.enumerate())
    async with aclosing(reading(stream)) as chunks:
        first = await anext(chunks)
        (thread,) = [thread for thread in threading.enumerate() if thread not in before and thread.name == "stdin"]
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()
    assert stream.tell() == len(first)


async def test_closed_stream_is_a_source_error():
    stream = io.BytesIO()
    stream.close()
    with pytest.raises(SourceError, match="standard input cannot be read"):
        await read_all(stream)


ABANDON = """
import asyncio, sys
from scraper.urls.sources import read_sources

async def main():
    async for lines in read_sources(["-"]):
        print(lines[0].text, flush=True)
        break

asyncio.run(main())
"""


def test_program_ends_although_standard_input_stays_open():
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", ABANDON],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdin.write(b"http://a.example/\n")
        process.stdin.flush()
        assert process.wait(timeout=20) == 0
        assert process.stdout.read() == b"http://a.example/\n"
        assert process.stderr.read() == b""
