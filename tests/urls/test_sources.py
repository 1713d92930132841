import asyncio
import doctest
import gzip
import io
import os
from contextlib import suppress

import pytest

from scraper.errors import SourceError
from scraper.records import SourceLine
from scraper.urls import sources
from scraper.urls.sources import (
    CHUNK_BYTES,
    chained,
    check_sources,
    first_records,
    may_carry_more,
    peek_columns,
    read_sources,
)

URL = "http://a.example/"


async def read(*specs, **options) -> list[SourceLine]:
    return [line async for lines in read_sources([str(spec) for spec in specs], **options) for line in lines]


@pytest.fixture
def write(tmp_path):
    def write(name: str, content: bytes | str) -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def test_examples_of_the_docstrings_hold():
    assert doctest.testmod(sources).failed == 0


async def test_sources_are_read_in_their_order(write):
    found = await read(
        "https://b.example/",
        write("a.txt", f"# x\n{URL}1"),
        "-",
        write("b.csv.gz", gzip.compress(f"id,url\n7,{URL}3\n".encode())),
        write("c.jsonl", f'{{"url": "{URL}4", "n": 1}}'),
        "ftp://c.example/",
        stdin=io.BytesIO(f"{URL}2\n".encode()),
    )
    assert found == [
        SourceLine("https://b.example/"),
        SourceLine(URL + "1", 2),
        SourceLine(URL + "2", 1),
        SourceLine(URL + "3", 2, {"id": "7"}),
        SourceLine(URL + "4", 1, {"n": 1}),
        SourceLine("ftp://c.example/"),
    ]


async def test_gzip_and_chosen_format_hold_for_standard_input():
    packed = gzip.compress(f"link,n\n{URL},1\n".encode())
    found = await read("-", stdin=io.BytesIO(packed), format="csv", url_column="link")
    assert found == [SourceLine(URL, 2, {"n": "1"})]


async def test_chosen_format_goes_before_the_suffix(write):
    assert await read(write("a.txt", f'{{"url": "{URL}"}}'), format="jsonl") == [SourceLine(URL, 1)]


async def test_argument_that_is_no_utf_8_can_be_encoded():
    (line,) = await read("http://a.example/\udcff")
    line.text.encode()


async def test_list_longer_than_a_chunk_comes_in_bounded_pieces_with_every_line_once(write):
    path = write("a.txt", "".join(f"{URL}{n}\n" for n in range(10_000)))
    batches = [lines async for lines in read_sources([path])]
    assert max(map(len, batches)) < CHUNK_BYTES / len(URL)
    assert [line.text for lines in batches for line in lines] == [f"{URL}{n}" for n in range(10_000)]
    assert [line.line for lines in batches for line in lines] == list(range(1, 10_001))


async def test_loop_runs_between_the_pieces_of_one_packed_chunk(write):
    packed = gzip.compress(f"{URL}\n".encode() * 100_000)
    assert len(packed) < CHUNK_BYTES
    turns = 0

    async def count_turns():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count_turns())
    turns_at = [turns async for _ in read_sources([write("a.txt.gz", packed)])]
    counting.cancel()
    assert len(turns_at) > 50
    assert len(set(turns_at)) == len(turns_at)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="open files are listed on Linux only")
async def test_generator_left_early_closes_its_file(write):
    path = write("a.txt", f"{URL}\n" * 10_000)
    batches = read_sources([path])
    await anext(batches)
    assert path in open_files()
    await batches.aclose()
    assert path not in open_files()


def open_files() -> list[str]:
    found = []
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
    return found


BAD_FILES = [
    ("a.txt", b"", "holds no URL: expected one URL a line"),
    ("a.txt", b"# only\n\n# comments\n", "holds no URL"),
    ("a.txt.gz", gzip.compress(b""), "holds no URL"),
    ("a.jsonl", b"\n", 'holds no URL: expected one object a line, such as {"url": "'),
    ("a.csv", b"", "is empty: a CSV list begins with a header line"),
    ("a.csv", b"url\n", "holds no URL: expected a header line and one row for each URL"),
    ("a.csv", b"id,link\n1,2\n", "has no column 'url'; its columns are: id, link"),
    ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0", "is a binary file"),
    ("a.txt", b"%PDF-1.7\n", "is no list of URLs but a PDF"),
    ("a.xlsx", b"PK\x03\x04", "Save the table as CSV"),
    ("a.json", b"[]", "is one JSON document"),
]


@pytest.mark.parametrize(("name", "content", "words"), BAD_FILES)
def test_file_that_is_no_list_is_refused_before_the_run(write, name, content, words):
    path = write(name, content)
    with pytest.raises(SourceError) as caught:
        check_sources([URL, path])
    assert str(caught.value).startswith(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("missing.txt", r"no such file: missing\.txt$"),
        ("a.example/x", "no such file: a.example/x; for a web page write https://a.example/x"),
        (".", "is a directory: give a list in it, such as"),
        ("", "no such file: "),
        ("a\0b", "cannot be read"),
    ],
)
async def test_path_that_cannot_be_read_is_refused_before_and_in_the_run(spec, words):
    with pytest.raises(SourceError, match=words):
        check_sources([spec])
    with pytest.raises(SourceError, match=words):
        await read(spec)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
async def test_file_that_may_not_be_read_is_refused(write):
    path = write("a.txt", URL)
    os.chmod(path, 0)
    with pytest.raises(SourceError, match="permission denied"):
        check_sources([path])
    with pytest.raises(SourceError, match="permission denied"):
        await read(path)


@pytest.mark.parametrize(
    ("specs", "options", "words"),
    [
        ([], {}, "no source"),
        (["-", "-"], {}, "only once"),
        (["-"], {"format": "yaml"}, "unknown list format 'yaml'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(specs, options, words):
    with pytest.raises(SourceError, match=words):
        check_sources(specs, **options)


def test_good_sources_pass_the_check(write):
    files = [write("a.txt", URL), write("b.csv", f"link\n{URL}\n")]
    check_sources([files[0], URL, "-"])
    check_sources([files[1]], url_column="link")


def test_list_with_only_bad_lines_passes_the_check_for_they_are_failures_of_the_run(write):
    check_sources([write("a.txt", b"\xff\n"), write("b.jsonl", b"{")])


def test_list_that_begins_with_a_long_comment_passes_the_check(write):
    check_sources([write("a.txt", "# x\n" * 100_000 + URL)])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are made on Unix only")
def test_pipe_is_left_untouched_by_the_check(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    check_sources([str(path)])
    assert peek_columns([str(path)]) == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are made on Unix only")
async def test_pipe_is_opened_and_read_beside_the_loop(tmp_path):
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    reading = asyncio.ensure_future(read(path))
    writing = asyncio.to_thread(path.write_text, f"url,id\n{URL},1\n")
    assert (await asyncio.gather(reading, writing))[0] == [SourceLine(URL, 2, {"id": "1"})]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are made on Unix only")
async def test_reader_of_a_pipe_that_nobody_writes_to_can_be_cancelled(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = asyncio.ensure_future(read(path))
    await asyncio.sleep(0.05)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    os.close(os.open(path, os.O_WRONLY))  # sets the thread free


@pytest.mark.parametrize("content", [b"", b"# only a comment\n"])
async def test_first_records_of_a_list_without_any_are_an_error(content):
    batches = read_sources(["-"], stdin=io.BytesIO(content))
    with pytest.raises(SourceError, match="standard input: nothing came"):
        await first_records(batches, ["-"])


async def test_first_records_are_given_again_before_the_rest(write):
    specs = [f"{URL}1", write("a.txt", f"{URL}2")]
    batches = read_sources(specs)
    first = await first_records(batches, specs)
    assert [line.text async for lines in chained(first, batches) for line in lines] == [f"{URL}1", f"{URL}2"]


def test_lists_that_may_bring_columns_nobody_knows_yet(write):
    txt, table, json = write("a.txt", URL), write("a.csv", f"url\n{URL}\n"), write("a.jsonl", f'{{"url": "{URL}"}}')
    assert not may_carry_more([URL, txt, table, "-"])
    assert may_carry_more([URL, json])
    assert may_carry_more(["-"], format="csv")
    assert may_carry_more([txt], format="jsonl")
    assert not may_carry_more([json], format="txt")


def test_other_columns_are_known_before_the_run(write):
    files = [
        write("a.csv", f"id,url,name\n1,{URL},x\n"),
        write("b.jsonl", f'{{"name": 1, "url": "{URL}", "tag": 2}}\n'),
        write("c.txt", URL),
    ]
    assert peek_columns([*files, URL, "-"]) == ("id", "name", "tag")
