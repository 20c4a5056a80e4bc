"""What a driver opens about money: earnings, statements, the account to take along, the bank, disputes; and where
operations answer disputes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from drivers import costing, disputing, pay_files, payouts, statements, taxforms, taxpaying, verify_pay
from drivers.access import driver_required
from drivers.models import Dispute, Driver, DriverPosting
from offers import evidence, limits, pay_notices, paydays, reckoning, terms, timeline
from offers.drive_forms import AnswerForm, BankForm, DisputeForm, StripeForm
from retaildelivery.accounts.permissions import operations_required
from retaildelivery.lib.refusals import Refused
from stores.models import Contest

CONFLICT, UNPROCESSABLE = 409, 422


@driver_required
@require_GET
def account(request: HttpRequest, driver: Driver) -> JsonResponse:
    """The whole account, for the checking script and the driver's own records."""
    answer = JsonResponse(
        terms.account_of(driver, at=timezone.now()), json_dumps_params={"ensure_ascii": False}
    )
    answer["Content-Disposition"] = f'attachment; filename="account-{driver.code}.json"'
    answer["Cache-Control"] = "no-store"
    return answer


@driver_required
@require_GET
def script(request: HttpRequest, driver: Driver) -> FileResponse:
    return FileResponse(
        Path(verify_pay.__file__).open("rb"),
        as_attachment=True,
        filename="verify_pay.py",
        content_type="text/x-python",
    )


@driver_required
@require_GET
def statement_list(request: HttpRequest, driver: Driver) -> HttpResponse:
    zone = paydays.zone_of(driver.market_code)
    year = timezone.now().astimezone(zone).year
    context = {
        "driver": driver,
        "statements": driver.statements.order_by("-starts_at")[: limits.STATEMENTS_SHOWN],
        "zone": zone,
        "year": year,
        "year_cents": statements.year_total(driver, year, zone),
        "years": [(each, taxforms.of_driver(driver, each)) for each in (year, year - 1)],
        "notes": pay_files.counted(),
        "w9": taxpaying.current(driver),
    }
    return render(request, "offers/driver_statements.html", context)


@driver_required
@require_GET
def statement(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    found = get_object_or_404(driver.statements, code=code)
    lines = list(statements.lines_of(found))
    context = {
        "driver": driver,
        "together": reckoning.between(costing.of(driver), start=found.starts_at, end=found.ends_at),
        "statement": found,
        "lines": lines,
        "sums": statements.sums(lines),
        "zone": paydays.zone_of(found.market_code),
    }
    return render(request, "offers/driver_statement.html", context)


@driver_required
@require_GET
def statement_file(request: HttpRequest, driver: Driver, code: str, form: str) -> HttpResponse:
    """The statement as PDF, CSV or JSON."""
    found = get_object_or_404(driver.statements.select_related("driver__user"), code=code)
    answer: HttpResponse
    if form == "pdf":
        zone = paydays.zone_of(found.market_code)
        answer = HttpResponse(pay_files.statement_pdf(found, zone), content_type="application/pdf")
    elif form == "csv":
        answer = HttpResponse(pay_files.statement_csv(found), content_type="text/csv; charset=utf-8")
    elif form == "json":
        answer = JsonResponse(pay_files.statement_json(found))
    else:
        raise Http404
    answer["Content-Disposition"] = f'attachment; filename="{found.code}.{form}"'
    return answer


@driver_required
@require_GET
def year_file(request: HttpRequest, driver: Driver, year: int) -> HttpResponse:
    """The driver's copy of what Form 1099-NEC says."""
    if not taxforms.is_year(year):
        raise Http404
    answer = HttpResponse(pay_files.year_pdf(driver, year), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{driver.code}-{year}.pdf"'
    return answer


@driver_required
@require_GET
def changes(request: HttpRequest, driver: Driver) -> HttpResponse:
    """What the market pays from a day on, and what it would have made of the driver's own blocks."""
    found = pay_notices.changes(driver, at=timezone.now())
    return render(request, "offers/driver_pay_changes.html", {"driver": driver, "changes": found})


@driver_required
@require_http_methods(["GET", "POST"])
def bank(request: HttpRequest, driver: Driver) -> HttpResponse:
    """Where the money goes. Numbers are never shown again, only their last four digits."""
    kind = StripeForm if payouts.by_stripe() else BankForm
    form = kind(request.POST if request.method == "POST" else None)
    current = driver.payout_accounts.filter(replaced_at=None).first()
    context: dict[str, Any] = {"driver": driver, "form": form, "current": current}
    if request.method == "GET":
        return render(request, "offers/driver_bank.html", context)
    if not form.is_valid():
        return render(request, "offers/driver_bank.html", context, status=UNPROCESSABLE)
    try:
        given = {"kind": "stripe", "routing": "", **form.cleaned_data}
        payouts.use_account(driver=driver, at=timezone.now(), **given)
    except Refused as refusal:
        context["refusal"] = refusal
        return render(request, "offers/driver_bank.html", context, status=UNPROCESSABLE)
    messages.success(request, _("Saved. The next payout goes to this account."))
    return redirect("offers:driver_earnings")


@driver_required
@require_http_methods(["GET", "POST"])
def dispute_line(request: HttpRequest, driver: Driver, sequence: int) -> HttpResponse:
    """Object to one line. What the system knows is put with it."""
    line = get_object_or_404(DriverPosting.objects.filter(driver=driver), sequence=sequence)
    form = DisputeForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {
        "driver": driver,
        "line": line,
        "form": form,
        "disputes": list(line.disputes.select_related("decided_by", "adjustment").order_by("-pk")),
        "zone": paydays.zone_of(driver.market_code),
    }
    context["known"] = _known(context["disputes"][0]) if context["disputes"] else None
    context["is_open"] = any(each.decided_at is None for each in context["disputes"])
    if request.method == "GET":
        return render(request, "offers/driver_dispute.html", context)
    if not form.is_valid():
        return render(request, "offers/driver_dispute.html", context, status=UNPROCESSABLE)
    try:
        disputing.open_dispute(
            driver=driver,
            posting=line,
            evidence=evidence.of_subject(driver, line.subject),
            at=timezone.now(),
            **form.cleaned_data,
        )
    except Refused as refusal:
        return render(request, "offers/driver_dispute.html", context | {"refusal": refusal}, status=CONFLICT)
    messages.success(request, _("Opened. A person answers within 72 hours, with reasons."))
    return redirect("offers:driver_dispute", sequence)


def _block_of(line: DriverPosting) -> str:
    """Code of the block a line is of, or nothing."""
    noun, _colon, code = line.subject.partition(":")
    return code if noun == "block" else ""


def _known(dispute: Dispute) -> dict[str, Any]:
    """What was put with the dispute, in words; both sides see the same."""
    known = evidence.read(dispute.evidence)
    for fact in known.get("facts", []):
        fact["sentence"] = timeline.sentence_of(fact["name"])
    return known


@driver_required
@require_POST
def withdraw(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    """Take a dispute back."""
    found = get_object_or_404(Dispute.objects.filter(driver=driver).select_related("posting"), code=code)
    try:
        disputing.withdraw(code=code, driver=driver, at=timezone.now())
        messages.success(request, _("Taken back. You can object again."))
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("offers:driver_dispute", found.posting.sequence)


@operations_required
@require_GET
def disputes(request: HttpRequest) -> HttpResponse:
    """What drivers dispute and what stores contest, the one due first on top."""
    rows = Dispute.objects.undecided().select_related("driver__user", "posting").order_by("due_at", "pk")
    contests = Contest.objects.undecided().select_related("posting__seller", "posting__store")  # type: ignore[attr-defined]
    context = {
        "disputes": rows[: limits.BOARD_ROWS],
        "contests": contests.order_by("due_at", "pk")[: limits.BOARD_ROWS],
        "at": timezone.now(),
    }
    return render(request, "offers/ops_disputes.html", context)


@operations_required
@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, code: str) -> HttpResponse:
    """One dispute with its evidence, and the decision by whoever is signed in."""
    rows = Dispute.objects.select_related("driver__user", "posting", "decided_by")
    found = get_object_or_404(rows, code=code)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {
        "dispute": found,
        "form": form,
        "known": _known(found),
        "block_code": _block_of(found.posting),
        "lines": DriverPosting.objects.filter(driver=found.driver, subject=found.posting.subject).order_by(
            "sequence"
        ),
        "zone": paydays.zone_of(found.driver.market_code),
    }
    if request.method == "GET":
        return render(request, "offers/ops_dispute.html", context)
    if not form.is_valid():
        return render(request, "offers/ops_dispute.html", context, status=UNPROCESSABLE)
    given = form.cleaned_data
    try:
        if given["verdict"] == "grant":
            disputing.grant(
                code=code, cents=form.cents, reasons=given["reasons"], by=request.user, at=timezone.now()
            )
        elif given["verdict"] == "refuse":
            disputing.refuse(code=code, reasons=given["reasons"], by=request.user, at=timezone.now())
        else:
            raise Http404
    except Refused as refusal:
        return render(request, "offers/ops_dispute.html", context | {"refusal": refusal}, status=CONFLICT)
    messages.success(request, _("Decided. The driver reads your reasons."))
    return redirect("offers:ops_disputes")
