"""What the writer asks of a place that rows go to. Shapes only; the writer's thread alone calls them.

    write ... write ─► FileStore.commit ─► journal line ─► Database.commit(line) ─► journal file

A file is durable before the line that speaks of it; a database takes the line into the transaction of its rows. So at
every instant the last line, in the database or in the file, tells what is whole.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from scraper.write.cull import Cull


class Rewritten(NamedTuple):
    """What a store's files will be once they are settled."""

    files: Mapping[str, int]
    """As `FileStore.commit` gives them."""
    swapped: Sequence[str] = ()
    """Those that take the place of an old one of the same name."""


class FileStore(Protocol):
    """Rows in files that the journal knows by name and length."""

    name: str
    """Unique among the stores of a run; what messages call it."""

    def open(self) -> None:
        """Make ready to write. Raises SinkError where that cannot be."""

    def is_empty(self) -> bool:
        """Whether there are no rows yet, of this run or any other. Called behind `open`."""

    def recover(self, files: Mapping[str, int], swapped: Collection[str] = ()) -> None:
        """Undo what came after the last commit: `files` is file name -> committed length, of all files of the run.

        Empty: begin anew. `swapped`: those whose rewritten form that commit put in the old one's place. Called once,
        behind `open`. Raises SinkError where less is there than was committed.
        """

    def write(self, rows: Sequence[bytes]) -> None:
        """Append encoded rows. After an error an unknown part of them is there, until the next `recover`."""

    def commit(self) -> Mapping[str, int]:
        """Make all that was written durable; gives the files of this store, file name -> length."""

    def finish(self) -> None:
        """Nothing further comes in this session: make whole files of what is held back until then; `commit` follows."""

    def rewrite(self, cull: Cull) -> Rewritten:
        """Make the committed files anew without the lines that no longer count, beside the old ones.

        Called behind a commit; between this and `settle` stands nothing but the journal's line. A store that keeps
        every line for good gives what it has.
        """

    def settle(self) -> None:
        """The journal tells of the last `commit` or `rewrite`: what they replaced can go."""

    def close(self) -> None:
        """Release everything without committing. May be called twice, and after any error."""


class Database(Protocol):
    """Rows in tables, with the journal's lines beside them."""

    name: str

    def open(self) -> None:
        """Connect. Raises SinkError where that cannot be."""

    def recover(self, run: str) -> tuple[int, bytes] | None:
        """Number and line of the last commit of the run named `run`; None where it has none here.

        Raises SinkError where the table holds the rows of another run, or of nobody we know.
        """

    def start(self, run: str) -> None:
        """Begin anew for this run, without rows; takes the place of rows of an earlier run."""

    def write(self, rows: Sequence[bytes]) -> None:
        """Put encoded rows into the transaction. A row takes the place of an earlier one of the same URL."""

    def forget(self, urls: Sequence[str]) -> None:
        """Remove the rows of these URLs in the transaction."""

    def commit(self, number: int, line: bytes) -> None:
        """End the transaction with the journal's line in it; an empty one is begun with the next `write`."""

    def close(self) -> None:
        """Release everything without committing. May be called twice, and after any error."""
