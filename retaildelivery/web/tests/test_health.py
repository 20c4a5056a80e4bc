import pytest
from django.urls import reverse
from prometheus_client import REGISTRY

from retaildelivery.web import health


def test_alive_without_asking_anybody(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_with_database_redis_and_migrations(client):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "redis": "ok", "migrations": "ok"}


@pytest.mark.django_db
def test_not_ready_without_redis(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "checks": {"database": "ok", "redis": "unreachable", "migrations": "ok"},
    }


@pytest.mark.django_db
def test_not_ready_before_the_migrations(client, monkeypatch):
    monkeypatch.setattr(
        health.MigrationExecutor, "migration_plan", lambda self, targets: [("one", False)] * 2
    )

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "2 to apply"


@pytest.mark.django_db
def test_metrics_are_not_for_strangers(client, settings):
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403


@pytest.mark.django_db
def test_metrics_are_for_the_holder_of_the_token(client, settings):
    settings.METRICS_TOKEN = "collector"

    assert client.get("/metrics", headers={"Authorization": "Bearer guessed"}).status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer collector"}).status_code == 200


@pytest.mark.django_db
def test_metrics_are_for_staff(admin_client):
    assert b"django_http_requests" in admin_client.get("/metrics").content


@pytest.mark.django_db
def test_answers_are_counted_by_view_method_and_status(admin_client):
    def counted():
        labels = {"status": "200", "view": "healthz", "method": "GET"}
        return (
            REGISTRY.get_sample_value("django_http_responses_total_by_status_view_method_total", labels) or 0
        )

    before = counted()

    admin_client.get("/healthz")
    admin_client.post("/healthz")

    assert counted() == before + 1
    told = admin_client.get("/metrics").content.decode()
    assert 'view="healthz"' in told
    assert 'status="405"' in told


@pytest.mark.django_db
def test_pages_refuse_inline_script_and_the_admin_alone_is_looser(client):
    page = client.get(reverse("account_login")).headers["Content-Security-Policy"]
    admin = client.get("/admin/login/", follow=True).headers["Content-Security-Policy"]

    assert "unsafe" not in page
    assert "frame-ancestors 'none'" in page
    assert "'unsafe-eval'" in admin
    assert "frame-ancestors 'none'" in admin


@pytest.mark.django_db
def test_cookies_are_out_of_reach_of_scripts_and_other_sites(client):
    answer = client.get(reverse("account_login"))

    cookie = answer.cookies["csrftoken"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert answer.headers["X-Frame-Options"] == "DENY"
