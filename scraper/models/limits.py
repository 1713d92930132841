"""The limit on the memory of a process that does more than parse."""

import re


def limit_memory_beyond_now(n: int) -> None:
    """Let the process take `n` bytes of address space more than it has, 0 = no limit.

    A wire's threads and buffers have reserved some hundred MB by then, most of which is never touched.
    """
    if not n:
        return
    try:
        import resource
    except ImportError:  # Windows
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = n + address_space()
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def address_space() -> int:
    """Bytes of this process's address space; 0 where the system does not tell."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            found = re.search(r"^VmSize:\s+(\d+) kB", status.read(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
