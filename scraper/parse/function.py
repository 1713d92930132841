"""The user's own Python: found by name at load, checked when it answers. Nothing here calls it."""

import importlib
import inspect
import sys
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import msgspec
from selectolax.lexbor import LexborHTMLParser

from scraper.errors import ConfigError
from scraper.records import Page

_KEY = "parse.function"
_MOVE_IT = 'put the function into a module file of its own, such as my_rules.py, and name it "my_rules:extract"'


class ParseFunction(Protocol):
    """What `parse.function` names. It runs in a worker process, once for each page."""

    def __call__(self, page: Page, tree: LexborHTMLParser) -> Mapping[str, Any]:
        """The keys to add to the page's row, after the fields; a key that a field has replaces the field's value.

        Values may be what JSON knows, dates and Decimals, in lists and dicts. {} adds nothing. The tree is the
        function's own: it may change it. An exception makes the page a `parse_crash` failure and the run goes on.
        """


def load_function(path: str) -> ParseFunction:
    """The function at `module:callable`; the current folder is searched first, and `__main__` is refused.

    Raises ConfigError that says what could not be found and why. Imports, and so runs, the user's module.
    """
    module_name, colon, name = path.partition(":")
    if not (colon and module_name and name):
        raise ConfigError(f'{_KEY}: {path!r} is not of the form "module:callable", such as "my_rules:extract"')
    function = _attribute(_module(path, module_name), path, name)
    complaint = _why_unusable(function)
    if complaint:
        raise ConfigError(f"{_KEY}: {path!r} {complaint}")
    found: ParseFunction = function
    return found


def check_result(value: object, row_keys: Collection[str] = ()) -> str | None:
    """Why a function's answer cannot be merged into a row, whose own keys it may not touch; None where it can."""
    if not isinstance(value, Mapping):
        return f"returned {type(value).__name__}; a mapping of names to values was expected"
    for name, item in value.items():
        if not isinstance(name, str):
            return f"returned the key {name!r}; keys must be text"
        if name in row_keys:
            return f"returned the key {name!r}, which is the row's own"
        try:
            msgspec.json.encode({name: item})
        except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as exc:
            return f"returned under {name!r} what no row can hold: {exc}"
    return None


def _why_unusable(function: Any) -> str | None:
    if not callable(function):
        return f"is of type {type(function).__name__}; a function was expected"
    if inspect.iscoroutinefunction(function):
        return "is async; a plain function was expected: it runs in a process of its own, where waiting gains nothing"
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return "does not take two arguments: (page, tree)"
    except ValueError:  # some functions written in C do not tell
        return None
    return None


def _module(path: str, name: str) -> Any:
    if name == "__main__":
        raise ConfigError(f"{_KEY}: {path!r}: the parse workers do not run your script: {_MOVE_IT}")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        missing = exc.name or name
        where = (
            "searched the current folder and the installed packages" if name.startswith(missing) else "imported by it"
        )
        raise ConfigError(f"{_KEY}: {path!r}: there is no module {missing!r} ({where})") from exc
    except (Exception, SystemExit) as exc:  # the user's own module may do anything while it is imported
        raise ConfigError(f"{_KEY}: {path!r}: importing {name!r} raised {type(exc).__name__}: {exc}") from exc


def _attribute(module: Any, path: str, name: str) -> Any:
    value = module
    for part in name.split("."):
        if not hasattr(value, part):
            raise ConfigError(f"{_KEY}: {path!r}: module {module.__name__!r} has no {name!r}")
        value = getattr(value, part)
    return value
