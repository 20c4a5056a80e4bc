"""The product's application with a view beside it that does nothing but one INSERT: what an order is measured by."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

# Sets Django up, without which the URLs cannot be loaded.
from retaildelivery.wsgi import application

# isort: split
from retaildelivery import urls

__all__ = ["application"]


@csrf_exempt
def insert(request: HttpRequest) -> HttpResponse:
    """Keep the body in a table, and say so."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bare_row (body) VALUES (%s)", [request.body.decode()])
    return HttpResponse("ok")


urls.urlpatterns.insert(0, path("bare/insert", insert))
