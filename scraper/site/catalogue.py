"""The things the site is about: products, their reviews, articles. Made from the seed and a number; no HTML here.

A thing is the same whatever the number of pages and the order of asking. Reviews and paragraphs belong to no page: they
are made once (about 20 ms) and pages take runs of them, because new sentences cost more than serving the page.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scraper.site import words
from scraper.site.seeded import Draws

REVIEWS = 400
PARAGRAPHS = 500
_CATEGORIES = tuple(words.CATEGORIES)
_DESKS = tuple(words.DESKS)
NEWEST = datetime(2026, 6, 30, 18, 0, tzinfo=UTC)
"""When article 1 was published."""
_BETWEEN_ARTICLES = timedelta(minutes=37)


@dataclass(frozen=True, slots=True)
class Product:
    """What the shop sells under one number."""

    number: int
    name: str
    brand: str
    category: str
    sku: str
    price_pence: int
    was_pence: int | None
    """The price before the sale; None where there is none."""
    stock: int
    """Pieces left, 0 = out of stock."""
    reviews: int
    """How many reviews the page has where its size is natural."""
    description: str
    specs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A buyer's opinion; not bound to one product."""

    author: str
    stars: int
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """A news item's head; its paragraphs are not bound to it."""

    number: int
    title: str
    desk: str
    author: str
    published: datetime
    lead: str


def make_product(seed: int, number: int) -> Product:
    """The product of a number, from 1 upwards."""
    draws = Draws(seed, "product", str(number))
    category = draws.pick(_CATEGORIES)
    style, material = draws.pick(words.STYLES), draws.pick(words.MATERIALS)
    noun, colour = draws.pick(words.CATEGORIES[category]), draws.pick(words.COLOURS)
    weight, width = draws.between(80, 4000), draws.between(8, 90)
    price = draws.between(4, 240) * 100 - draws.pick((0, 1, 5, 50))
    facts = {"style": style.lower(), "noun": noun, "material": material, "colour": colour}
    return Product(
        number=number,
        name=f"{style} {material} {noun}",
        brand=draws.pick(words.BRANDS),
        category=category,
        sku=f"{category[:3].upper()}-{number:06d}",
        price_pence=price,
        was_pence=price * 5 // 4 if draws.percent(20) else None,
        stock=0 if draws.percent(15) else draws.between(1, 60),
        reviews=0 if draws.percent(10) else draws.between(1, 9),
        description=_description(draws, {**facts, "weight": weight, "width": width}),
        specs=(("Material", material), ("Colour", colour), ("Weight", f"{weight} g"), ("Width", f"{width} cm")),
    )


def make_article(seed: int, number: int) -> Article:
    """The article of a number, from 1 (the newest) upwards."""
    draws = Draws(seed, "article", str(number))
    desk = draws.pick(_DESKS)
    facts = _news_facts(draws) | {"topic": draws.pick(words.DESKS[desk])}
    return Article(
        number=number,
        title=_sentence_case(draws.pick(words.HEADLINES).format_map(facts)),
        desk=desk,
        author=_person(draws),
        published=published_at(number),
        lead=words.LEAD.format_map(facts),
    )


def published_at(number: int) -> datetime:
    """When an article was published; each is older than the one before."""
    return NEWEST - _BETWEEN_ARTICLES * (number - 1)


def make_reviews(seed: int) -> list[Review]:
    """The reviews that product pages take theirs from."""
    return [_make_review(Draws(seed, "review", str(index))) for index in range(REVIEWS)]


def make_paragraphs(seed: int) -> list[str]:
    """The paragraphs that articles take their text from; plain text, 3 to 5 sentences each."""
    return [_make_paragraph(Draws(seed, "paragraph", str(index))) for index in range(PARAGRAPHS)]


def _description(draws: Draws, facts: dict[str, object]) -> str:
    first, *others = words.PRODUCT_LINES
    facts["place"] = draws.pick(words.PLACES)
    facts["year"], facts["spares"] = draws.between(1890, 2019), draws.between(5, 30)
    return " ".join(line.format_map(facts) for line in (first, *draws.some(others, 3)))


def _make_review(draws: Draws) -> Review:
    stars = draws.pick((5, 5, 5, 4, 4, 4, 3, 3, 2, 1))
    facts = {
        "days": draws.between(2, 14),
        "count": draws.between(2, 9),
        "months": draws.between(2, 24),
        "place": draws.pick(words.PLACES),
        "person": _person(draws),
    }
    lines = draws.some(words.REVIEW_LINES, draws.between(1, 4))
    text = " ".join((draws.pick(words.REVIEWS[stars]), *(line.format_map(facts) for line in lines)))
    return Review(author=_person(draws), stars=stars, text=text)


def _make_paragraph(draws: Draws) -> str:
    lines = draws.some(words.NEWS_LINES, draws.between(3, 5))
    return " ".join(_sentence_case(line.format_map(_news_facts(draws))) for line in lines)


def _news_facts(draws: Draws) -> dict[str, str]:
    return {
        "place": draws.pick(words.PLACES),
        "subject": draws.pick(words.SUBJECTS),
        "effect": draws.pick(words.EFFECTS),
        "when": draws.pick(words.TIMES),
        "past": draws.pick(words.PAST_TIMES),
        "quote": draws.pick(words.QUOTES),
        "person": _person(draws),
        "count": str(draws.between(12, 480)),
        "percent": str(draws.between(3, 71)),
        "amount": str(draws.between(2, 90)),
    }


def _person(draws: Draws) -> str:
    return f"{draws.pick(words.FIRST_NAMES)} {draws.pick(words.LAST_NAMES)}"


def _sentence_case(text: str) -> str:
    return text[0].upper() + text[1:]
