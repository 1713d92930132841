"""Which addresses are special, and who may reach them (RFC 6890, IANA registries). No address here is connected to."""

import pytest

from scraper.fetch.address import Policy, judge, literal, names_address, special_use


@pytest.mark.parametrize(
    ("ip", "use"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("169.254.169.254", "link-local"),
        ("100.64.0.1", "shared with the provider (CGNAT)"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("fe80::1", "link-local"),
        ("fc00::1", "private"),
        ("fd12:3456::1", "private"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("fe80::1%eth0", "bound to a network interface"),
        ("2606:4700::1%2", "bound to a network interface"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:a9fe:a9fe", "link-local"),
        ("::127.0.0.1", "loopback"),
        ("::ffff:0:10.0.0.1", "private"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("64:ff9b:1::1", "private"),
        ("2002:7f00:1::1", "loopback"),
        ("2002:c0a8:101::", "private"),
        ("2001:0:7f00:1::", "loopback"),  # Teredo server
        ("2001:0:808:808:0:0:f5ff:fffe", "private"),  # Teredo client 10.0.0.1, bits turned
        ("a.example", "not an address"),
        ("2130706433", "not an address"),
        ("", "not an address"),
    ],
)
def test_special_addresses_are_named(ip: str, use: str) -> None:
    assert special_use(ip) == use


@pytest.mark.parametrize(
    "ip",
    [
        "8.8.8.8",
        "172.15.255.255",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "223.255.255.255",
        "2606:4700::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ],
)
def test_public_addresses_may_always_be_reached(ip: str) -> None:
    for policy in ("listed", "deny", "allow"):
        assert judge(ip, listed=False, policy=policy) is None


@pytest.mark.parametrize(
    ("policy", "listed", "allowed"),
    [
        ("listed", True, True),
        ("listed", False, False),
        ("deny", True, False),
        ("deny", False, False),
        ("allow", False, True),
    ],
)
@pytest.mark.parametrize("ip", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_policy_decides_on_private_addresses(ip: str, policy: Policy, listed: bool, allowed: bool) -> None:
    assert (judge(ip, listed, policy) is None) == allowed


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("a.example", None),
        ("a1", None),
        ("localhost", None),
    ],
)
def test_literals_are_told_from_names(host: str, address: str | None) -> None:
    assert literal(host) == address


@pytest.mark.parametrize("host", ["localhost", "app.localhost", "localhost.", "10.0.0.1", "::1"])
def test_a_literal_and_localhost_say_where_they_lead(host: str) -> None:
    assert names_address(host)


@pytest.mark.parametrize("host", ["a.example", "localhost.example", "notlocalhost", "10.0.0.1.nip.io"])
def test_other_names_do_not(host: str) -> None:
    assert not names_address(host)
