"""docker-compose.yml, Dockerfile and .env.example, checked without a container runtime."""

import os
import re
import subprocess
import sys

import pytest
import yaml

from retaildelivery.celery import QUEUES
from retaildelivery.embedded.supervisor import PROMPT_QUEUES
from retaildelivery.environment import BASE_DIR
from retaildelivery.testing import source

READERS = "text|secret|switch|number|choice|words|path|web_url|time_zone|database|redis|mail|push_key"
PROGRAMS = ("migrate", "web", "worker", "planner", "beat")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())


def environment_of(service):
    """What compose would set, with its defaults and a host's empty environment."""
    return {
        name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", str(value)) for name, value in service["environment"].items()
    }


def test_every_process_of_the_system_has_its_container(compose):
    assert set(compose["services"]) == {"postgres", "redis", *PROGRAMS}


def test_every_running_container_is_watched(compose):
    unwatched = [
        name
        for name, service in compose["services"].items()
        if name not in {"migrate", "web"} and "test" not in service.get("healthcheck", {})
    ]

    assert unwatched == []
    assert "HEALTHCHECK" in (BASE_DIR / "Dockerfile").read_text()


@pytest.mark.parametrize("name", ["web", "worker", "planner", "beat"])
def test_nothing_starts_before_the_migrations_have_run_once(compose, name):
    assert compose["services"][name]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"},
        "postgres": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
    }
    assert compose["services"]["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_run_without_rights_and_keep_proofs_on_a_volume(compose, name):
    service = compose["services"][name]

    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert "proofs:/data/proofs" in service["volumes"]


def test_data_and_proofs_outlive_their_containers(compose):
    named = set(compose["volumes"])
    used = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    }

    assert used == named == {"database", "proofs", "run"}


def test_only_the_web_server_is_reachable_and_only_from_this_machine(compose):
    published = {
        name: service["ports"] for name, service in compose["services"].items() if "ports" in service
    }

    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_no_password_is_written_into_the_file(compose):
    text = (BASE_DIR / "docker-compose.yml").read_text()

    assert set(compose["secrets"]) == {"secret_key", "postgres_password"}
    assert re.findall(r"(?:PASSWORD|SECRET_KEY|TOKEN): (?!\$\{)(\S+)", text) == []


def test_the_image_runs_as_nobody_in_particular():
    stages = (BASE_DIR / "Dockerfile").read_text().split("\nFROM ")

    assert len(stages) == 3
    assert "\nUSER delivery\n" in stages[-1]
    assert stages[-1].index("USER delivery") < stages[-1].index('CMD ["sh"')


def test_the_image_holds_what_the_system_imports():
    """.dockerignore lets in by name; a package it forgets is missing only in production."""
    let_in = set(re.findall(r"^!(\S+)", (BASE_DIR / ".dockerignore").read_text(), flags=re.M))

    assert {*source.OURS, "templates", "static", "manage.py", "requirements.txt"} <= let_in


def run_manage(*arguments, tmp_path, changes):
    (tmp_path / "secret_key").write_text("k" + "7c!Qz09" * 12)
    (tmp_path / "postgres_password").write_text("secret")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, BASE_DIR / "manage.py", *arguments],
        env={**kept, "DATA_DIR": str(tmp_path), **changes},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_deployment_check_finds_nothing_in_that_configuration(compose, tmp_path):
    environment = environment_of(compose["services"]["web"])
    for name in ("SECRET_KEY_FILE", "DATABASE_PASSWORD_FILE"):
        environment[name] = environment[name].replace("/run/secrets", str(tmp_path))

    done = run_manage("check", "--deploy", "--fail-level", "INFO", tmp_path=tmp_path, changes=environment)

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_a_missing_key_is_named(tmp_path):
    done = run_manage("check", tmp_path=tmp_path / "..", changes={"DATA_DIR": str(tmp_path / "none")})

    assert done.returncode == 1
    assert done.stderr.startswith("Configuration: SECRET_KEY is missing")


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path):
    done = run_manage("check", tmp_path=tmp_path, changes={"SECRET_KEY_FILE": "/no/such/file"})

    assert done.returncode == 1
    assert "SECRET_KEY_FILE='/no/such/file'" in done.stderr


def test_every_variable_is_explained():
    text = (BASE_DIR / ".env.example").read_text()
    explained = set(re.findall(r"^(\w+)=", text, flags=re.M))
    read = {
        name
        for path in source.modules()
        for name in re.findall(rf"\benv(?:ironment)?\.(?:{READERS})\(\s*\"([A-Z_]+)\"", path.read_text())
    }

    assert read - explained == set()
    assert explained - read == {"DATA_DIR", "DATABASE_PASSWORD"}


def test_every_queue_has_a_worker_and_only_one_kind_of_worker(compose):
    served = [
        queue
        for name in ("worker", "planner")
        for argument in compose["services"][name]["command"]
        if argument.startswith("--queues=")
        for queue in argument.removeprefix("--queues=").split(",")
    ]

    assert sorted(served) == sorted(QUEUES)
    assert sorted([*PROMPT_QUEUES.split(","), "planning"]) == sorted(QUEUES)
