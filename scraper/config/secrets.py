"""Settings that come from the environment, so that no secret need stand in a file: `$NAME` and `${NAME}`. Pure."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Return `text` with each `$NAME` and `${NAME}` replaced by that variable, and `$$` by one `$`.

    Raises ValueError naming a variable that is missing or empty; no value is ever part of the message.

    >>> expand("Bearer $TOKEN costs $$5, not $5", {"TOKEN": "abc"})
    'Bearer abc costs $5, not $5'
    """

    def value(match: re.Match[str]) -> str:
        name = match[2] or match[3]
        if name is None:
            return "$"
        if not environ.get(name):
            raise ValueError(f"the environment variable {name} is not set: set it, or write $$ for a dollar sign")
        return environ[name]

    return _REFERENCE.sub(value, text)


def is_reference(text: str) -> bool:
    """Whether a text is nothing but the name of a variable, and so safe to show.

    >>> is_reference("${TOKEN}"), is_reference("Bearer $TOKEN")
    (True, False)
    """
    match = _REFERENCE.fullmatch(text)
    return match is not None and match[1] is None
