"""The wall of models with one process: what the board tells, and who parses a suspect."""

import os
import resource
import time

import pytest

from scraper.models.limits import PageMemory, address_space
from scraper.models.wall import SLOTS, Board, Wall, WalledParser, cut, walled
from scraper.records import Page, Parsed

GOOD, BAD = "http://a.example/good", "http://a.example/bad"


def page(url: str) -> Page:
    return Page(url, url, 200, "text/html", b"", 0.0)


class Recorder:
    """A parser that only notes what happens to it."""

    def __init__(self, busy_s: float = 0.0) -> None:
        self.busy_s = busy_s
        self.stats = self
        self.pages: list[tuple[int, str]] = []
        self.is_open = False

    async def __aenter__(self):
        self.is_open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.is_open = False

    def submit(self, number: int, page: Page) -> None:
        self.pages.append((number, page.url))


def test_board_tells_what_is_in_parse_and_what_was_a_moment_ago():
    board = Board()
    first, second = board.begins(page(GOOD)), board.begins(page(BAD))
    assert sorted(board.in_parse().values()) == [BAD.encode(), GOOD.encode()]
    board.ends(first)
    assert list(board.in_parse().values()) == [BAD.encode()]
    assert sorted(board.blamed(time.monotonic())) == [BAD.encode(), GOOD.encode()]
    assert board.blamed(time.monotonic() + 1) == [BAD.encode()]
    board.ends(second)
    assert board.blamed(time.monotonic() + 1) == []


def test_board_is_seen_across_a_fork():
    board = Board()
    child = os.fork()
    if not child:
        board.begins(page(BAD))
        os._exit(0)
    os.waitpid(child, 0)
    assert board.blamed(time.monotonic()) == [BAD.encode()]
    board.clear()
    assert board.blamed(time.monotonic()) == []


def test_board_has_room_for_so_many_and_forgets_none_of_them():
    board = Board()
    slots = [board.begins(page(f"{GOOD}{number}")) for number in range(SLOTS + 2)]
    assert slots[SLOTS:] == [None, None]
    assert len(board.in_parse()) == SLOTS
    for slot in slots:
        board.ends(slot)
    assert board.in_parse() == {}
    assert board.begins(page(BAD)) is not None


def test_board_knows_how_much_was_done_when_the_first_process_began():
    board = Board()
    assert not board.was_begun()
    assert (board.done_before(7), board.done_before(19)) == (7, 7)
    assert board.was_begun()
    board.clear()
    assert board.done_before(30) == 7


def test_long_url_is_known_by_its_beginning():
    url = GOOD + "x" * 5000
    board = Board()
    board.begins(page(url))
    wall = Wall(board, frozenset(board.blamed(time.monotonic())))
    assert wall.holds(page(url))
    assert not wall.holds(page(GOOD))


async def test_suspects_are_parsed_behind_the_wall_and_all_others_in_front():
    others, behind = Recorder(1.0), Recorder(0.5)
    parser = WalledParser(Wall(Board(), frozenset([cut(BAD)])), others, behind)
    async with parser:
        assert (others.is_open, behind.is_open) == (True, True)
        parser.submit(1, page(GOOD))
        parser.submit(2, page(BAD))
    assert (others.is_open, behind.is_open) == (False, False)
    assert (others.pages, behind.pages) == ([(1, GOOD)], [(2, BAD)])
    assert parser.stats.busy_s == 1.5


def test_without_a_suspect_there_is_no_wall_and_with_too_many_all_are_behind_it():
    make, make_behind = object(), object()
    for wall in (None, Wall(Board())):
        assert walled(wall, make, make_behind) is make
    total = Wall(Board(), suspects_all=True)
    assert total.holds(page(GOOD))
    assert walled(total, make, make_behind) is not make


def test_page_is_told_while_it_is_parsed_also_where_that_fails():
    board, seen = Board(), []

    def handle(page: Page) -> Parsed:
        seen.extend(board.in_parse().values())
        raise KeyError

    with pytest.raises(KeyError):
        Wall(board).told(handle, PageMemory(0, 1))(page(BAD))
    assert seen == [BAD.encode()]
    assert board.in_parse() == {}


def test_limit_holds_while_pages_are_in_parse_and_no_longer():
    before = resource.getrlimit(resource.RLIMIT_AS)
    memory = PageMemory(1 << 30, 2)
    memory.begin()
    memory.begin()
    first = resource.getrlimit(resource.RLIMIT_AS)[0]
    assert abs(first - address_space() - (2 << 30)) < 64 << 20
    with pytest.raises(MemoryError):
        bytearray(3 << 30)
    memory.end()
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == first
    memory.end()
    assert resource.getrlimit(resource.RLIMIT_AS) == before
