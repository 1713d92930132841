"""What _native.c gives to Python. It is there only where it could be compiled."""

from collections.abc import Callable

from selectolax.lexbor import LexborNode

def reader(path: str, node_type: type[LexborNode], kinds: bytes, /) -> Callable[[LexborNode], str]:
    """The function that reads a node, made of Lexbor's functions in the loaded module at `path`.

    `kinds` holds a number for each tag that Lexbor knows: see `text.py`. ImportError where a function is missing.
    """
