"""Facts, what follows from them, and messages: to look at; a stuck one can be sent again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import RangeDateTimeFilter

from retaildelivery.outbox import worlds
from retaildelivery.outbox.models import Fact, Message, Reaction
from retaildelivery.web.admin import HistoryAdmin, HistoryInline


class ReactionInline(HistoryInline):
    model = Reaction
    fields = ("key", "attempts", "done_at", "next_attempt_at", "last_error")
    readonly_fields = fields


@admin.register(Fact)
class FactAdmin(HistoryAdmin):
    list_display = ("at", "name", "about", "actor_kind", "actor", "source", "code")
    list_filter = (("at", RangeDateTimeFilter), "actor_kind", "name")
    list_filter_submit = True
    search_fields = ("code", "subjects__contains", "actor")
    show_full_result_count = False
    ordering = ("-at", "-id")
    inlines = (ReactionInline,)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Fact], search_term: str
    ) -> tuple[QuerySet[Fact], bool]:
        """A code such as `order:K7QX4M2P`, an event code, a fact's name or an actor."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if ":" in term:
            return queryset.filter(subjects__contains=[term]), False
        found = (
            queryset.filter(code=term) | queryset.filter(name=term) | queryset.filter(actor__icontains=term)
        )
        return found, False

    @admin.display(description=_("about"))
    def about(self, fact: Fact) -> str:
        return ", ".join(fact.subjects)


class UndoneFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, object]]:
        return [("todo", _("to do")), ("failing", _("failing")), ("done", _("done"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Reaction]) -> QuerySet[Reaction]:
        states = {
            "todo": queryset.filter(done_at=None),
            "failing": queryset.filter(done_at=None, attempts__gt=0),
            "done": queryset.exclude(done_at=None),
        }
        return states.get(self.value() or "", queryset)


@admin.register(Reaction)
class ReactionAdmin(HistoryAdmin):
    list_display = ("key", "fact", "attempts", "done_at", "next_attempt_at", "last_line")
    list_filter = (UndoneFilter, "key")
    list_select_related = ("fact",)
    show_full_result_count = False
    ordering = ("-id",)
    actions = ("try_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reaction]:
        found: QuerySet[Reaction] = super().get_queryset(request).filter(fact__world=worlds.LIVE)
        return found

    @admin.display(description=_("last error"))
    def last_line(self, reaction: Reaction) -> str:
        lines = reaction.last_error.strip().splitlines()
        return lines[-1][:120] if lines else ""

    @admin.action(description=_("Try again now"), permissions=["view"])
    def try_now(self, request: HttpRequest, queryset: QuerySet[Reaction]) -> None:
        count = queryset.filter(done_at=None).update(next_attempt_at=timezone.now())
        self.message_user(
            request,
            ngettext("%d will be tried within seconds.", "%d will be tried within seconds.", count) % count,
        )


@admin.register(Message)
class MessageAdmin(HistoryAdmin):
    list_display = ("created_at", "name", "to", "subject", "sent_at", "given_up_at", "attempts")
    list_filter = ("kind", "name", ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("to", "subject", "about", "code")
    show_full_result_count = False
    ordering = ("-id",)
    actions = ("send_again",)

    @admin.action(description=_("Send again those that failed"), permissions=["view"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        count = queryset.filter(sent_at=None).update(
            given_up_at=None, next_attempt_at=timezone.now(), attempts=0
        )
        self.message_user(request, ngettext("%d will be sent.", "%d will be sent.", count) % count)
