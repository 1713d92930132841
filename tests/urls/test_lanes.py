"""Hosts on one address share a lane, as far as addresses are known."""

from scraper.urls import lanes as module
from scraper.urls.lanes import Lanes


def test_hosts_on_the_same_addresses_share_a_lane_in_whatever_order_these_come():
    lanes = Lanes()
    lanes.learn("a.example", ["192.0.2.1", "192.0.2.2"])
    lanes.learn("b.example", ["192.0.2.2", "192.0.2.1"])
    lanes.learn("c.example", ["192.0.2.3"])
    assert lanes.of("a.example") == lanes.of("b.example") != lanes.of("c.example")


def test_host_without_an_address_has_a_lane_of_its_own_and_is_not_looked_up_again():
    lanes = Lanes()
    lanes.learn("a.example", [])
    assert (lanes.of("a.example"), lanes.knows("a.example")) == ("a.example", True)


def test_only_so_many_hosts_are_remembered(monkeypatch):
    monkeypatch.setattr(module, "MOST_HOSTS", 2)
    lanes = Lanes()
    for host in "abc":
        lanes.learn(host, ["192.0.2.1"])
    lanes.learn("c", ["192.0.2.2"])
    assert [lanes.knows(host) for host in "abc"] == [False, True, True]
