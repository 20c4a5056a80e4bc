"""The product's application with views beside it that do one thing only: an INSERT, which an order is measured by; a
conditional UPDATE, which a claim is measured by; and an answer without anything, which an unchanged feed is."""

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


@csrf_exempt
def update(request: HttpRequest, number: int) -> HttpResponse:
    """Take a row if nobody has it, and say whether that went well."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bare_block SET status = 'claimed' WHERE id = %s AND status = 'offered'", [number]
        )
        return HttpResponse("ok" if cursor.rowcount else "taken")


def ok(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urls.urlpatterns.insert(0, path("bare/update/<int:number>", update))
urls.urlpatterns.insert(0, path("bare/ok", ok))
urls.urlpatterns.insert(0, path("bare/insert", insert))
