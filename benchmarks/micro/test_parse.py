"""The work of a worker for each page: parse it, read the fields, encode the row; and the frames on the wire."""

from pytest_benchmark.fixture import BenchmarkFixture
from selectolax.lexbor import LexborHTMLParser

from benchmarks.bench import HERE
from scraper.config import load_config
from scraper.parse.page import PageParser, load_parser, parse_page
from scraper.parse.wire import Result, ResultReader, Results, batch_frames, results_frame
from scraper.records import Page
from scraper.work import build
from scraper.write.encode import jsonl_row

PLAN = load_config(HERE / "job.toml").parse_plan()
BATCH = 8
"""Pages of 34 KB in a batch of 256 KiB."""


def parser() -> PageParser:
    return load_parser(PLAN)


def test_tree_alone(benchmark: BenchmarkFixture, page: Page) -> None:
    assert benchmark(lambda: LexborHTMLParser(page.body)).css_first("h1")


def test_six_fields_of_a_page(benchmark: BenchmarkFixture, page: Page) -> None:
    row = benchmark(parse_page, page, parser())
    assert len(row["links"]) > 1


def test_encode_a_row(benchmark: BenchmarkFixture, page: Page) -> None:
    row = parse_page(page, parser())
    assert isinstance(row, dict)
    assert benchmark(jsonl_row, row).endswith(b"\n")


def test_whole_page_in_a_worker(benchmark: BenchmarkFixture, page: Page) -> None:
    assert benchmark(build(PLAN), page).row


def test_frames_of_a_batch(benchmark: BenchmarkFixture, page: Page) -> None:
    pages = [(number, page) for number in range(BATCH)]
    assert len(benchmark(batch_frames, pages)) == BATCH + 1


def test_results_there_and_back(benchmark: BenchmarkFixture, page: Page) -> None:
    row = build(PLAN)(page).row
    results = Results([Result(number, row, None, "") for number in range(BATCH)], 0.0)

    def there_and_back() -> list[Results]:
        return list(ResultReader().feed(results_frame(results)))

    assert benchmark(there_and_back) == [results]
