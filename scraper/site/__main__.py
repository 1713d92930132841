"""`python -m scraper.site REQUEST`: the process that `running_site` starts; not a command for people."""

import sys

from scraper.site.server import serve_child

if __name__ == "__main__":
    serve_child(sys.argv[1])
