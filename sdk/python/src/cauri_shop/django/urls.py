"""`path("cauri/", include("cauri_shop.django.urls"))`: names `cauri_shop:notify` and `cauri_shop:return`."""

from django.urls import path

from .views import NotifyView, ReturnView

app_name = "cauri_shop"
urlpatterns = [
    path("notify", NotifyView.as_view(), name="notify"),
    path("return", ReturnView.as_view(), name="return"),
]
