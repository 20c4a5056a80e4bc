"""Labels: a page a parcel, whatever the name."""

import re

import pytest

from deliveries import labels
from deliveries.models import Parcel

pytestmark = pytest.mark.django_db


def parcels_of(order):
    return list(
        Parcel.objects.filter(order=order).select_related("order__store__mall__market").order_by("number")
    )


def test_a_pdf_has_a_page_of_four_by_six_inches_for_each_parcel(afternoon):
    order = afternoon.place(requires_pin=True, declared_value_cents=18_900)

    pdf = labels.labels_pdf(parcels_of(order))

    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 2
    assert pdf.count(b"/MediaBox [ 0 0 288 432 ]") == 2


@pytest.mark.parametrize("name", ["محمد الأمين", "李小龍", "Rosa 🌹", "W" * 120, "", "<b>&amp;</b>", "((("])
def test_any_name_can_be_printed(afternoon, name):
    order = afternoon.place()
    order.recipient_name = order.instructions = name
    parcels = parcels_of(order)
    for parcel in parcels:
        parcel.order.recipient_name = parcel.order.instructions = name

    assert labels.labels_pdf(parcels).startswith(b"%PDF-")
    assert labels.labels_zpl(parcels).count("^XA") == 2


def test_what_the_font_lacks_is_a_box():
    assert labels.printable("Zoë 李") == "Zoë □"


def test_zpl_carries_code_128_and_qr_of_each_parcel(afternoon):
    order = afternoon.place()

    zpl = labels.labels_zpl(parcels_of(order))

    for parcel in order.parcels.all():
        assert f"^BCN,160,Y,N,N^FD{parcel.code}^FS" in zpl
        assert f"^BQN,2,7^FDMA,{parcel.code}^FS" in zpl
    assert "^FD1/2^FS" in zpl


def test_a_name_cannot_command_the_printer(afternoon):
    order = afternoon.place(recipient_name="Rosa^XZ^XA~JR")

    zpl = labels.labels_zpl(parcels_of(order))

    assert "Rosa_5EXZ_5EXA_7EJR" in zpl
    assert "~JR" not in zpl


def test_the_door_s_wishes_are_on_the_label_and_the_pin_is_not(afternoon):
    order = afternoon.place(requires_pin=True, minimum_age=21)

    zpl = labels.labels_zpl(parcels_of(order))

    assert "PIN · ID 21+ · PHOTO" in zpl
    assert order.pin not in re.sub(r"\^(FO|A0N)[0-9,]*|\^BY.*|\^P.*", "", zpl).replace(order.code, "")
