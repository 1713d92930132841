"""From a redirect to the next request, or the reason why there is none (RFC 9110 section 15.4). Pure."""

from scraper import weburl
from scraper.records import Fault, Job, Redirect


def next_hop(job: Job, redirect: Redirect, max_redirects: int) -> Job | Fault:
    """The job that follows a redirect within the same try. Loops end by their length.

    The next hop is judged like a first one: by the address guard, by politeness and by the origin rule for headers.
    """
    if job.hop >= max_redirects:
        return _too_many(job, redirect, max_redirects)
    if not redirect.location:
        return Fault("bad_redirect", f"HTTP {redirect.status} without a Location", redirect.status)
    url = weburl.resolve(job.url, redirect.location)
    if url is None:
        return Fault("bad_redirect", f"redirect to {_shown(redirect)}, which is no http(s) URL", redirect.status)
    return Job(job.target, url, weburl.host(url), job.attempt, job.hop + 1, job.spent_s + redirect.took_s)


def _too_many(job: Job, redirect: Redirect, max_redirects: int) -> Fault:
    reason = f"more than {max_redirects} redirects (fetch.max_redirects), the last to {_shown(redirect)}"
    hint = ": the site may send in circles those who keep no cookies" if job.hop > 1 else ""
    return Fault("too_many_redirects", reason + hint, redirect.status)


def _shown(redirect: Redirect) -> str:
    """A Location as it may be shown: no password, no control bytes, not endless."""
    return repr(weburl.without_userinfo(redirect.location)[:200])
