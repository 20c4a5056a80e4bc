"""What the import linter cannot see: relations, templates, sizes, and habits that cost a bug once."""

import ast
import re

import pytest
from django.apps import apps
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.urls import URLPattern, URLResolver, get_resolver

from retaildelivery.environment import BASE_DIR
from retaildelivery.testing import source
from retaildelivery.testing.source import RANKS, place

FUNCTION_LINES = 70
MODULE_LINES = 500

EXTENDS_OR_INCLUDES = re.compile(r"""{%\s*(?:extends|include)\s+["']([^"'#]+)(?:#[^"']*)?["']""")
URL = re.compile(r"""{%\s*url\s+["']([^"']+)["']""")
STATIC = re.compile(r"""{%\s*static\s+["']([^"']+)["']""")
MACHINE_PATH = re.compile(r"""["'\s(=](/(?:root|home|work|Users|opt)/[\w./-]+)""")
FORBIDDEN_NAMES = {"services", "selectors", "utils", "helpers", "common", "managers"}


def our_models():
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in source.OURS]


def relations():
    return [
        field
        for model in our_models()
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many)
        if field.is_relation and field.related_model in our_models()
    ]


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_relations_point_down():
    """A foreign key by string is invisible to the import linter."""
    upward = [
        f"{field}: {field.model._meta.app_label} ranks below {field.related_model._meta.app_label}. Keep the "
        f"relation in the upper app, or record a fact and let a reaction there do the work."
        for field in relations()
        if field.model._meta.app_label != field.related_model._meta.app_label
        and RANKS[field.model._meta.app_label] <= RANKS[field.related_model._meta.app_label]
    ]

    assert upward == []


def test_relations_between_apps_have_no_way_back():
    """With "+" the lower model gets no accessor and no lookup to what is above it."""
    open_backwards = [
        f'{field}: give it related_name="+", and ask from the upper app with a queryset of its own.'
        for field in relations()
        if field.model._meta.app_label != field.related_model._meta.app_label
        and not field.remote_field.hidden
    ]

    assert open_backwards == []


def test_templates_include_and_extend_only_what_is_below():
    """A template of one app may use its own, the root's, and those of apps below."""
    wrong = []
    for name, path in source.templates().items():
        owner = name.split("/")[0]
        for used in EXTENDS_OR_INCLUDES.findall(path.read_text()):
            other = used.split("/")[0]
            if owner in RANKS and other in RANKS and other != owner and RANKS[other] >= RANKS[owner]:
                wrong.append(f"{place(path)} uses {used}: link to that page or load it with hx-get instead.")

    assert wrong == []


def test_every_template_compiles():
    for name, path in source.templates().items():
        if path.suffix in {".html", ".txt"}:
            get_template(name)


def url_names(resolver=None, namespace=""):
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLPattern) and entry.name:
            yield namespace + entry.name
        elif isinstance(entry, URLResolver):
            yield from url_names(entry, namespace + (f"{entry.namespace}:" if entry.namespace else ""))


def test_every_url_in_a_template_exists():
    known = set(url_names())
    unknown = [
        f"{place(path)}: no URL is called {name!r}. Correct the name, or add it to the app's urls.py."
        for path in source.templates().values()
        for name in URL.findall(path.read_text())
        if name not in known
    ]

    assert unknown == []


def test_every_static_file_in_a_template_exists():
    """In production a missing one is a page that answers 500, since names carry the content's hash."""
    missing = [
        f"{place(path)}: there is no static file {name!r}."
        for path in source.templates().values()
        for name in STATIC.findall(path.read_text())
        if finders.find(name) is None
    ]

    assert missing == []


def test_every_file_a_stylesheet_names_exists():
    """Collecting static files fails on the first one that does not."""
    missing = [
        f"{place(path)}: there is no {target!r}."
        for path in sorted((BASE_DIR / "static").rglob("*.css"))
        for target in re.findall(r"""url\(["']?(?!data:|#|https?:)([^"')?#]+)""", path.read_text())
        if not (path.parent / target).exists()
    ]

    assert missing == []


def test_templates_carry_no_inline_script_or_style():
    """The content security policy refuses them, so they would do nothing."""
    inline = [
        f"{place(path)}: {found.group(0)!r}. Put it into static/js or static/css."
        for path in source.templates().values()
        if path.suffix == ".html" and "notices/" not in path.as_posix()
        for found in re.finditer(
            r"<script(?![^>]*\bsrc=)(?![^>]*type=[\"']application/(?:ld\+)?json)[^>]*>|<style\b|\sstyle=[\"']|\son\w+=[\"']",
            path.read_text(),
        )
    ]

    assert inline == []


def test_functions_fit_a_screen():
    long = [
        f"{place(path, node)} {node.name} has {node.end_lineno - node.lineno + 1} lines, the limit is "
        f"{FUNCTION_LINES}: name a part of it and move it out."
        for path in source.modules()
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]

    assert long == []


def test_modules_are_of_a_size_to_be_read():
    long = [
        f"{place(path)} has {lines} lines, the limit is {MODULE_LINES}: split it by power (claiming, "
        f"expiry), not by kind."
        for path in source.modules()
        if (lines := len(path.read_text().splitlines())) > MODULE_LINES
    ]

    assert long == []


def test_no_module_is_called_after_a_drawer():
    vague = [
        f"{place(path)}: call it after what it does, or put each function with its noun or verb."
        for path in source.modules()
        if path.stem in FORBIDDEN_NAMES
    ]

    assert vague == []


def test_only_locks_modules_lock():
    """One order of locks can only be kept where all of them stand together."""
    stray = [
        f"{place(path, node)}: move the query to the app's locks.py."
        for path in source.modules()
        if path.name != "locks.py"
        for node in calls(source.tree(path))
        if isinstance(node.func, ast.Attribute) and node.func.attr == "select_for_update"
    ]

    assert stray == []


EDGES = {
    "views",
    "api",
    "tasks",
    "admin",
    "commands",
    "forms",
    "middleware",
    "authentication",
    "demo",
    "embedded",
    "templatetags",
}


CLOCKS = (
    "timezone.now",
    "datetime.now",
    "datetime.utcnow",
    "date.today",
)


def is_edge(path):
    """Where requests, tasks and commands come in; only there does "now" begin."""
    parts = {part.removesuffix(".py") for part in path.relative_to(BASE_DIR).parts}
    return bool(parts & EDGES) or any(
        part.startswith("admin_") or part.endswith(("_views", "_api", "_forms")) for part in parts
    )


def test_verbs_and_models_are_told_the_time():
    clocks = [
        f"{place(path, node)}: take `at: datetime` as an argument; the view, task or command passes the time."
        for path in source.modules()
        if not is_edge(path) and not path.name.endswith("adapter.py")
        for node in calls(source.tree(path))
        if ast.unparse(node.func).endswith(CLOCKS)
    ]

    assert clocks == []


def test_views_find_rows_through_querysets_that_know_who_asks():
    unguarded = [
        f"{place(path, node)}: use get_object_or_404 on a queryset narrowed to what this person may see, so "
        f"that another's code is 404."
        for path in source.modules()
        if {"views", "api"} & {part.removesuffix(".py") for part in path.parts}
        for node in calls(source.tree(path))
        if ast.unparse(node.func).endswith(".objects.get")
    ]

    assert unguarded == []


def test_our_modules_are_imported_at_the_top():
    """An import inside a function hides a cycle, from the reader and from the import linter's message."""
    hidden = [
        f"{place(path, node)}: move it to the top; if that makes a cycle, the code is in the wrong app."
        for path in source.modules()
        for function in ast.walk(source.tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in source.OURS)
        or (
            isinstance(node, ast.Import)
            and any(name.name.split(".")[0] in source.OURS for name in node.names)
        )
    ]

    assert hidden == []


def test_no_file_knows_the_machine_it_was_written_on():
    known = [
        f"{place(path)}: {found}. Derive it from BASE_DIR, or take it from the environment."
        for pattern in ("*.py", "*.html", "*.js", "*.css", "*.csv", "*.json", "*.toml", "*.ini")
        for path in (*source.everything(pattern), *(BASE_DIR / "templates").rglob(pattern))
        if path.name != "test_architecture.py"
        for found in MACHINE_PATH.findall(path.read_text(errors="ignore"))
    ]

    assert known == []


@pytest.mark.parametrize("name", ["healthz", "readyz", "metrics"])
def test_the_doors_for_machines_stay_where_they_are(name):
    assert get_resolver().resolve(f"/{name}").url_name == name


def test_date_fields_are_filled_in_as_browsers_read_them():
    """`<input type="date">` shows a day only as 2026-11-23: without a format Spanish would write 23/11/2026, and the
    field would stand empty."""
    bare = [
        f"{path.name}: {call}"
        for path in source.modules()
        for call in re.findall(r"DateInput\([^)]*\)", path.read_text())
        if "format=" not in call
    ]

    assert bare == []
