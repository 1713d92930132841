"""All places of a run's output, as one: what is written together is committed together. The writer's thread owns it.

rows ─► each file store, the database       failures ─► failures.jsonl
commit: files fsynced ─► journal line ─► the database's transaction, with the line in it ─► journal file
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from scraper import disk
from scraper.journal import Commit, Journal, Position, encode_line, pack_keys
from scraper.ledger import DUPLICATE, OK
from scraper.records import Mark
from scraper.resume import Done
from scraper.urls.canonical import key_of
from scraper.write.cull import Cull
from scraper.write.store import Database, FileStore
from scraper.write.writer import Entry

Stores = Sequence[FileStore | Database]

_pieces_of = msgspec.msgpack.Decoder(list[bytes]).decode


class Outputs:
    """The stores and the journal of one session; `write.writer.Sink` describes its life."""

    def __init__(
        self,
        journal: Journal,
        files: Mapping[int, FileStore],
        databases: Mapping[int, Database],
        failures: FileStore,
        done: Done,
        position: Callable[[], Position],
    ) -> None:
        """`files` and `databases`: the row stores by their place among the run's formats, all open and recovered.

        `done`: what the journal says, not touched here. `position`: how far the run is, from any thread.
        """
        self._journal = journal
        self._files = dict(files)
        self._databases = dict(databases)
        self._failures = failures
        self._known = dict(done.files)
        self._number = done.number
        self._position = position
        self.stale = dict(done.stale)
        """As `Done.stale`, of this session too."""

    def write(self, entries: Sequence[Entry]) -> None:
        """Append rows and failures."""
        failures = [entry.line for entry in entries if _is_failure(entry.outcome)]
        rows = [entry.line if entry.outcome == OK else entry.kept for entry in entries]
        for store, pieces in self._dealt([row for row in rows if row]):
            if pieces:
                store.write(pieces)
        if failures:
            self._failures.write(failures)

    def _dealt(self, rows: list[bytes]) -> Iterable[tuple[FileStore | Database, list[bytes]]]:
        """Each store with its piece of every row."""
        stores: dict[int, FileStore | Database] = {**self._files, **self._databases}
        if len(stores) == 1:
            return [(stores[0], rows)]
        split = [_pieces_of(row) for row in rows]
        return [(store, [piece for pieces in split if (piece := pieces[place])]) for place, store in stores.items()]

    def commit(self, entries: Sequence[Entry]) -> None:
        """Make the entries durable in every store, and with them the fact that they are done."""
        gone = [entry.again for entry in entries if entry.again is not None and entry.outcome != OK]
        for database in self._databases.values():
            if gone:
                database.forget(gone)
        self.stale.update({entry.key: entry.outcome for entry in entries if entry.again is not None})
        self._log(entries, self._committed_files())

    def finish(self) -> None:
        """Make whole files of what stores hold back until then."""
        for store in self._files.values():
            store.finish()
        files = self._committed_files()
        if files != self._known:
            self._log((), files)
        if self.stale:
            self._cull()

    def _cull(self) -> None:
        """Drop the lines of outcomes that were replaced, from all files at once: one line of the journal tells it."""
        files, swapped = dict[str, int](), list[str]()
        for store in (*self._files.values(), self._failures):
            rewritten = store.rewrite(Cull(self.stale, key_of, _is_failure if store is self._failures else _is_row))
            files.update(rewritten.files)
            swapped += rewritten.swapped
        self._log((), files, swapped)
        self.stale.clear()

    def close(self) -> None:
        """Close all stores."""
        stores: list[FileStore | Database] = [*self._files.values(), *self._databases.values(), self._failures]
        for store in stores:
            store.close()

    def _committed_files(self) -> dict[str, int]:
        files: dict[str, int] = {}
        for store in (*self._files.values(), self._failures):
            files.update(store.commit())
        return files

    def _log(self, entries: Sequence[Entry], files: dict[str, int], swapped: Sequence[str] | None = None) -> None:
        commit = commit_of(entries, self._number + 1, self._known, files, self._position())
        if swapped is not None:
            commit = replace(commit, swapped=list(swapped), compacted=True)
        line = encode_line(commit)
        for database in self._databases.values():
            with disk.forcing:
                database.commit(commit.number, line)
        self._journal.append(line)
        self._known, self._number = files, commit.number
        for store in (*self._files.values(), self._failures):
            store.settle()


def commit_of(
    entries: Sequence[Entry], number: int, before: Mapping[str, int], files: Mapping[str, int], at: Position
) -> Commit:
    """The record of a group of outcomes and of the files that changed with them.

    >>> commit_of([Entry(1, "ok", b"")], 7, {"a": 1, "b": 2}, {"a": 1, "c": 3}, Position())
    Commit(number=7, files={'c': 3}, outcomes={'ok': 'AQAAAAAAAAA='}, marks=[], again={}, again_marks=[], gone=['b'], \
swapped=[], compacted=False, at=Position(read=0, queued=0, in_flight=0, parsing=0))
    """
    first = [entry for entry in entries if entry.again is None]
    again = [entry for entry in entries if entry.again is not None]
    return Commit(
        number,
        {name: size for name, size in files.items() if before.get(name) != size},
        _packed(first),
        _marks(first),
        _packed(again),
        _marks(again),
        [name for name in before if name not in files],
        at=at,
    )


def _is_row(outcome: str) -> bool:
    return outcome == OK


def _is_failure(outcome: str) -> bool:
    return outcome not in (OK, DUPLICATE)


def _packed(entries: Iterable[Entry]) -> dict[str, str]:
    keys: defaultdict[str, list[int]] = defaultdict(list)
    for entry in entries:
        keys[entry.outcome].append(entry.key)
    return {outcome: pack_keys(of) for outcome, of in keys.items()}


def _marks(entries: Iterable[Entry]) -> list[Mark]:
    """One for each row, or none at all."""
    marks = [entry.mark for entry in entries if entry.outcome == OK]
    return [mark or Mark() for mark in marks] if any(marks) else []
