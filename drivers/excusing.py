"""What a store, a recipient, the weather or the platform caused never counts: a person of operations says so, for one
event or, after a storm, for all of its hours at once."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drivers import facts, freshness, locks, notifying
from drivers.models import StandingEvent
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor

CAUSES = (
    StandingEvent.Fault.STORE,
    StandingEvent.Fault.RECIPIENT,
    StandingEvent.Fault.WEATHER,
    StandingEvent.Fault.PLATFORM,
)


class NothingToExcuse(Refused):
    code = "nothing_to_excuse"
    sentence = gettext_lazy("This event does not count against the driver, or an appeal against it is open.")


@transaction.atomic(durable=True)
def excuse(*, event: StandingEvent, fault: str, reason: str, by: User, at: dt.datetime) -> StandingEvent:
    """The event was not the driver's fault but this one's: it stays in their standing and counts nothing. The driver is
    told who says so and why; what it had counted stays in the facts.

    Raises NothingToExcuse.
    """
    assert fault in CAUSES, "Whoever else is at fault."
    driver = locks.driver(event.driver_id)
    found = StandingEvent.objects.get(pk=event.pk)
    if found.points >= 0 or found.set_aside_at is not None or found.disputed_at is not None:
        raise NothingToExcuse
    counted, found.points, found.fault = found.points, 0, fault
    found.save(update_fields=["points", "fault"])
    freshness.touch(driver.pk)
    found.driver = driver
    actor = Actor(kind=Fact.Actor.OPERATIONS, name=by.email)
    recording.record(facts.event_excused(found, counted=counted, reason=reason, at=at, actor=actor))
    with translation.override(driver.user.locale):
        notifying.notify(
            driver=driver,
            key=f"standing:{found.key}:excused",
            name="standing_excused",
            brief=_("It does not count any more."),
            path="/drive/standing/",
            subject=_("Not your fault: %(event)s") % {"event": found.sentence},
            text=_(
                "%(event)s\n\nIt was not your fault and does not count any more. %(name)s says:\n\n%(reason)s\n"
            )
            % {"event": found.sentence, "name": by.name or by.email, "reason": reason},
            about=f"driver:{driver.code}",
            at=at,
        )
    return found
