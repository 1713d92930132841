"""The books: every record is counted once, and a mismatch is told."""

from scraper.ledger import Ledger
from scraper.summary import summary_of


def ledger(**counts: int) -> Ledger:
    books = Ledger(is_exhausted=True)
    for outcome, count in counts.items():
        for _ in range(count):
            books.input += 1
            books.accept()
            books.settle(outcome)
            books.durable += 1
    return books


def test_settled_books_balance():
    books = ledger(ok=3, dns=2)
    books.input += 1
    books.duplicates += 1
    assert books.is_settled
    assert books.imbalance() is None
    assert books.failures == {"dns": 2}


def test_outcomes_of_earlier_sessions_count():
    books = ledger(ok=1)
    books.input += 4
    books.earlier.update({"ok": 3, "tls": 1})
    summary = summary_of(books, 2.0, 100)
    assert books.imbalance() is None
    assert (summary.ok, summary.failures, summary.earlier, summary.pages) == (4, {"tls": 1}, 4, 1)
    assert summary.balance == "input 5 = 4 ok + 1 tls"
    assert summary.pages_per_s == 0.5


def test_record_without_an_outcome_is_an_imbalance():
    books = ledger(ok=1)
    books.input += 1
    assert "2 records came in, 1 are accounted for" in books.imbalance()


def test_outcome_that_was_not_written_is_an_imbalance():
    books = ledger(ok=2)
    books.durable -= 1
    assert "2 outcomes were settled, 1 were written" in books.imbalance()


def test_interrupted_books_balance_with_what_is_open():
    books = ledger(ok=1)
    books.is_exhausted = False
    books.input += 1
    books.accept()
    assert books.imbalance() is None
    summary = summary_of(books, 1.0, 0)
    assert not summary.finished
    assert summary.balance == "input 2 = 1 ok + 1 unfinished"
