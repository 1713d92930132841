"""Pages recorded once, and served again from this machine: how other people's pages are measured."""
