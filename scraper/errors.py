"""What can end a run. A URL that fails is not here: it becomes a records.Failure and travels on.

    ScraperError                 exit 1
    ├── UsageError               exit 2: the command line asks for what cannot be
    │   ├── ConfigError          a key, a value, a selector, a function path
    │   ├── SourceError          a list that cannot be read at all
    │   └── SinkError            an output that cannot be written, a run that cannot be resumed
    ├── WriteError               the disk failed in mid-run; the journal still holds
    ├── ParsePoolError           workers cannot be started, or die without a page in hand
    └── BalanceError             input and outcomes differ: a bug, never ignored

Misuse by a programmer is a plain TypeError, ValueError or RuntimeError. All carry positional arguments only, so that
they survive pickling.
"""


class ScraperError(Exception):
    """Base of all errors that end a run; its text is the one line the user reads."""

    exit_code = 1


class UsageError(ScraperError):
    """The user asked for something that cannot be done as asked."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration key or value is wrong; the text names the key's full path, the value and what was expected."""


class SourceError(UsageError):
    """An input list cannot be opened or is no list of URLs."""


class SinkError(UsageError):
    """The output folder cannot be used: not writable, in use, or holding another run's rows."""


class WriteError(ScraperError):
    """Writing rows or the journal failed in mid-run; what was committed is safe and the run can be resumed."""


class ParsePoolError(ScraperError):
    """Parse workers could not be started or kept alive."""


class BalanceError(ScraperError):
    """The number of outcomes does not match the number of input records."""


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first plain error of a group of groups, with its own traceback: one is enough for a user to mend."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class PageOverdueError(BaseException):
    """A page's time is over; raised in the midst of its parsing. No `except Exception` of a user's code may take it."""
