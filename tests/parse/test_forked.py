"""Workers that are forks: they live and die as others do. Each test has a process of its own, as tests have threads."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are told by Linux's /proc")


def check(script: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60, cwd=Path.cwd()
    )
    assert result.returncode == 0, result.stderr


def test_fork_works_with_its_end_of_the_stream_and_ends():
    check("""
        import os, socket, sys
        from scraper.parse.forked import fork
        ours, theirs = socket.socketpair()
        def work(sock):
            print("to nobody")
            sock.sendall(f"{sock.recv(9).decode()} {os.getpid()} {os.getpgid(0)} {sys.stdin.read()!r}".encode())
        child = fork(work, theirs, [ours])
        theirs.close()
        ours.sendall(b"hello")
        assert ours.recv(99).decode() == f"hello {child.pid} {child.pid} ''"
        assert ours.recv(9) == b""
        assert (child.wait(5), child.poll(), child.returncode) == (0, 0, 0)
    """)


def test_how_a_fork_ended_is_told_as_popen_does():
    check("""
        import os, signal, socket, subprocess
        from scraper.parse.forked import fork
        def ended(work):
            ours, theirs = socket.socketpair()
            child = fork(work, theirs, [ours])
            theirs.close()
            return child, ours
        child, _ = ended(lambda sock: 1 / 0)
        assert child.wait() == 1
        child, _ = ended(lambda sock: os.kill(os.getpid(), signal.SIGSEGV))
        assert child.wait(5) == -signal.SIGSEGV
        child, ours = ended(lambda sock: sock.recv(1))
        assert child.poll() is None
        try:
            child.wait(0.05)
        except subprocess.TimeoutExpired as exc:
            assert exc.timeout == 0.05
        else:
            raise AssertionError
        child.kill()
        assert child.wait(5) == -signal.SIGKILL
        child.kill()  # of no effect
    """)


def test_no_fork_holds_the_stream_of_another():
    check("""
        from scraper.parse import process
        process.fork_ahead(3)
        workers = list(process._ahead)
        for worker, sock in workers:  # the first one first: those behind it know nothing of its stream
            sock.close()
            assert worker.wait(5) == 0
    """)


def test_pool_takes_what_was_forked_ahead_and_starts_others_afresh():
    check("""
        import asyncio, os, signal
        import scraper.work
        from scraper.parse import process
        from scraper.parse.pool import ParsePool, PoolOptions
        from scraper.parse.wire import Setup
        from scraper.records import Page, ParsePlan
        process.fork_ahead(2)
        ahead = [worker.pid for worker, _ in process._ahead]

        async def main():
            results = []
            setup = Setup("scraper.work:build", ParsePlan(), tuple(__import__("sys").path), 5.0, 0)
            async with ParsePool(setup, PoolOptions(2, 1, 0.005, 5.0), results.extend) as pool:
                assert pool.pids == ahead
                os.kill(ahead[0], signal.SIGKILL)
                url = "http://a.example/"
                for number in range(20):
                    pool.submit(number, Page(url, url, 200, "text/html", b"<h1>a</h1>", 0.0))
                while len(results) < 20:
                    await asyncio.sleep(0.01)
                assert len(set(pool.pids) & set(ahead)) == 1
            assert all(parsed.row for _, parsed in results)

        asyncio.run(main())
        assert not process._ahead
    """)
