"""Products and articles: fixed by seed and number, believable."""

from itertools import pairwise

from scraper.site.catalogue import make_article, make_paragraphs, make_product, make_reviews

NUMBERS = range(1, 501)


def test_a_thing_depends_on_seed_and_number_only() -> None:
    forwards = [make_product(3, number) for number in NUMBERS]
    assert forwards == [make_product(3, number) for number in reversed(NUMBERS)][::-1]
    assert forwards != [make_product(4, number) for number in NUMBERS]
    assert [make_article(3, number) for number in NUMBERS] == [make_article(3, number) for number in NUMBERS]


def test_products_vary_in_every_way_a_page_can_show() -> None:
    products = [make_product(1, number) for number in NUMBERS]
    assert len({product.name for product in products}) > 200
    assert {product.stock == 0 for product in products} == {True, False}
    assert {product.was_pence is None for product in products} == {True, False}
    assert {product.reviews for product in products} == set(range(10))
    assert all(product.was_pence > product.price_pence for product in products if product.was_pence)
    assert any("&" in product.brand for product in products)


def test_no_text_is_left_with_an_open_place() -> None:
    texts = [make_product(1, number).description for number in NUMBERS]
    texts += [f"{article.title} {article.lead}" for article in (make_article(1, number) for number in NUMBERS)]
    texts += [*make_paragraphs(1), *(review.text for review in make_reviews(1))]
    assert not [text for text in texts if "{" in text or "}" in text]


def test_articles_get_older_with_their_number() -> None:
    dates = [make_article(1, number).published for number in NUMBERS]
    assert all(newer > older for newer, older in pairwise(dates))
