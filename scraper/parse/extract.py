"""One page's fields, by the rules. Pure.

A scalar field reads its first match, and an empty text is no value: the default stands in. A list (`many`) has one item
a match, in document order; matches without the attribute, or that cannot be read as the type, are left out.
"""

from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from scraper.parse.links import Resolver
from scraper.parse.rules import Rule, Rules
from scraper.parse.text import raw_text, visible_text
from scraper.records import Fault


def extract(tree: LexborHTMLParser, rules: Rules, links: Resolver) -> dict[str, Any] | Fault:
    """The fields in order; a `required_field` fault, naming the field and its selector, where one has no value."""
    row: dict[str, Any] = {}
    for rule in rules.rules:
        value = row[rule.name] = _value(tree, rule, links)
        if rule.required and _is_missing(value, rule):
            return Fault("required_field", f"{rule.name}: {_complaint(tree, rule)}")
    return row


def _is_missing(value: Any, rule: Rule) -> bool:
    """A count of 0 is no match; a price of 0 is a price."""
    return value in (None, "", []) or (rule.count and value == 0)


def _complaint(tree: LexborHTMLParser, rule: Rule) -> str:
    if not tree.css_first(rule.css):
        return f"nothing matches {rule.css!r}"
    what = "its text" if rule.attr is None else f"its attribute {rule.attr!r}"
    pattern = "" if rule.pattern is None else f" by the regex {rule.pattern.pattern!r}"
    return f"{rule.css!r} matches, but {what} gives no {rule.type}{pattern}"


def _value(tree: LexborHTMLParser, rule: Rule, links: Resolver) -> Any:
    if rule.count:
        return len(tree.css(rule.css))
    if rule.many:
        return [item for item in _items(tree, rule, links) if item is not None] or rule.default
    node = tree.css_first(rule.css)
    value = None if node is None else _read(node, rule, links)
    return rule.default if value is None or value == "" else value


def _items(tree: LexborHTMLParser, rule: Rule, links: Resolver) -> list[Any]:
    """What each match says, None where it says nothing. Plain lists of links, the longest lists, take the short way."""
    nodes = tree.css(rule.css)
    if rule.type == "url" and rule.attr is not None and rule.pattern is None:
        return links.resolve_nodes(nodes, rule.attr)
    return [_read(node, rule, links) for node in nodes]


def _read(node: LexborNode, rule: Rule, links: Resolver) -> Any:
    """What a match says; None where it says nothing."""
    text = _text(node, rule) if rule.attr is None else _attribute(node, rule.attr, rule)
    if text is not None and rule.pattern is not None:
        found = rule.pattern.search(text)
        text = found[rule.group] if found else None
    if text is None:
        return None
    if rule.type == "url":
        return links.resolve(text)
    return text if rule.convert is None else rule.convert(text)


def _text(node: LexborNode, rule: Rule) -> str:
    return raw_text(node) if rule.type == "json" else visible_text(node)


def _attribute(node: LexborNode, name: str, rule: Rule) -> str | None:
    value: str | None = node.attrs.sget(name, None)
    # An attribute such as `disabled` says yes by being there.
    return "true" if value == "" and rule.type == "bool" else value
