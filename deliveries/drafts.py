"""An order before it is one, and everything that can be wrong with it. The form and the API ask the same `check`."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deliveries import limits
from deliveries.models import Order, Parcel
from retaildelivery.lib import barcodes
from retaildelivery.lib.geo import Point, within
from retaildelivery.lib.refusals import Refused
from stores.models import Mall, Store

COUNTRY = "US"
ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?")
# https://pe.usps.com/text/pub28/28apb.htm
REGIONS = frozenset(
    {
        "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS",
        "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC",
        "ND", "OH", "OK", "OR", "PA", "PR", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI",
        "WY",
    }
)  # fmt: skip
# Characters that turn the direction of what follows: in a name they can make an address read as another one.
UNPRINTABLE = re.compile(
    "[\0-\t\x0b-\x1f\x7f-\x9f"  # control characters (Cc)
    "\ud800-\udfff"  # surrogates (Cs)
    "\u202a-\u202e\u2066-\u2069"  # what turns the direction
    "\ufffe\uffff]"  # no characters at all
)
AGES = (18, 21)
PIN = re.compile(r"[0-9]{4}")
# Taken out of their classes, which go through their members each time.
SIZES, PIN_KINDS = frozenset(Parcel.Size.values), frozenset(Order.PinKind.values)
UNDELIVERABLE = frozenset(Order.Undeliverable.values)
LANGUAGES = frozenset(code for code, _name in settings.LANGUAGES)
READY_PAST = dt.timedelta(days=1)  # packed this morning is fine; packed in another year is a slip


@dataclass(frozen=True, slots=True)
class AddressDraft:
    """A door. `point` is None when nobody knows yet where it is; `located_by` says who told it."""

    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str = COUNTRY
    point: Point | None = None
    located_by: str = "given"


@dataclass(frozen=True, slots=True)
class ParcelDraft:
    """One piece. `litres` None means what its size class takes up."""

    size: str
    grams: int
    litres: int | None = None
    description: str = ""
    barcodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """One line of what the customer bought: for the label, the claim and the customer, not for custody."""

    name: str
    quantity: int = 1
    grams: int | None = None
    length_cm: int | None = None
    width_cm: int | None = None
    height_cm: int | None = None
    price_cents: int | None = None
    barcode: str = ""


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What a store or a seller's system says of an order. `ready_at` None means the store's usual time from now."""

    external_id: str
    ready_at: dt.datetime | None
    window_start: dt.datetime | None
    window_end: dt.datetime | None
    recipient_name: str
    recipient_phone: str
    recipient_email: str
    recipient_locale: str
    address: AddressDraft
    instructions: str
    parcels: tuple[ParcelDraft, ...]
    requires_photo: bool = True
    requires_signature: bool = False
    requires_pin: bool = False
    pin_kind: str = Order.PinKind.RANDOM
    own_pin: str = ""
    minimum_age: int | None = None
    requires_barcodes: bool = False
    pickup_photo: bool = False
    pickup_signature: bool = False
    return_photo: bool = False
    return_signature: bool = False
    undeliverable: str = Order.Undeliverable.RETURN
    declared_value_cents: int = 0
    tip_cents: int = 0
    items: tuple[ItemDraft, ...] = ()
    # What a client of another service said that has no place of its own here: see `deliveries.dialects`.
    aside: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, by its path in the API: ``recipient.phone``, ``parcels[0].grams``."""

    field: str
    code: str
    message: str


class DraftInvalid(Refused):
    """One or several fields are wrong; `errors` names each."""

    code: ClassVar[str] = "validation_error"
    sentence: ClassVar[object] = gettext_lazy("Some of this is not right.")

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(reason=errors[0].code)
        self.errors = errors

    @property
    def message(self) -> str:
        return " ".join(error.message for error in self.errors)


def check(draft: OrderDraft, *, store: Store, at: dt.datetime) -> OrderDraft:
    """The draft as it will be kept: trimmed, phone as E.164, postal code and region in capitals.

    Raises DraftInvalid naming every field at fault.
    """
    return check_tidy(tidy(draft), store=store, at=at)


def check_tidy(draft: OrderDraft, *, store: Store, at: dt.datetime) -> OrderDraft:
    """`check` of a draft that is tidy."""
    errors = [
        *_store(store, at),
        *_texts(draft),
        *_recipient(draft),
        *address_errors(draft.address, store.mall),
        *_window(draft, at),
        *_parcels(draft.parcels),
        *_terms(draft),
        *_pin(draft),
        *_items(draft.items),
    ]
    if errors:
        raise DraftInvalid(errors)
    return draft


def check_under_way(draft: OrderDraft) -> OrderDraft:
    """`check` for an order under way, whose window and address stand. Raises DraftInvalid."""
    draft = tidy(draft)
    errors = [*_texts(draft), *_recipient(draft), *_parcels(draft.parcels)]
    if errors:
        raise DraftInvalid(errors)
    return draft


def tidy(draft: OrderDraft) -> OrderDraft:
    """Without the spaces around what was typed, and in the spelling that is kept."""
    return replace(
        draft,
        external_id=draft.external_id.strip(),
        recipient_name=" ".join(draft.recipient_name.split()),
        recipient_phone=e164(draft.recipient_phone) or draft.recipient_phone.strip(),
        recipient_email=draft.recipient_email.strip(),
        recipient_locale=draft.recipient_locale.strip() or "en",
        instructions=draft.instructions.replace("\r\n", "\n").strip(),
        address=tidy_address(draft.address),
        parcels=tuple(
            replace(
                p, description=" ".join(p.description.split()), barcodes=tuple(b.strip() for b in p.barcodes)
            )
            for p in draft.parcels
        ),
    )


def tidy_address(address: AddressDraft) -> AddressDraft:
    return replace(
        address,
        line1=" ".join(address.line1.split()),
        line2=" ".join(address.line2.split()),
        city=" ".join(address.city.split()),
        region=address.region.strip().upper(),
        postal_code=address.postal_code.strip(),
        country=address.country.strip().upper() or COUNTRY,
    )


@functools.lru_cache(maxsize=4_096)
def e164(phone: str) -> str | None:
    """The number as it is dialled from anywhere, or None. Asked several times of each order."""
    try:
        number = phonenumbers.parse(phone, COUNTRY)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_printable(text: str) -> bool:
    """No control characters but the line break, no lone surrogates, nothing that turns the direction of text."""
    return UNPRINTABLE.search(text) is None


def text_error(path: str, text: str, *, most: int, required: bool = False) -> FieldError | None:
    """What is wrong with a text, if anything. Emoji and any script are welcome."""
    if required and not text:
        return FieldError(path, "required", _("This is needed."))
    if len(text) > most:
        return FieldError(path, "too_long", _("At most %(most)d characters.") % {"most": most})
    if not is_printable(text):
        return FieldError(path, "unprintable", _("This holds characters that cannot be printed."))
    return None


def _store(store: Store, at: dt.datetime) -> Iterator[FieldError]:
    if not (store.active and store.seller.active and store.mall.active):
        yield FieldError("store", "store_inactive", _("This store does not take orders any more."))
    elif store.is_paused(at):
        yield FieldError("store", "store_paused", _("This store has paused its deliveries."))


def _texts(draft: OrderDraft) -> Iterator[FieldError]:
    for path, text, most, required in (
        ("external_id", draft.external_id, 80, False),
        ("recipient.name", draft.recipient_name, 120, True),
        ("instructions", draft.instructions, limits.INSTRUCTIONS_LENGTH, False),
    ):
        error = text_error(path, text, most=most, required=required)
        if error:
            yield error


def _recipient(draft: OrderDraft) -> Iterator[FieldError]:
    if not draft.recipient_phone:
        yield FieldError("recipient.phone", "required", _("This is needed."))
    elif e164(draft.recipient_phone) is None:
        yield FieldError("recipient.phone", "invalid", _("This is not a phone number that can be called."))
    if draft.recipient_email:
        try:
            validate_email(draft.recipient_email)
        except ValidationError:
            yield FieldError("recipient.email", "invalid", _("This is not an e-mail address."))
        else:
            if len(draft.recipient_email) > 254:
                yield FieldError("recipient.email", "too_long", _("This e-mail address is too long."))
    if draft.recipient_locale not in LANGUAGES:
        yield FieldError("recipient.locale", "invalid", _("We do not write in this language."))


def address_errors(address: AddressDraft, mall: Mall | None) -> Iterator[FieldError]:
    """Everything that is wrong with a (tidy) address, by its paths in the API below ``dropoff``."""
    for name, most, required in (("line1", 120, True), ("line2", 80, False), ("city", 80, True)):
        error = text_error(f"dropoff.{name}", getattr(address, name), most=most, required=required)
        if error:
            yield error
    yield from _region(address)
    yield from distance_errors(address, mall)


def _region(address: AddressDraft) -> Iterator[FieldError]:
    if address.country != COUNTRY:
        yield FieldError("dropoff.country", "invalid", _("We deliver in the United States only."))
    if address.region not in REGIONS:
        yield FieldError("dropoff.region", "invalid", _("This is not a state: two letters, such as NV."))
    if not ZIP.fullmatch(address.postal_code):
        yield FieldError("dropoff.postal_code", "invalid", _("This is not a ZIP code, such as 89109."))


def distance_errors(address: AddressDraft, mall: Mall | None) -> Iterator[FieldError]:
    """Whether the mall delivers that far."""
    if mall is None or address.point is None:
        return
    if not within(mall.point, mall.delivery_radius_m, address.point):
        yield FieldError(
            "dropoff",
            "not_serviceable",
            _("This door is farther from the mall than we deliver (%(km)d km).")
            % {"km": mall.delivery_radius_m // 1000},
        )


def _window(draft: OrderDraft, at: dt.datetime) -> Iterator[FieldError]:
    start, end, ready = draft.window_start, draft.window_end, draft.ready_at
    unclear = [
        *_moment("window.start", start, required=True),
        *_moment("window.end", end, required=True),
        *_moment("ready_at", ready, required=False),
    ]
    yield from unclear
    if unclear or start is None or end is None:
        return
    yield from _promise(start, end, at)
    if ready is not None:
        yield from _ready(ready, end, at)


def _moment(path: str, moment: dt.datetime | None, *, required: bool) -> Iterator[FieldError]:
    if moment is None:
        if required:
            yield FieldError(path, "required", _("This is needed."))
    elif moment.utcoffset() is None:
        yield FieldError(path, "no_time_zone", _("A time needs its offset from UTC."))


def _promise(start: dt.datetime, end: dt.datetime, at: dt.datetime) -> Iterator[FieldError]:
    if end <= start:
        yield FieldError("window.end", "reversed", _("The window ends before it starts."))
    elif end - start < limits.PROMISE_LEAST:
        yield FieldError("window.end", "too_short", _("A window is at least 30 minutes long."))
    elif end <= at:
        yield FieldError("window.end", "in_past", _("This window is over."))
    elif end - at < limits.PROMISE_LEAST:
        yield FieldError("window.end", "too_soon", _("Too little of this window is left."))
    if start > at + limits.PROMISE_AHEAD:
        yield FieldError("window.start", "too_far_ahead", _("A window starts within the next 7 days."))
    elif end - start > limits.PROMISE_MOST:
        yield FieldError("window.end", "too_long", _("A window is at most a day long."))


def _ready(ready: dt.datetime, end: dt.datetime, at: dt.datetime) -> Iterator[FieldError]:
    if ready < at - READY_PAST:
        yield FieldError("ready_at", "in_past", _("This was long ago."))
    elif ready > at + limits.READY_AHEAD:
        yield FieldError("ready_at", "too_far_ahead", _("Ready within the next 7 days."))
    elif ready >= end:
        yield FieldError("ready_at", "after_window", _("Ready only after the window has ended."))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _parcels(parcels: tuple[ParcelDraft, ...]) -> Iterator[FieldError]:
    if not parcels:
        yield FieldError("parcels", "required", _("An order has at least one parcel."))
    if len(parcels) > limits.PARCELS_PER_ORDER:
        yield FieldError(
            "parcels", "too_many", _("At most %(most)d parcels.") % {"most": limits.PARCELS_PER_ORDER}
        )
        return
    before: set[str] = set()
    for number, parcel in enumerate(parcels):
        yield from _parcel(f"parcels[{number}]", parcel)
        here = {barcodes.spelled(text) for text in parcel.barcodes}
        if here & before:
            yield FieldError(
                f"parcels[{number}].barcodes",
                "duplicate",
                _("Another parcel of this order has this barcode."),
            )
        before |= here


def _parcel(path: str, parcel: ParcelDraft) -> Iterator[FieldError]:
    if parcel.size not in SIZES:
        yield FieldError(f"{path}.size", "invalid", _("Small, medium, large or extra_large."))
    if not _whole(parcel.grams) or parcel.grams < 1:
        yield FieldError(f"{path}.grams", "too_small", _("A parcel weighs something."))
    elif parcel.grams > limits.PARCEL_GRAMS:
        yield FieldError(
            f"{path}.grams", "too_big", _("One person must be able to lift it: 30 kg (66 lb) at most.")
        )
    if parcel.litres is not None:
        if not _whole(parcel.litres) or parcel.litres < 1:
            yield FieldError(f"{path}.litres", "too_small", _("A parcel takes up some room."))
        elif parcel.litres > limits.PARCEL_LITRES:
            yield FieldError(f"{path}.litres", "too_big", _("It must fit in a car: 400 litres at most."))
    error = text_error(f"{path}.description", parcel.description, most=80)
    if error:
        yield error
    yield from _barcodes(f"{path}.barcodes", parcel.barcodes)


def _barcodes(path: str, given: tuple[str, ...]) -> Iterator[FieldError]:
    if len(given) > limits.BARCODES_PER_PARCEL:
        yield FieldError(
            path, "too_many", _("At most %(most)d barcodes.") % {"most": limits.BARCODES_PER_PARCEL}
        )
        return
    for number, text in enumerate(given):
        error = text_error(f"{path}[{number}]", text, most=limits.BARCODE_LENGTH, required=True)
        if error:
            yield error


def _pin(draft: OrderDraft) -> Iterator[FieldError]:
    if draft.pin_kind not in PIN_KINDS:
        yield FieldError("requirements.pin_kind", "invalid", _("Random, phone or own."))
    elif draft.requires_pin and draft.pin_kind == Order.PinKind.OWN and not PIN.fullmatch(draft.own_pin):
        yield FieldError("requirements.own_pin", "invalid", _("A PIN has four digits."))
    elif draft.own_pin and draft.pin_kind != Order.PinKind.OWN:
        yield FieldError("requirements.own_pin", "not_own", _("Only when the kind of PIN is your own."))


def _items(items: tuple[ItemDraft, ...]) -> Iterator[FieldError]:
    if len(items) > limits.ITEMS_PER_ORDER:
        most = {"most": limits.ITEMS_PER_ORDER}
        yield FieldError("items", "too_many", _("At most %(most)d items.") % most)
        return
    for number, item in enumerate(items):
        path = f"items[{number}]"
        for name, text, most_, required in (
            ("name", item.name, 120, True),
            ("barcode", item.barcode, 64, False),
        ):
            error = text_error(f"{path}.{name}", text, most=most_, required=required)
            if error:
                yield error
        if not _whole(item.quantity) or not 1 <= item.quantity <= limits.ITEM_QUANTITY:
            yield FieldError(f"{path}.quantity", "out_of_bounds", _("Between 1 and 1,000."))


def _terms(draft: OrderDraft) -> Iterator[FieldError]:
    if draft.minimum_age is not None and draft.minimum_age not in AGES:
        yield FieldError("requirements.minimum_age", "invalid", _("18 or 21, or none."))
    if draft.undeliverable not in UNDELIVERABLE:
        yield FieldError("undeliverable", "invalid", _("Return, leave or dispose."))
    elif draft.undeliverable == Order.Undeliverable.LEAVE and (
        draft.requires_pin or draft.requires_signature or draft.minimum_age
    ):
        yield FieldError(
            "undeliverable", "in_person_only", _("What needs a PIN, a signature or an ID cannot be left.")
        )
    for path, value, most in (
        ("declared_value_cents", draft.declared_value_cents, limits.ORDER_VALUE_CENTS),
        ("tip_cents", draft.tip_cents, limits.TIP_CENTS),
    ):
        if not _whole(value) or value < 0:
            yield FieldError(path, "too_small", _("An amount of money, zero or more."))
        elif value > most:
            yield FieldError(path, "too_big", _("At most $%(most)s.") % {"most": f"{most // 100:,}"})
