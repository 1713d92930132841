"""From lists to the next request: sources are read, URLs made canonical, seen once, and queued by host."""
