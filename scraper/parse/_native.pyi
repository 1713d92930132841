"""What the compiled parts give to Python. They are there only where it could be compiled."""

from collections.abc import Callable
from typing import Protocol

from selectolax.lexbor import LexborNode

class Links(Protocol):
    """Resolves the references of many nodes."""

    def __call__(
        self,
        nodes: list[LexborNode],
        attribute: bytes,
        origin: bytes,
        folder: bytes,
        document: bytes,
        whole: Callable[[LexborNode], str | None],
        /,
    ) -> list[str | None]:
        """What the attribute of each node leads to, None where it has none.

        `origin`, `folder`, `document`: the base, up to its host, its last slash, its fragment. `whole` is asked for
        each node whose reference is not plain.
        """

def reader(path: str, node_type: type[LexborNode], kinds: bytes, /) -> Callable[[LexborNode], str]:
    """The function that reads a node, made of Lexbor's functions in the loaded module at `path`.

    `kinds` holds a number for each tag that Lexbor knows: see `text.py`. ImportError where a function is missing.
    """

def linker(path: str, node_type: type[LexborNode], /) -> Links:
    """The function that resolves references, made of Lexbor's functions in the loaded module at `path`.

    ImportError where a function is missing.
    """
