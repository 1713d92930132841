"""From a body to a row: a pool of worker processes, and the pure files that they run."""
