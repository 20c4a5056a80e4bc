"""Lines of pay in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from offers import pricing
from offers.pricing import told


def sentence(line: pricing.PayLine, currency: str = "USD", *, store: str = "") -> str:
    """The line in words, in the language in force, with its amounts written as money; `store` is the name of the store
    that the line knows by its code."""
    params: dict[str, str] = dict(line.params)
    if store:
        params["store"] = store
    for name in told.MONEY_PARAMS & params.keys():
        params[name] = told.money_text(params[name], currency)
    return str(_(line.template) % params)
