"""A parse function that takes CPU and gives nothing."""

import time
from typing import Any

BURN_S = 0.02


def burn(page: Any, tree: Any) -> dict[str, Any]:
    """Use the CPU for BURN_S, whatever the machine."""
    until = time.thread_time() + BURN_S
    while time.thread_time() < until:
        pass
    return {}
