"""Operations: the board of everything live, and one block whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from deliveries.models import Stop
from offers import board, freezing, limits, scenes, timeline, withdrawing
from offers.forms import WithdrawForm
from offers.models import Block
from offers.planning import waves
from offers.views import reliefs
from retaildelivery.accounts.permissions import operations_required
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from retaildelivery.web import polling
from stores.models import Mall, Market, SellerPosting


def market_of(request: HttpRequest, markets: Sequence[Market] | None = None) -> Market | None:
    """The market that operations look at; remembered, so that every page keeps to it. At first the busiest. It is
    looked for among `markets` where a page has them at hand."""
    wanted = request.GET.get("market")
    if wanted is not None:
        request.session["market"] = wanted
    if "market" not in request.session:
        request.session["market"] = board.busiest_market()
    code = request.session["market"]
    if markets is not None:
        return next((market for market in markets if market.code == code), None)
    return Market.objects.filter(code=code).first() if code else None


@operations_required
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """The board. Polled; unchanged content costs no bytes."""
    markets, now = list(Market.objects.order_by("name")), timezone.now()
    market = market_of(request, markets)
    offers, numbers = board.unclaimed(market, at=now), board.numbers(market, at=now)
    work, waiting = board.at_work(market), board.waiting(market)
    context = {
        "market": market,
        "markets": markets,
        "numbers": numbers,
        "offers": offers,
        "work": [(item, item.is_late(now)) for item in work],
        "risks": board.at_risk(market, at=now),
        "map": scenes.board(board.malls(market), work, waiting),
        "plannable": board.malls_of(waiting),
        "at": now,
        **board.needing_a_person(market, offers, numbers, at=now),
    }
    page = "offers/board.html#live" if request.htmx else "offers/board.html"
    return polling.answer(request, render(request, page, context))


@operations_required
@require_GET
def blocks(request: HttpRequest) -> HttpResponse:
    market = market_of(request)
    rows = board.blocks(market)
    status = request.GET.get("status", "")
    if status in Block.Status.values:
        rows = rows.filter(status=status)
    page = Paginator(rows, limits.BOARD_ROWS).get_page(request.GET.get("page"))
    context = {
        "page": page, "market": market, "markets": Market.objects.order_by("name"), "status": status,
        "statuses": Block.Status.choices,
    }  # fmt: skip
    return render(request, "offers/ops_blocks.html", context)


@operations_required
@require_GET
def block(request: HttpRequest, code: str) -> HttpResponse:
    return block_page(request, code, WithdrawForm())


def block_page(
    request: HttpRequest,
    code: str,
    form: WithdrawForm,
    *,
    refusal: Refused | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    found = get_object_or_404(Block.objects.select_related("mall__market", "manifest", "policy"), code=code)
    rows = Stop.objects.filter(manifest=found.manifest_id) if found.manifest_id else Stop.objects.none()
    stops = list(rows.select_related("store").order_by("position", "id"))
    facts = Fact.objects.about(f"block:{found.code}").oldest_first()[: limits.BOARD_ROWS * 2]  # type: ignore[attr-defined]
    context = {
        "held": found,
        "zone": found.mall.zone,
        "stops": stops,
        "map": scenes.block(found, stops),
        "claims": found.claims.select_related("driver__user", "vehicle").order_by("-claimed_at"),
        "offers": found.offers.select_related("draw", "reserved_for__user")
        .prefetch_related("awards__driver__user")
        .annotate(entered=Count("draw__entries", filter=Q(draw__entries__withdrawn_at=None)))
        .order_by("opens_at", "pk"),
        "happened": [
            (timeline.sentence_of(fact.name), timeline.reason_of(fact.data), fact) for fact in facts
        ],
        "waits": SellerPosting.objects.filter(subject=f"block:{found.code}", kind="wait", store__isnull=False)
        .select_related("seller", "store")
        .order_by("pk"),
        "ended_reason": timeline.reason_of({"reason": found.ended_reason}),
        "freeze": freezing.live(found),
        "may_withdraw": found.status in withdrawing.ENDED_BEFORE_WORK,
        "form": form,
        "refusal": refusal,
        **reliefs.for_operations(found, stops),
        **more,
    }
    return render(request, "offers/ops_block.html", context, status=status)


@operations_required
@require_POST
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    get_object_or_404(Block, code=code)
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        return block_page(request, code, form, status=422)
    actor = Actor(kind=Fact.Actor.OPERATIONS, name=str(request.user), source="ops page")
    try:
        withdrawing.withdraw(
            block_code=code, reason=form.cleaned_data["reason"], actor=actor, at=timezone.now()
        )
    except Refused as refusal:
        return block_page(request, code, form, refusal=refusal, status=409)
    messages.success(
        request, _("Block %(code)s is withdrawn; its orders are planned again.") % {"code": code}
    )
    return redirect("offers:ops_block", code=code)


@operations_required
@require_POST
def plan_now(request: HttpRequest) -> HttpResponse:
    """Plan what waits at a mall without waiting for company. The wave runs in a worker; the board shows it."""
    mall = get_object_or_404(Mall, code=request.POST.get("mall", ""))
    if waves.send_now(mall.code):
        messages.success(request, _("%(mall)s is being planned.") % {"mall": mall.name})
    else:
        messages.error(request, _("No worker can be reached. Orders are planned as soon as one is back."))
    return redirect("offers:board")
