"""The shop's pages as HTML: product pages and lists of products. Pure: a number and the site's address in, HTML out."""

from collections.abc import Sequence
from html import escape
from itertools import accumulate
from typing import Any

from scraper.site.bank import Bank, blocks_for
from scraper.site.catalogue import Product, Review, make_product, make_reviews
from scraper.site.layout import (
    Head,
    breadcrumb,
    breadcrumb_json_ld,
    document,
    list_href,
    list_links,
    page_numbers,
    related_links,
)
from scraper.site.seeded import Draws

SHOP_PATH = "/shop/"
ITEM_PREFIX = "/shop/item/"
CURRENCY = "GBP"

_TRAIL = (("Home", "/"), ("Shop", SHOP_PATH))
_MOST_NATURAL_REVIEWS = 9


class Shop:
    """Renders the products 1..products. Reviews and measures are made once; nothing changes afterwards."""

    def __init__(self, seed: int, products: int, size_bytes: int | None) -> None:
        """`size_bytes`: about how long a product's page is, None = natural."""
        self._seed = seed
        self._products = products
        reviews = make_reviews(seed)
        blocks = [_review_html(review).encode() for review in reviews]
        bare = len(_item_html(make_product(seed, 1), None, 0, b"", [1, 2, 3, 4], "http://127.0.0.1:8000"))
        self._wanted = None if size_bytes is None else blocks_for(size_bytes, bare, blocks)
        self._bank = Bank(blocks, self._wanted or _MOST_NATURAL_REVIEWS)
        self._stars = [0, *accumulate(review.stars for review in reviews)]

    def item_html(self, number: int, base: str) -> bytes:
        """The page of a product; `base` is scheme and host of the site."""
        product = make_product(self._seed, number)
        draws = Draws(self._seed, "item", str(number))
        count = product.reviews if self._wanted is None else self._wanted
        start = draws.below(len(self._bank))
        rating = round(self._stars_of(start, count) / count, 1) if count else None
        related = sorted({1 + draws.below(self._products) for _ in range(4)} - {number})
        return _item_html(product, rating, count, self._bank.run(start, count), related, base)

    def list_html(self, page: int, pages: int, numbers: range, base: str) -> bytes:
        """Page `page` of `pages` of the list of all products, showing these numbers."""
        head = Head(
            title=f"Shop, page {page}",
            description=f"{self._products} things made to last.",
            canonical=base + list_href(SHOP_PATH, page),
            links=list_links(base, SHOP_PATH, page, pages),
        )
        cards = "\n".join(_card_html(make_product(self._seed, number)) for number in numbers)
        return document(
            head, f'<h1>Shop</h1>\n<div class="products">\n{cards}\n</div>\n', page_numbers(SHOP_PATH, page, pages)
        )

    def _stars_of(self, start: int, count: int) -> int:
        """The stars of a run of reviews together; the run may go round the bank more than once."""
        rounds, end = divmod(start + count, len(self._bank))
        return rounds * self._stars[-1] + self._stars[end] - self._stars[start]


def _item_html(
    product: Product, rating: float | None, count: int, reviews: bytes, related: Sequence[int], base: str
) -> bytes:
    name, description = escape(product.name), escape(product.description)
    head = Head(
        title=name,
        description=description,
        canonical=f"{base}{ITEM_PREFIX}{product.number}",
        kind="product",
        properties={
            "og:image": _image(product, base),
            "product:price:amount": _amount(product.price_pence),
            "product:price:currency": CURRENCY,
        },
        json_ld=(_product_json_ld(product, rating, count, base), breadcrumb_json_ld(base, _TRAIL, product.name)),
    )
    return document(
        head,
        breadcrumb(_TRAIL, name),
        _product_html(product, name, description, rating, count),
        '\n<section class="reviews"><h2>Reviews</h2>\n',
        reviews,
        "</section>\n",
        related_links("You may also like", ITEM_PREFIX, related),
    )


def _product_html(product: Product, name: str, description: str, rating: float | None, count: int) -> str:
    specs = "".join(f"<tr><th>{key}</th><td>{value}</td></tr>" for key, value in product.specs)
    return f"""<article class="product" data-sku="{product.sku}">
<h1>{name}</h1>
<img src="/images/shop-{product.number}.svg" alt="{name}" width="320" height="240">
<p class="brand">by <span>{escape(product.brand)}</span></p>
<p class="category">{product.category}</p>
<p class="prices"><span class="price">£{_amount(product.price_pence)}</span>{_was_html(product)}</p>
{_stock_html(product)}
<p class="sku">{product.sku}</p>
{_rating_html(rating, count)}
<div class="description"><p>{description}</p></div>
<table class="specs">{specs}</table>
</article>"""


def _card_html(product: Product) -> str:
    href, name = f"{ITEM_PREFIX}{product.number}", escape(product.name)
    price = f'<span class="price">£{_amount(product.price_pence)}</span>'
    return f'<div class="card"><h2><a href="{href}">{name}</a></h2><p>{price}</p>{_stock_html(product)}</div>'


def _review_html(review: Review) -> str:
    return (
        f'<div class="review" data-stars="{review.stars}"><p class="stars">{review.stars} out of 5</p>'
        f'<p class="reviewer">{escape(review.author)}</p><p>{escape(review.text)}</p></div>\n'
    )


def _was_html(product: Product) -> str:
    return "" if product.was_pence is None else f' <span class="was">£{_amount(product.was_pence)}</span>'


def _stock_html(product: Product) -> str:
    if product.stock == 0:
        return '<p class="stock out">Out of stock</p>'
    return f'<p class="stock in">In stock: <span class="count">{product.stock}</span> left</p>'


def _rating_html(rating: float | None, count: int) -> str:
    if rating is None:
        return '<p class="rating none">Not rated yet</p>'
    return f'<p class="rating"><span class="value">{rating}</span> out of 5, {count} reviews</p>'


def _product_json_ld(product: Product, rating: float | None, count: int, base: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.name,
        "sku": product.sku,
        "category": product.category,
        "description": product.description,
        "image": _image(product, base),
        "brand": {"@type": "Brand", "name": product.brand},
        "offers": {
            "@type": "Offer",
            "url": f"{base}{ITEM_PREFIX}{product.number}",
            "price": _amount(product.price_pence),
            "priceCurrency": CURRENCY,
            "availability": f"https://schema.org/{'InStock' if product.stock else 'OutOfStock'}",
        },
    }
    if rating is not None:
        data["aggregateRating"] = {"@type": "AggregateRating", "ratingValue": rating, "reviewCount": count}
    return data


def _image(product: Product, base: str) -> str:
    return f"{base}/images/shop-{product.number}.svg"


def _amount(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02d}"
