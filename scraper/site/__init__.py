"""The practice site: a made-up shop and newspaper to scrape on this machine, with faults to order.

The way of a request: server.py ─► app.py (waits, sends) ─► answers.py (routes, faults.py) ─► shop.py, news.py (HTML)
─► catalogue.py (products, articles) ─► seeded.py. pagemap.py knows which pages there are. Nothing here is imported by
the scraping stages.
"""

from scraper.site.options import SiteOptions
from scraper.site.server import RunningSite, running_site, serve

__all__ = ["RunningSite", "SiteOptions", "running_site", "serve"]
