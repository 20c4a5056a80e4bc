"""One page with every driver's tool on it, and an action that tells what arrived. Only the browser tests mount it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.template import engines
from django.urls import include, path

from retaildelivery.web import page_urls

received: list[dict[str, str]] = []
polls: list[str] = []

TOOLS = """{% extends "drivers/_layout.html" %}{% load ui %}{% block title %}Bench{% endblock %}{% block content %}
<h1>Bench</h1>
<form class="form" method="post" action="/drive/bench/act/" data-offline="Scan" id="scan">
{% csrf_token %}{% client_event %}
{% include "_scan.html" with name="code" label="Parcel code" %}<button class="button">Check</button></form>
<form class="form" method="post" action="/drive/bench/act/" data-offline="Proof" id="proof"
enctype="multipart/form-data">
{% csrf_token %}{% client_event %}{% include "_here.html" %}{% include "_photo.html" with name="photo" label="Photo" %}
{% include "_signature.html" with name="signature" label="Signature" %}
<button class="button is-primary">Deliver</button></form>
<form class="form" method="post" action="/drive/bench/act/" data-confirm="Really?" id="sure">{% csrf_token %}
<input type="hidden" name="code" value="sure"><button class="button is-danger">Give back</button></form>
<section id="live" {% poll "/drive/bench/live/" every=1 %}><p data-poll-note></p></section>
{% endblock %}"""


@login_required
def tools(request: HttpRequest) -> HttpResponse:
    return HttpResponse(engines["django"].from_string(TOOLS).render({"user": request.user}, request))


@login_required
def act(request: HttpRequest) -> HttpResponse:
    files = {name: str(file.size) for name, file in request.FILES.items()}
    received.append({**{name: str(value) for name, value in request.POST.items()}, **files})
    if request.POST.get("code") == "REFUSE22":
        return HttpResponse("<main><p role='alert'>Not for this stop</p></main>", status=422)
    return HttpResponseRedirect("/drive/bench/")


def live(request: HttpRequest) -> HttpResponse:
    polls.append(request.headers.get("If-None-Match", ""))
    if request.headers.get("If-None-Match") == '"one"':
        return HttpResponseNotModified()
    body = engines["django"].from_string(
        '{% load ui %}<p>not this</p><section id="live" {% poll "/drive/bench/live/" every=1 %}>fresh</section>'
    )
    return HttpResponse(body.render({}, request), headers={"ETag": '"one"'})


urlpatterns = [
    path("drive/bench/", tools),
    path("drive/bench/act/", act),
    path("drive/bench/live/", live),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include(page_urls)),
]
