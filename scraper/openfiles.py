"""The number of files this process may have open: each connection is one, and the system's default is often 1,024."""

from scraper.errors import ConfigError

SPARE = 128
"""Files besides connections: outputs, lists, workers' sockets, libraries, and what the caller has open."""

IDLE_S = 5.0
"""How long an unused connection stays open: idle limits are per host, so 10,000 hosts would leave as many sockets."""


def needed_files(concurrency: int) -> int:
    """Files for so many requests at the same time: each its connection, and as many idle ones on other hosts.

    >>> needed_files(64)
    256
    """
    return 2 * concurrency + SPARE


def bearable_requests(concurrency: int) -> int:
    """Return so many requests at the same time, or as many as `allow_open_files` can allow."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return concurrency
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return concurrency if hard == resource.RLIM_INFINITY else max(1, min(concurrency, (hard - SPARE) // 2))


def allow_open_files(concurrency: int) -> None:
    """Raise this process's own limit as far as needed. Raises ConfigError where the system allows less.

    A run that met the limit on its way would blame the hosts it could not connect to.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = needed_files(concurrency)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ConfigError(
            f"fetch.concurrency = {concurrency}: needs {needed} open files, this system allows a process {hard}: "
            f"raise that (ulimit -n {needed}), or set fetch.concurrency = {max(1, (hard - SPARE) // 2)} or less"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
