"""Which codes an operation of the API may refuse with, read from the code that answers it.

A handler is followed through everything that it names: functions, methods by the type of what they are called on,
tables of functions, properties, serializers. What is raised on the way is what it may answer, less what a `try`
around it catches. Nothing is run. What is missed (a call through a value whose type nobody wrote down) is
noticed by the tests, which hold every error they see against this (retaildelivery/testing/refusals.py).
"""

from __future__ import annotations

import ast
import functools
import inspect
import os
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_list_or_404, get_object_or_404
from django.utils.functional import cached_property
from rest_framework import exceptions
from rest_framework.serializers import BaseSerializer

from retaildelivery.lib.refusals import Refused

APPS = ("deliveries", "drivers", "offers", "retaildelivery", "stores")
ROOTS = tuple(f"{settings.BASE_DIR / name}{os.sep}" for name in APPS)
NOT_FOUND = "not_found"
# What others' functions raise for us.
OF_OTHERS = {get_object_or_404: Http404, get_list_or_404: Http404}
WRITES = {"post", "put", "patch"}
CHECKS = ("validate", "to_internal_value", "run_validation")


Raised = tuple[type[BaseException], str]  # with the code that it was given, or ""


@dataclass(eq=False)
class Block:
    """A stretch of code: what it raises, what it makes and gives back, what it goes on into, and its `try`s.
    `raises_made` when it raises what was made elsewhere."""

    raises: set[Raised] = field(default_factory=set)
    made: set[Raised] = field(default_factory=set)
    goes: set[Any] = field(default_factory=set)
    tries: list[Try] = field(default_factory=list)
    raises_made: bool = False


@dataclass(eq=False)
class Try:
    tried: Block
    caught: tuple[type[BaseException], ...]


@dataclass(frozen=True)
class Instance:
    """What is known of a value: an object of this class."""

    kind: type


def ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).split(".")[0] in APPS


def code_of(kind: type[BaseException], code: str) -> str | None:
    """The `code` of the problem that this exception becomes, as errors.handle has it."""
    if issubclass(kind, Refused):
        return kind.code
    if issubclass(kind, exceptions.ValidationError):
        return "validation_error"
    if issubclass(kind, Http404 | exceptions.NotFound):
        return NOT_FOUND
    if issubclass(kind, PermissionDenied):
        return "permission_denied"
    if issubclass(kind, exceptions.APIException):
        return code or str(kind.default_code)
    return None


class Reader(ast.NodeVisitor):
    """Reads one function into a Block. `holder` is the class it is called on."""

    def __init__(self, function: types.FunctionType, holder: type | None) -> None:
        self.function, self.holder = function, holder
        self.block = Block()
        self.types: dict[str, Any] = {}
        self.names = _names(function)
        self.handling: list[tuple[type[BaseException], ...]] = []

    def read(self) -> Block:
        tree = _tree(self.function)
        if tree is None:
            return self.block
        arguments = [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]
        hints = _hints(self.function)
        for place, argument in enumerate(arguments):
            if place == 0 and self.holder is not None and argument.arg in {"self", "cls"}:
                self.types[argument.arg] = Instance(self.holder) if argument.arg == "self" else self.holder
            elif argument.arg in hints:
                self.types[argument.arg] = _instance(hints[argument.arg])
        for statement in tree.body:
            self.visit(statement)
        return self.block

    # -- What a name stands for --------------------------------------------------------------------------

    def known(self, node: ast.AST) -> Any:
        """The object that an expression names, or Instance(its class), or None."""
        found: Any = None
        match node:
            case ast.Name():
                found = self.types[node.id] if node.id in self.types else self.names.get(node.id)
            case ast.Attribute():
                found = self._attribute(self.known(node.value), node.attr)
            case ast.Call(func=ast.Name(id="super")) if self.holder is not None:
                found = Instance(self.holder)
            case ast.Call():
                found = _result(self.known(node.func))
            case ast.IfExp():
                found = self.known(node.body) or self.known(node.orelse)
            case ast.BoolOp():
                found = next(filter(None, map(self.known, node.values)), None)
            case ast.NamedExpr() | ast.Starred():
                found = self.known(node.value)
        return found

    def _member(self, kind: type, name: str) -> Any:
        """An attribute of an object of this class."""
        found = inspect.getattr_static(kind, name, None)
        found = getattr(found, "__func__", found)
        getter = getattr(found, "fget", None) or (
            found.func if isinstance(found, cached_property | functools.cached_property) else None
        )
        if getter is not None:
            self.go(getter, kind)
            return _instance(_hints(getter).get("return"))
        if isinstance(found, types.FunctionType):
            return types.MethodType(found, Instance(kind))
        return found if ours(found) else _instance(_hints(kind).get(name))

    def _attribute(self, base: Any, name: str) -> Any:
        if isinstance(base, Instance):
            return self._member(base.kind, name)
        if isinstance(base, types.ModuleType | type):
            found = inspect.getattr_static(base, name, None)
            found = getattr(found, "__func__", found)
            if isinstance(base, type) and isinstance(found, types.FunctionType):
                return types.MethodType(found, Instance(base))
            return found
        return None

    # -- What is done with it ----------------------------------------------------------------------------

    def go(self, thing: Any, holder: type | None = None) -> None:
        """The code goes on into this: a function, a method, a class that is made, a table of such."""
        if isinstance(thing, types.MethodType):
            instance = thing.__self__
            self.go(thing.__func__, instance.kind if isinstance(instance, Instance) else None)
        elif isinstance(thing, type):
            self._into_class(thing)
        elif isinstance(thing, dict):
            self._into_table(thing.values())
        elif isinstance(thing, tuple | list | set | frozenset):
            self._into_table(thing)
        elif isinstance(thing, functools.partial):
            self.go(thing.func)
        else:
            raised = OF_OTHERS.get(thing) if isinstance(thing, types.FunctionType) else None
            if raised is not None:
                self.block.raises.add((raised, ""))
            self.block.goes |= {(function, holder) for function in layers(thing)}

    def _into_class(self, kind: type) -> None:
        if issubclass(kind, BaseException):
            return
        if not ours(kind):
            return
        checks = CHECKS if issubclass(kind, BaseSerializer) else ()
        for name in ("__init__", "__post_init__", "__call__", "__enter__", "__exit__", *checks):
            self.go(inspect.getattr_static(kind, name, None), kind)
        if issubclass(kind, BaseSerializer):
            for name in dir(kind):
                if name.startswith("validate_"):
                    self.go(inspect.getattr_static(kind, name, None), kind)
            for each in kind._declared_fields.values():  # type: ignore[attr-defined] # noqa: SLF001 -- what it reads
                self.go(type(each))
                self.go(type(getattr(each, "child", None)))

    def _into_table(self, things: Iterable[Any]) -> None:
        for thing in things:
            if isinstance(thing, type) and issubclass(thing, Refused):
                self.block.made.add((thing, ""))
            elif isinstance(thing, types.FunctionType | tuple | list | dict):
                self.go(thing)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.go(self.known(node))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        found = self.known(node)
        self.go(found)
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        called = self.known(node.func)
        if isinstance(called, type) and issubclass(called, BaseException):
            self.block.made.add((called, _code_given(node)))
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
            inner = node.func.value.func
            if isinstance(inner, ast.Name) and inner.id == "super" and self.holder is not None:
                self._above(node.func.attr)
        self.generic_visit(node)

    def _above(self, name: str) -> None:
        """`super().name()`: whichever of the classes above has it."""
        assert self.holder is not None
        for kind in self.holder.__mro__[1:]:
            found = kind.__dict__.get(name)
            if isinstance(found, types.FunctionType) and found is not self.function:
                self.go(found, self.holder)

    def visit_Raise(self, node: ast.Raise) -> None:
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        kind = None if raised is None else self.known(raised)
        if _is_exception(kind):
            code = _code_given(node.exc) if isinstance(node.exc, ast.Call) else ""
            self.block.raises.add((kind, code))
            for part in node.exc.args if isinstance(node.exc, ast.Call) else ():
                self.visit(part)
        elif node.exc is not None:
            self.block.raises_made = True
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.types[target.id] = self.known(node.value)
            elif isinstance(target, ast.Tuple):
                self._unpack(target, node.value)

    def _unpack(self, target: ast.Tuple, value: ast.AST) -> None:
        values: list[Any] = [None] * len(target.elts)
        if isinstance(value, ast.Tuple) and len(value.elts) == len(values):
            values = [self.known(each) for each in value.elts]
        for name, known in zip(target.elts, values, strict=True):
            if isinstance(name, ast.Name):
                self.types[name.id] = known

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self.types[node.target.id] = _instance(self.known(node.annotation)) or (
                self.known(node.value) if node.value is not None else None
            )

    def visit_With(self, node: ast.With) -> None:
        suppressed: tuple[type[BaseException], ...] = ()
        for item in node.items:
            self.visit(item.context_expr)
            call = item.context_expr
            if isinstance(call, ast.Call) and ast.unparse(call.func) in {"contextlib.suppress", "suppress"}:
                suppressed += tuple(filter(_is_exception, map(self.known, call.args)))
        self._inside(node.body, suppressed)

    def visit_Try(self, node: ast.Try) -> None:
        caught: list[type[BaseException]] = []
        for handler in node.handlers:
            kinds = list(self._kinds(handler.type))
            again = [
                each
                for each in ast.walk(handler)
                if isinstance(each, ast.Raise)
                and (each.exc is None or (isinstance(each.exc, ast.Name) and each.exc.id == handler.name))
            ]
            if not again:
                caught += kinds
        self._inside(node.body, tuple(caught))
        for handler in node.handlers:
            for statement in handler.body:
                self.visit(statement)
        for statement in [*node.orelse, *node.finalbody]:
            self.visit(statement)

    def _kinds(self, node: ast.expr | None) -> Iterator[type[BaseException]]:
        if node is None:
            yield BaseException
        elif isinstance(node, ast.Tuple):
            for each in node.elts:
                yield from self._kinds(each)
        elif isinstance(node, ast.BinOp):
            yield from self._kinds(node.left)
            yield from self._kinds(node.right)
        elif _is_exception(found := self.known(node)):
            yield found
        elif isinstance(found, tuple):
            yield from filter(_is_exception, found)

    def _inside(self, body: list[ast.stmt], caught: tuple[type[BaseException], ...]) -> None:
        outer, self.block = self.block, Block()
        for statement in body:
            self.visit(statement)
        outer.tries.append(Try(self.block, caught))
        self.block = outer


def _is_exception(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseException)


def _code_given(node: ast.Call) -> str:
    """The constant that a call has as `code=`."""
    given = [each.value for each in node.keywords if each.arg == "code"]
    return str(given[0].value) if given and isinstance(given[0], ast.Constant) else ""


@functools.cache
def _functions_in(file: str) -> dict[int, ast.FunctionDef]:
    """The functions of a file by the line they begin at, decorators counted."""
    tree = ast.parse(Path(file).read_text())
    return {
        min([node.lineno, *(each.lineno for each in node.decorator_list)]): node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }


def _tree(function: types.FunctionType) -> ast.FunctionDef | None:
    code = function.__code__
    return _functions_in(code.co_filename).get(code.co_firstlineno)


def _names(function: types.FunctionType) -> dict[str, Any]:
    """The names that a function sees from outside: its module's and those that it closes over."""
    names = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    return names


@functools.cache
def _hints(thing: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(thing)
    except Exception:  # noqa: BLE001 -- a name that is there for the type checker only
        return {}


def _instance(hint: Any) -> Any:
    """What is known of a value with this annotation."""
    if isinstance(hint, Instance):
        return hint
    if isinstance(hint, type) and typing.get_origin(hint) is None:
        return Instance(hint)
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return _instance(parts[0]) if len(parts) == 1 else None
    return None


def _result(called: Any) -> Any:
    """What comes back from a call of this."""
    if isinstance(called, type):
        return called if issubclass(called, BaseException) else Instance(called)
    if isinstance(called, types.MethodType):
        called = called.__func__
    called = inspect.unwrap(called) if callable(called) else called
    return _instance(_hints(called).get("return")) if isinstance(called, types.FunctionType) else None


def layers(thing: Any) -> Iterator[types.FunctionType]:
    """Our functions that run when this is called: decorators as well as what they stand around."""
    while thing is not None:
        if isinstance(thing, types.FunctionType) and thing.__code__.co_filename.startswith(ROOTS):
            yield thing
        thing = getattr(thing, "__wrapped__", None)


# -- All together ------------------------------------------------------------------------------------------

Spot = tuple[types.FunctionType, type | None]


class Map:
    """Every function that can be reached, what may come out of each, and what each may make."""

    def __init__(self) -> None:
        self.blocks: dict[Spot, Block] = {}
        self.out: dict[Spot, frozenset[Raised]] = {}
        self.made: dict[Spot, frozenset[Raised]] = {}

    def reach(self, starts: Iterable[Spot]) -> None:
        waiting = list(starts)
        while waiting:
            spot = waiting.pop()
            if spot not in self.blocks:
                self.blocks[spot] = Reader(*spot).read()
                waiting += _goes(self.blocks[spot])

    def settle(self) -> None:
        """Until nothing more comes out anywhere."""
        self.out = dict.fromkeys(self.blocks, frozenset())
        self.made = dict.fromkeys(self.blocks, frozenset())
        changed = True
        while changed:
            changed = False
            for spot, block in self.blocks.items():
                made, out = frozenset(self._made(block)), frozenset(self._out(block))
                if (made, out) != (self.made[spot], self.out[spot]):
                    self.made[spot], self.out[spot], changed = made, out, True

    def _made(self, block: Block) -> set[Raised]:
        return block.made.union(
            *(self.made[spot] for spot in block.goes), *(self._made(part.tried) for part in block.tries)
        )

    def _out(self, block: Block) -> set[Raised]:
        found = block.raises.union(*(self.out[spot] for spot in block.goes))
        if block.raises_made:
            found |= self._made(block)
        for part in block.tries:
            found |= {each for each in self._out(part.tried) if not issubclass(each[0], part.caught)}
        return found

    def codes(self, starts: Iterable[Spot]) -> set[str]:
        raised = {each for spot in starts for each in self.out[spot]}
        return {code for code in (code_of(*each) for each in raised) if code}


def _goes(block: Block) -> set[Spot]:
    return block.goes.union(*(_goes(part.tried) for part in block.tries))


# What the framework says before a handler is reached, and what PostgreSQL may.
ALWAYS = {"not_authenticated", "permission_denied", "throttled", "busy"}
OF_A_BODY = {"malformed_json", "unsupported_media_type", "body_too_large", "validation_error"}
BEFORE = ("initial", "perform_authentication", "check_permissions")


def starts_of(view: type, method: str) -> set[Spot]:
    """The functions that answer a request of this method to this view."""
    method = method.lower()
    found: set[Spot] = {(each, view) for name in (*BEFORE, method) for each in layers(getattr(view, name))}
    for kind in view.authentication_classes:  # type: ignore[attr-defined]
        found |= {(each, kind) for each in layers(kind.authenticate)}
    for kind in view.permission_classes:  # type: ignore[attr-defined]
        found |= {(each, kind) for each in layers(kind.has_permission)}
    if method in WRITES:
        found |= {(each, view) for each in layers(view.answer_once)}  # type: ignore[attr-defined]
    return found


def codes_of(operations: dict[str, tuple[type, str]]) -> dict[str, list[str]]:
    """The codes of each operation, given by its name as a view and a method."""
    starts = {name: starts_of(view, method) for name, (view, method) in operations.items()}
    whole = Map()
    whole.reach(spot for spots in starts.values() for spot in spots)
    whole.settle()
    return {
        name: sorted(
            whole.codes(spots) | ALWAYS | (OF_A_BODY if operations[name][1].lower() in WRITES else set())
        )
        for name, spots in starts.items()
    }
