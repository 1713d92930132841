"""What a person should know before a run with these settings begins, one line each. Pure; the command line tells it."""

from scraper.config.model import Config


def cautions(config: Config) -> list[str]:
    """Return the lines; none for most settings."""
    lines = []
    if not config.fetch.verify_tls:
        lines.append(
            "fetch.verify_tls = false: nobody checks certificates, so anyone on the way can read and change all"
        )
    names_are_theirs = any(proxy.resolves_names for proxy in config.fetch.proxies)
    if names_are_theirs and config.network.private_addresses != "allow":
        lines.append(
            "fetch.proxy: the proxy looks up host names, so network.private_addresses judges only addresses and "
            "localhost as URLs name them"
        )
    return lines
