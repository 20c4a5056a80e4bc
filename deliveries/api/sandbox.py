"""The sandbox over the seller API: steps of an order, the clock, the messages that nobody got, and a new beginning."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries.api import sandbox_serializers as shapes
from deliveries.api.seller import OrderBase
from deliveries.sandbox import playing, resetting, steps
from deliveries.snapshots import moment
from retaildelivery.outbox.models import Message
from retaildelivery.web import api, paging
from stores import keys
from stores.api import READ, WRITE, SellerView
from stores.authentication import TestKeysOnly, WholeSellerOnly
from stores.models import ApiKey, Sandbox

TAGS = ["Sandbox"]


class SandboxBase(SellerView):
    """For test keys."""

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if self.system.sandbox is None:
            raise TestKeysOnly

    @property
    def sandbox(self) -> Sandbox:
        found = self.system.sandbox
        assert found is not None, "check_permissions has seen to it."
        return found


class StepsView(SandboxBase, OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ, "POST": WRITE}

    @extend_schema(operation_id="list_sandbox_steps", responses=shapes.StepsOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """What is possible now with an order of the sandbox, and what its robot courier will do by itself."""
        api.query(request, api.NoQuery)
        return self.possible(code)

    @extend_schema(
        operation_id="step_sandbox_order", request=shapes.StepIn, responses=shapes.StepsOut, tags=TAGS
    )
    def post(self, request: Request, code: str) -> Response:
        """Take a step, at the time of the sandbox's clock. 409 `step_not_legal` when it is not possible now; `reason`
        has those that are, with commas."""
        wanted = self.code_of(code)
        given = api.body(request, shapes.StepIn)
        steps.take(order_code=wanted, step=given["step"], reason=given.get("reason", ""), at=self.system.now)
        return self.possible(wanted)

    def possible(self, code: str) -> Response:
        order = self.order(code)
        script = order.robot_steps.order_by("due_at", "position")
        return Response(
            {
                "order": order.code,
                "status": order.status,
                "at": moment(self.system.now),
                "steps": [{"step": name, "sentence": str(steps.STEPS[name])} for name in steps.legal(order)],
                "script": [
                    {
                        "step": row.step,
                        "reason": row.reason or None,
                        "due_at": moment(row.due_at),
                        "outcome": row.outcome,
                    }
                    for row in script
                ],
            }
        )


class WholeSandbox(SandboxBase):
    """What is about all of the sandbox is not for a key of one store."""

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if self.system.store is not None:
            raise WholeSellerOnly

    def clock(self, *, arrived: bool = True) -> Response:
        self.sandbox.refresh_from_db()
        return Response(
            {
                "at": moment(self.system.now),
                "running": self.sandbox.stopped_at is None,
                "seed": self.sandbox.seed,
                "arrived": arrived,
            }
        )


class ClockView(WholeSandbox):
    scopes: ClassVar[dict[str, str]] = {"GET": READ, "POST": WRITE}

    @extend_schema(operation_id="get_sandbox_clock", responses=shapes.ClockOut, tags=TAGS)
    def get(self, request: Request) -> Response:
        """What time it is in the sandbox. Until you move the clock it runs by the real time."""
        api.query(request, api.NoQuery)
        return self.clock()

    @extend_schema(
        operation_id="move_sandbox_clock", request=shapes.ClockIn, responses=shapes.ClockOut, tags=TAGS
    )
    def post(self, request: Request) -> Response:
        """Move the clock forward; it stands there then. Everything that is due on the way happens at its own time:
        robot couriers act, holds and quotes run out.

        422 `clock_runs_forward`, `clock_too_far`, `clock_out_of_range`; 409 `sandbox_busy` while somebody else
        moves it."""
        given, real = api.body(request, shapes.ClockIn), timezone.now()
        if "run" in given:
            playing.run(sandbox=self.sandbox, at=real)
            return self.clock()
        to = given.get("at") or playing.later(self.sandbox, seconds=given["advance_seconds"], at=real)
        return self.clock(arrived=playing.move(sandbox=self.sandbox, to=to, at=real))


class ResetView(WholeSandbox):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    @extend_schema(operation_id="reset_sandbox", request=shapes.ResetIn, responses=shapes.ClockOut, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Forget all that was done in the sandbox but keys and webhook endpoints. After a reset with the same `seed`
        and `at`, the same requests in the same order give the same codes and the same events, byte by byte.

        422 `clock_out_of_range` for a clock outside of 1900 to 2200."""
        given = api.body(request, shapes.ResetIn)
        resetting.reset(sandbox=self.sandbox, seed=given["seed"], stopped_at=given.get("at"))
        return self.clock()


class MessagesView(WholeSandbox):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="list_sandbox_messages",
        parameters=[paging.PageQuery],
        responses=shapes.SandboxMessagePage,
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """The messages that people would have got, newest first. None of them was sent."""
        page = paging.newest_first(Message.objects.all(), api.query(request, paging.PageQuery))
        return Response({"results": [self.shown(row) for row in page.rows], "next": page.next})

    def shown(self, message: Message) -> dict[str, Any]:
        return {
            "id": message.code,
            "name": message.name,
            "channel": "email",
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "about": message.about,
            "at": moment(message.created_at),
        }


class TestKeysView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"POST": ApiKey.Scope.SANDBOX}

    @extend_schema(
        operation_id="make_test_key",
        request=shapes.TestKeyIn,
        responses={201: shapes.TestKeyOut},
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """A test key, made with a live key that has the scope `sandbox`; of the same store, if that is of one."""
        given = api.body(request, shapes.TestKeyIn)
        if self.system.sandbox is not None:
            raise keys.LiveKeysOnly
        issued = keys.issue(
            seller=self.system.seller,
            name=given["name"],
            scopes=given.get("scopes", list(ApiKey.Scope.values)),
            store=self.system.store,
            actor=self.system.actor,
            at=timezone.now(),
            test=True,
        )
        made = issued.key
        shown = {"prefix": made.prefix, "name": made.name, "scopes": made.scopes, "secret": issued.secret}
        return Response(shown, status=status.HTTP_201_CREATED)
