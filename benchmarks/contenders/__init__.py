"""The contenders: small plain scripts, each run as `python -m benchmarks.contenders.NAME LIST OUT`.

One in Go is a folder of its own, which golang.py compiles: `NAME LIST OUT`.

LIST is a file with a URL a line, OUT the JSON lines file to write. Each is written the way its library's users would
write it, tuned where its documentation says how, and has no retries, no journal and no limits.
"""
