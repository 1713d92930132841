"""The models of running: the same stages in other arrangements. Which one a run has is `run.model`'s word.

hybrid            one loop fetches, worker processes parse
asyncio           one loop fetches and parses
asyncio-threads   one loop fetches, threads parse
threads           threads, each fetches a page and parses it
processes         processes, each fetches a page and parses it
sharded           processes, each a loop that fetches and parses all pages of some sites
"""
