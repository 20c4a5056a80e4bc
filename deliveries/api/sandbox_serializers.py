"""What the API of a sandbox reads and writes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from deliveries import limits
from deliveries.models import Attempt, RobotStep
from deliveries.sandbox.couriers import Courier
from deliveries.sandbox.steps import STEPS
from retaildelivery.web.fields import Choice, Flag, Input, Moment, Output, Text, WholeNumber
from stores.models import ApiKey

STEP_CHOICES = list(STEPS.items())


class StepIn(Input):
    step = Choice(choices=STEP_CHOICES)
    reason = Choice(
        choices=Attempt.Reason.choices, required=False, help_text="For `fail`; unless said `nobody_home`."
    )


class ScriptStepIn(StepIn):
    after_seconds = WholeNumber(
        min_value=0,
        max_value=limits.SCRIPT_SECONDS,
        help_text="After the order was posted, by the sandbox's clock.",
    )


class RehearsalIn(Input):
    """What a robot courier does with the order, when the clock comes to it; with neither you take each step."""

    courier = Choice(
        choices=Courier.choices,
        required=False,
        help_text="`normal`, `fast` (a step every 30 seconds), `late`, `no_show`, `cannot_deliver`, `wrong_barcode`.",
    )
    script = ScriptStepIn(
        many=True,
        required=False,
        max_length=limits.SCRIPT_STEPS,
        help_text="Steps at times of your own, beside the courier's. One that is not possible then is skipped.",
    )


def instructions_of(given: dict[str, Any]) -> dict[str, Any]:
    """A RehearsalIn as `playing.instruct` takes it."""
    script = [(row["step"], row["after_seconds"], row.get("reason", "")) for row in given.get("script", [])]
    return {"courier": given.get("courier", ""), "script": script}


class ClockIn(Input):
    """One of the three."""

    conditions: ClassVar[dict[str, Any]] = {"minProperties": 1, "maxProperties": 1}

    at = Moment(required=False, help_text="Stop the clock at this time.")
    advance_seconds = WholeNumber(
        min_value=0,
        max_value=limits.SCRIPT_SECONDS,
        required=False,
        help_text="Stop it so much later than now.",
    )
    run = Flag(
        required=False, help_text="`true`: let it run on from where it stands.", described={"const": True}
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1 or attrs.get("run") is False:
            raise ValidationError({"at": [_("Say one of at, advance_seconds and run: true.")]}, code="one_of")
        return attrs


class ClockOut(Output):
    at = serializers.DateTimeField(help_text="What it says now.")
    running = serializers.BooleanField(help_text="Whether it runs, as fast as the real one, or stands.")
    seed = serializers.CharField(allow_blank=True)
    arrived = serializers.BooleanField(
        help_text="False when there was more to do on the way than one request does: move it again."
    )


class ResetIn(Input):
    seed = Text(
        max_length=64, required=False, allow_blank=True, default="", help_text="Codes follow from it."
    )
    at = Moment(
        required=False, help_text="Where the clock stands then. Unless said it runs by the real time."
    )


class PossibleStep(Output):
    step = serializers.ChoiceField(choices=STEP_CHOICES)
    sentence = serializers.CharField()


class ScriptedStep(Output):
    step = serializers.ChoiceField(choices=STEP_CHOICES)
    reason = serializers.CharField(allow_null=True)
    due_at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(choices=RobotStep.Outcome.choices)


class StepsOut(Output):
    order = serializers.CharField()
    status = serializers.CharField()
    at = serializers.DateTimeField(help_text="By the sandbox's clock.")
    steps = PossibleStep(many=True, help_text="What is possible now.")
    script = ScriptedStep(many=True, help_text="What the robot does by itself.")


class SandboxMessage(Output):
    id = serializers.CharField()
    name = serializers.CharField(help_text="order_assigned, order_delivered, …")
    channel = serializers.CharField(help_text="email")
    to = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField()
    about = serializers.CharField(help_text="Such as order:K7QX4M2P.")
    at = serializers.DateTimeField()


class SandboxMessagePage(Output):
    results = SandboxMessage(many=True)
    next = serializers.CharField(allow_null=True)


class TestKeyIn(Input):
    name = Text(max_length=80, help_text="What uses it.")
    scopes = serializers.ListField(
        child=Choice(choices=ApiKey.Scope.choices),
        min_length=1,
        required=False,
        help_text="Unless said: all.",
    )


class TestKeyOut(Output):
    prefix = serializers.CharField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    secret = serializers.CharField(help_text="Shown this once.")
