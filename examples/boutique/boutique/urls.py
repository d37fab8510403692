"""The shop's addresses: pages for customers, and the two doors that the gateway knows, /notify and /return."""

from django.urls import include, path
from shop import pages

urlpatterns = [
    path("", pages.shop_window, name="shop"),
    path("basket", pages.basket_page, name="basket"),
    path("pay", pages.pay, name="pay"),
    path("orders/<str:order_id>.json", pages.order_json, name="order-json"),
    path("orders/<str:order_id>", pages.order_page, name="order"),
    path("orders/<str:order_id>/pay", pages.pay_order, name="pay-order"),
    path("orders/<str:order_id>/again", pages.order_again, name="order-again"),
    path("return", pages.ReturnPage.as_view()),
    path("", include("cauri_shop.django.urls")),
]

handler404 = "shop.pages.not_found"
handler500 = "shop.pages.broken"
