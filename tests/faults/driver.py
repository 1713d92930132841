"""One process that runs sessions in forked children, each with a fault at one effect, and resumes them.

    driver.py FORMATS FOLDER FAULTS [DSN]    FORMATS: names of write.format with + between; of files behind url:, by URL
                                             FAULTS: how many of the kinds of faults, the most telling first

A fork takes milliseconds, a new interpreter 0.3 s, and there are thousands of trials. Nothing is fetched or parsed: the
writer, the stores, the journal and the output folder are the real ones, fed as a pipeline feeds them. The last line of
its output is JSON: what the fault points were, and what went wrong.
"""

import csv
import gc
import importlib
import io
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scraper.errors import ScraperError
from scraper.folder import OutputFolder
from scraper.journal import Position
from scraper.ledger import DUPLICATE, OK
from scraper.outputs import Outputs  # noqa: F401 - imported before the forks, as everything that a session needs
from scraper.places import NAMES, places
from scraper.records import Column, Exchange, Failure, Mark, Page, ParsePlan
from scraper.rowform import OWN_COLUMNS, RowForm
from scraper.stores import StoreOptions, make_stores
from scraper.urls.canonical import fingerprint
from scraper.write.compressed import open_compressed
from scraper.write.encode import failure_line
from scraper.write.encoders import page_encoder
from scraper.write.writer import Entry
from tests.faults.effects import FAULTS, KILLED, Effects

COLUMNS = (*OWN_COLUMNS, Column("title"), Column("n", "int"), Column("tags", many=True))
BY_URL, PARTS = "url:", "parts"
PART_BYTES = 700
"""So small that parts are closed in the midst of a run."""
URLS = [f"http://a.example/{number}" for number in range(10)]
GROUPS = ((0, 1, 2), (3, 4, 5), (6, 7, 8, 9))
"""URLs by commit."""
FAILED = {2: "dns", 5: "timeout", 8: "not_html"}
LATER = ({1: "http_status", 2: OK, 4: OK}, {5: "dns", 7: DUPLICATE})
"""Outcomes of a second run that sees some URLs anew, by commit; 4 had a row already."""


class Run:
    """What is run: the formats and the place, the same in all trials."""

    def __init__(self, formats: Sequence[str], dsn: str, path: Path) -> None:
        self.formats = tuple(name.removeprefix(BY_URL) for name in formats)
        self.dsn = dsn
        self.path = path
        url = f"file://{path / PARTS}"
        self.paths = tuple(dsn if name == "postgres" else url if name.startswith(BY_URL) else "" for name in formats)
        self.encode = page_encoder(ParsePlan(formats=self.formats, columns=COLUMNS))

    def folder(self, path: Path, *, fresh: bool = False) -> OutputFolder:
        form = RowForm(self.formats, {"format": list(self.formats)}, COLUMNS)
        where = places(path, self.formats, self.paths, self.paths)
        return OutputFolder(path, form, where, StoreOptions(path, COLUMNS, "pages", PART_BYTES), fresh=fresh)

    def entry(self, number: int, outcome: str, again: str | None = None) -> Entry:
        """The outcome of a URL; of a second time its row is another."""
        url = URLS[number]
        key = fingerprint(url)
        page = Page(url, url, 200, "text/html", b"<p>" + b"x" * 40 * number, 1767225600.0, exchange=EXCHANGE)
        if outcome == DUPLICATE:
            return Entry(key, outcome, b"", again=again)
        if outcome != OK:
            failure = Failure(url, outcome, "", None, 1, "2026-01-01T00:00:00Z", number)  # type: ignore[arg-type]
            kept = self.encode(page, None) if outcome == "not_html" else b""
            return Entry(key, outcome, failure_line(failure), again=again, kept=kept)
        row = {
            "url": url,
            "final_url": url,
            "status": 200,
            "fetched_at": "2026-01-01T00:00:00.000Z",
            "title": f'"{number}",\n\u2028 {"again" if again else ""}' + "t" * 50 * number,
            "n": number,
            "tags": ["a", str(number)],
        }
        return Entry(key, outcome, self.encode(page, row), Mark("", "", number, 0), again)


EXCHANGE = Exchange(
    b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", None
)


def session(run: Run, path: Path, *, fresh: bool = False, later: bool = False, empty: bool = False) -> None:
    """What one process does: go on where the folder is, to the end. Raises what ends it."""
    errors: list[ScraperError] = []
    with run.folder(path, fresh=fresh) as folder:
        writer = folder.writer(lambda group: None, errors.append, Position, commit_every_s=3600, commit_bytes=1)
        with writer:
            for group in () if empty else todo(run, folder, later):
                writer.put(group)
    if errors:
        raise errors[0]


def todo(run: Run, folder: OutputFolder, later: bool) -> Iterator[list[Entry]]:
    """The entries that the folder has no outcome of, commit by commit; then those of URLs that are seen anew."""
    for group in GROUPS:
        entries = [run.entry(number, FAILED.get(number, OK)) for number in group]
        fresh = [entry for entry in entries if folder.done.outcome(entry.key) is None]
        if fresh:
            yield fresh
    for outcomes in LATER if later else ():
        unlike = {number for number in outcomes if folder.done.outcome(fingerprint(URLS[number])) != outcomes[number]}
        unlike |= outcomes.keys() & {4}  # its page has changed, and is seen as changed each time
        if unlike:
            yield [run.entry(number, outcomes[number], again=URLS[number]) for number in sorted(unlike)]


# -- what stands in the stores ----------------------------------------------------------------------------------------


def found(run: Run, path: Path, *, later: bool = False) -> dict[str, Any]:
    """All rows and failures by URL, each as often as it is there. `later`: some URLs were seen anew."""
    rows = {name: sorted(map(as_text, rows_of(run, path, place))) for place, name in enumerate(run.formats)}
    if later and "warc" in rows:  # an archive keeps each time that a page was seen
        rows["warc"] = sorted(set(rows["warc"]))
    lines = (path / "failures.jsonl").read_bytes().splitlines()
    failures = sorted(f"{line['url']} {line['error']}" for line in map(json.loads, lines))
    return {"rows": rows, "failures": failures}


def as_text(row: dict[str, Any]) -> str:
    return json.dumps(row, default=str, sort_keys=True)


def rows_of(run: Run, path: Path, place: int) -> Iterator[dict[str, Any]]:
    format = run.formats[place]
    kind, _, compression = format.partition(".")
    file = path / NAMES.get(format, "")
    if run.paths[place].startswith("file:"):
        for part in sorted((path / PARTS).iterdir()):
            yield from rows_in(part, kind, compression)
        staged = file.with_name(f"{file.name}.rows")  # durable rows that are not in a part yet
        yield from rows_in(staged, kind, "") if staged.exists() else ()
    elif kind in ("jsonl", "csv"):
        yield from rows_in(file, kind, compression)
    elif kind == "parquet":
        from pyarrow import parquet

        for part in sorted(file.iterdir()):
            yield from parquet.read_table(part).to_pylist()
        staged = file.with_name("pages.parquet.rows")  # durable rows that are not in a part yet
        for line in staged.read_bytes().splitlines() if staged.exists() else ():
            yield {"url": json.loads(line)["0"]}
    elif kind == "warc":
        from warcio.archiveiterator import ArchiveIterator

        with open(file, "rb") as stream:
            for record in ArchiveIterator(stream, check_digests="raise"):
                body = record.content_stream().read().decode()
                if record.rec_type == "response":
                    yield {"url": record.rec_headers["WARC-Target-URI"], "body": body}
    else:
        where = places(path, run.formats, run.paths, run.paths)
        options = StoreOptions(path, COLUMNS, "pages", PART_BYTES)
        yield from make_stores(where, options).databases[place].rows()  # type: ignore[attr-defined]


def rows_in(file: Path, kind: str, compression: str) -> Iterator[dict[str, Any]]:
    with open_compressed(file, compression) as lines:
        text = lines.read().decode()
    yield from (
        map(json.loads, text.split("\n")[:-1]) if kind == "jsonl" else csv.DictReader(io.StringIO(text, newline=""))
    )


# -- trials in children ------------------------------------------------------------------------------------------------


def forked(work: Callable[[], Any], result: Path) -> int:
    """Do some work in a child; gives its exit code, 0 or 1 for a ScraperError or OSError, and its result in a file."""
    child = os.fork()
    if not child:
        code = 3
        try:
            result.write_text(json.dumps(work()))
            code = 0
        except (ScraperError, OSError) as exc:
            result.write_text(json.dumps(f"{type(exc).__name__}: {exc}"))
            code = 1
        except BaseException as exc:
            import traceback

            result.write_text(json.dumps(f"{type(exc).__name__}: {exc}\n{traceback.format_exc()}"))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# -- trials -----------------------------------------------------------------------------------------------------------


class Trials:
    """All trials of some formats."""

    def __init__(self, run: Run, result: Path) -> None:
        """`result`: a file beside the output folder, for what children tell."""
        self.run = run
        self.path = run.path
        self.result = result
        self.problems: list[str] = []
        self.count = 0

    def clean(self) -> None:
        """Neither folder nor table."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.run.dsn:
            self.must(lambda: tell_server(self.run.dsn, DROP))

    def whole(self, **options: bool) -> Any:
        """What a run that goes on to its end makes."""

        def work() -> Any:
            session(self.run, self.path, **options)
            return found(self.run, self.path, later=bool(options.get("later")))

        return self.must(work)

    def must(self, work: Callable[[], Any]) -> Any:
        code = forked(work, self.result)
        said = json.loads(self.result.read_text())
        if code:
            raise RuntimeError(f"exit {code}: {said}")
        return said

    def attempt(self, at: int, name: str, **options: bool) -> tuple[int, list[str]]:
        """A session with a fault; gives its exit code and the effects it came to."""
        fault, is_for_ever = FAULTS[name]
        log = self.result.with_name("effects")

        def work() -> None:
            effects = Effects(at, fault, is_for_ever)
            try:
                session(self.run, self.path, **options)
            finally:
                log.write_text(json.dumps(effects.names))

        log.write_text("[]")
        code = forked(work, self.result)
        return code, json.loads(log.read_text())

    def points(self, prepare: Callable[[], None], **options: bool) -> list[str]:
        """The effects of a session without a fault."""
        prepare()
        code, names = self.attempt(0, "killed before", **options)
        assert code == 0, self.result.read_text()
        return names

    def all(self, what: str, prepare: Callable[[], None], faults: Sequence[str], **options: bool) -> list[str]:
        """Each of some faults at each effect of a session, then a resume; every third resume is killed once more."""
        again = {name: value for name, value in options.items() if name != "fresh"}
        prepare()
        wanted = self.whole(**options)
        names = self.points(prepare, **options)
        for fault in faults:
            for at in range(1, len(names) + 1):
                prepare()
                code, _ = self.attempt(at, fault, **options)
                place = f"{what}, {fault} {names[at - 1]} (effect {at} of {len(names)})"
                self.judge(place, fault, code)
                if options.get("fresh"):
                    again["fresh"] = True
                if at % 3 == 0:
                    self.attempt(1 + at // 3, "half written and killed", **again)
                if at % 3 == 1 and not options.get("fresh"):
                    self.must_agree(place, later=bool(options.get("later")))
                self.recover(place, wanted, again)
        return names

    def judge(self, place: str, fault: str, code: int) -> None:
        expected = {KILLED} if "killed" in fault else {0} if fault == "short write" else {0, 1}
        if code not in expected:
            self.problems.append(f"{place}: ended with {code}: {self.result.read_text()}")

    def must_agree(self, place: str, *, later: bool) -> None:
        """What the journal calls done is in the stores, and nothing else, before anything is done anew."""

        def done() -> Any:
            with self.run.folder(self.path) as folder:
                outcomes = {url: folder.done.outcome(fingerprint(url)) for url in URLS}
                stale = {url for url in URLS if fingerprint(url) in folder.done.stale}
            rows = [url for url, outcome in outcomes.items() if outcome == OK and url not in stale]
            failed = [
                url for url, outcome in outcomes.items() if outcome not in (None, OK, DUPLICATE) and url not in stale
            ]
            return rows, failed, sorted(stale), found(self.run, self.path, later=later)

        try:
            rows, failed, stale, stands = self.must(done)
        except RuntimeError as exc:
            if "holds rows but no journal" not in str(exc):
                self.problems.append(f"{place}: before the resume: {exc}")
            return
        for name, texts in stands["rows"].items():
            kept = [url for url in (json.loads(text)["url"] for text in texts) if url not in stale]
            if name == "warc":  # it keeps what has another outcome by now
                kept = [url for url in kept if url in rows]
            if sorted(kept) != sorted(rows):
                self.problems.append(f"{place}: {name} holds {sorted(kept)}, the journal tells of {sorted(rows)}")
        told = sorted(text.partition(" ")[0] for text in stands["failures"])
        if sorted(url for url in told if url not in stale) != sorted(failed):
            self.problems.append(f"{place}: failures.jsonl holds {told}, the journal tells of {sorted(failed)}")

    def recover(self, place: str, wanted: Any, options: dict[str, bool]) -> None:
        self.count += 1
        try:
            got = self.whole(**options)
        except RuntimeError as exc:
            self.problems.append(f"{place}: not resumed: {exc}")
            return
        if got != wanted:
            self.problems.append(f"{place}: {json.dumps(difference(got, wanted))[:600]}")


def difference(got: Any, wanted: Any) -> Any:
    parts = {"failures": (got["failures"], wanted["failures"])}
    parts |= {name: (rows, wanted["rows"][name]) for name, rows in got["rows"].items()}
    return {
        name: {"more": list((Counter(a) - Counter(b)).elements()), "less": list((Counter(b) - Counter(a)).elements())}
        for name, (a, b) in parts.items()
        if a != b
    }


@contextmanager
def prepared(trials: Trials) -> Iterator[Callable[[], None]]:
    """What puts folder and tables back to how a finished session left them."""
    copy, dsn = trials.path.with_name("prepared"), trials.run.dsn
    trials.clean()
    trials.whole()
    shutil.copytree(trials.path, copy)
    if dsn:
        trials.must(lambda: tell_server(dsn, KEEP))

    def restore() -> None:
        shutil.rmtree(trials.path)
        shutil.copytree(copy, trials.path)
        if dsn:
            trials.must(lambda: tell_server(dsn, PUT_BACK))

    try:
        yield restore
    finally:
        shutil.rmtree(copy)


DROP = "DROP TABLE IF EXISTS pages, pages_journal"
KEEP = "CREATE TABLE kept AS TABLE pages; CREATE TABLE kept_journal AS TABLE pages_journal"
PUT_BACK = "TRUNCATE pages, pages_journal; INSERT INTO pages TABLE kept; INSERT INTO pages_journal TABLE kept_journal"


def tell_server(dsn: str, statements: str) -> None:
    import psycopg

    with psycopg.connect(dsn) as connection:
        connection.execute(statements)


LIBRARIES = {
    "parquet": ["pyarrow.json", "pyarrow.parquet", "pyarrow.dataset", "pyarrow.compute"],
    "duckdb": ["duckdb", "pyarrow", "pyarrow.compute"],
    "sqlite": ["sqlite3"],
    "postgres": ["psycopg"],
    "warc": ["warcio.archiveiterator"],
}


def load(formats: Sequence[str]) -> None:
    """Import before the forks what each child would import, and leave it out of the collector's rounds."""
    for format in formats:
        for name in LIBRARIES.get(format, ()):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def main() -> None:
    formats, base, faults = sys.argv[1].split("+"), Path(sys.argv[2]), [*FAULTS][: int(sys.argv[3])]
    dsn = "".join(sys.argv[4:])
    trials = Trials(Run(formats, dsn, base / "output"), base / "result")
    load(trials.run.formats if dsn else formats)
    points: dict[str, list[str]] = {}
    points["a run"] = trials.all("a run", trials.clean, faults)
    with prepared(trials) as restore:
        points["seen anew"] = trials.all("seen anew", restore, faults[: 2 if len(faults) > 2 else 1], later=True)
        points["--fresh"] = trials.all("--fresh", restore, faults[:1], fresh=True)
    print(json.dumps({"points": points, "trials": trials.count, "problems": trials.problems[:20]}))


if __name__ == "__main__":
    main()
