from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("cauri/", include("cauri_shop.django.urls")), path("admin/", admin.site.urls)]
