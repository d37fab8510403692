"""The basket: quantities per product, kept in the customer's signed cookie."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from .catalogue import PRODUCTS, Product

QUANTITY_MAX = 20


@dataclass(frozen=True)
class Line:
    product: Product
    quantity: int

    @property
    def amount(self) -> int:
        return self.product.price * self.quantity


def lines(request: HttpRequest) -> list[Line]:
    """The basket's lines, in the catalogue's order."""
    kept = request.session.get("basket", {})
    return [Line(product, kept[product.id]) for product in PRODUCTS.values() if kept.get(product.id)]


def total(of: list[Line]) -> int:
    """The amount of these lines, in whole francs."""
    return sum(line.amount for line in of)


def put(request: HttpRequest, product_id: str, quantity: int) -> None:
    """Sets the quantity of a product, between 0 (not in the basket) and QUANTITY_MAX."""
    kept = dict(request.session.get("basket", {}))
    kept[product_id] = max(0, min(quantity, QUANTITY_MAX))
    request.session["basket"] = {product: count for product, count in kept.items() if count}


def quantity(request: HttpRequest, product_id: str) -> int:
    """How many of a product are in the basket."""
    return int(request.session.get("basket", {}).get(product_id, 0))


def empty(request: HttpRequest) -> None:
    """Forgets the basket."""
    request.session.pop("basket", None)


def in_template(request: HttpRequest) -> dict[str, object]:
    """What every page shows of the basket."""
    held = lines(request) if hasattr(request, "session") else []
    return {"basket_count": sum(line.quantity for line in held), "basket_total": total(held)}
