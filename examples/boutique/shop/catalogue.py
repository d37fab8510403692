"""What the shop sells. Prices are whole francs, multiples of 5 as mobile money wants them."""

from __future__ import annotations

from dataclasses import dataclass

CURRENCY = "XOF"


@dataclass(frozen=True)
class Product:
    id: str
    name: str
    detail: str
    price: int

    @property
    def picture(self) -> str:
        return f"shop/{self.id}.svg"


PRODUCTS = {
    product.id: product
    for product in (
        Product("pagne", "Pagne tissé", "Coton, tissé main à Korhogo, 2\u00a0yards", 12_500),
        Product("cafe", "Café de Man", "Robusta des montagnes, moulu, 500\u00a0g", 3_500),
        Product("savon", "Savon au karité", "Karité de Bobo-Dioulasso, pain de 150\u00a0g", 1_000),
    )
}
