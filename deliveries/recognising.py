"""Recognise a seller's system that posts one order after another: its key, the store and the market's terms are not
read again for each.

What was read is true for as long as its rows are as they were. So the statement that writes an order looks whether they
still are, by the transaction that wrote each (`xmin`: https://www.postgresql.org/docs/current/ddl-system-columns.html),
and writes nothing if not. A revoked key, a paused store and a new row of terms count from their commit on, whichever
process knows of them, and nobody who changes such a row has to think of this.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections import OrderedDict
from dataclasses import dataclass

from django.db import connection, transaction

from deliveries import charging, limits
from deliveries.fees import FeeTerms
from deliveries.models import FeePolicy
from retaildelivery.outbox.recording import Condition
from retaildelivery.prepared import call_of
from stores import keys
from stores.models import ApiKey, Store

# Every row that says who may post an order, from which store, and for how much; the terms as `charging.policy_for`.
_ROWS = """
FROM stores_apikey key
JOIN stores_seller seller ON seller.id = key.seller_id
JOIN stores_store store ON store.seller_id = seller.id
JOIN stores_mall mall ON mall.id = store.mall_id
JOIN stores_market market ON market.id = mall.market_id
"""
_AS_THEY_ARE = """
concat_ws(' ', key.xmin, seller.xmin, store.xmin, mall.xmin, market.xmin, (
    SELECT concat_ws(' ', terms.id, terms.xmin) FROM deliveries_feepolicy terms
    WHERE terms.market_id = market.id AND terms.valid_from <= %s::date
      AND (terms.valid_to IS NULL OR terms.valid_to > %s::date)
    ORDER BY terms.valid_from DESC, terms.id DESC LIMIT 1
))
"""
_VERSION = f"SELECT {_AS_THEY_ARE} {_ROWS} WHERE key.digest = %s AND store.id = %s::bigint"
_STORE_IF_SAME = (
    f"SELECT store.id {_ROWS} WHERE key.digest = %s AND store.id = %s::bigint AND {_AS_THEY_ARE} = %s"
)


@dataclass(frozen=True, slots=True)
class Regular:
    """A system that posted from a store lately, as it was when its rows had these versions; `policy` and the
    terms in it are those of `day` in the market."""

    key: ApiKey
    store: Store
    policy: FeePolicy | None
    terms: FeeTerms | None
    day: dt.date
    version: str

    @property
    def is_as_it_was(self) -> Condition:
        """What has to hold while an order of it is written; gives the key of the store."""
        return Condition(
            _STORE_IF_SAME, [self.key.digest, self.store.pk, *(2 * [self.day.isoformat()]), self.version]
        )


# By the digest of the secret: of each store it posted from, what was read; or of who came once, the moment of that.
_regulars: OrderedDict[str, dict[str, Regular | float]] = OrderedDict()


def recognise(secret: str, *, at: dt.datetime) -> dict[str, Regular]:
    """Whose key this is, when it was good a moment ago, by the codes of the stores that it posts from. Nothing of who
    is not known, whose key ends or is to be looked at for a reason of its own, and inside a transaction, which may see
    what others do not."""
    found = _regulars.get(keys.digest(secret))
    if found is None or not transaction.get_autocommit():
        return {}
    # Another thread may add to it.
    known = {code: each for code, each in tuple(found.items()) if isinstance(each, Regular)}
    return {code: each for code, each in known.items() if _is_good(each, at)}


def _is_good(regular: Regular, at: dt.datetime) -> bool:
    key = regular.key
    ended = key.expires_at is not None and key.expires_at <= at
    today = regular.store.mall.market.day(at)
    return not ended and not keys.is_use_to_be_noted(key, at=at) and regular.day == today


def remember(secret: str, store: Store, *, at: dt.datetime) -> None:
    """An order of the live world was posted from the store by this key. Who comes twice within
    `limits.REGULAR_WITHIN` is read once more, after the versions: a row that is changed in between has another."""
    digest, now = keys.digest(secret), time.monotonic()
    stores = _regulars.setdefault(digest, {})
    before = stores.get(store.code)
    often = before is not None and (
        isinstance(before, Regular) or now - before < limits.REGULAR_WITHIN.total_seconds()
    )
    read = _read(secret, store, at=at) if often and transaction.get_autocommit() else None
    stores[store.code] = read or now
    while len(_regulars) > limits.REGULARS_KNOWN:
        with contextlib.suppress(KeyError):
            _regulars.popitem(last=False)


def forget(regular: Regular) -> None:
    """Something is no longer as it was: they are read anew when they post again."""
    _regulars.get(regular.key.digest, {})[regular.store.code] = time.monotonic()


def _read(secret: str, store: Store, *, at: dt.datetime) -> Regular | None:
    day = store.mall.market.day(at)
    with connection.cursor() as cursor:
        cursor.execute(call_of(_VERSION), [day, day, keys.digest(secret), store.pk])
        version = cursor.fetchone()
    key = keys.find(secret, at=at)
    if version is None or key is None:
        return None
    again = Store.objects.select_related("seller", "mall__market").get(pk=store.pk)
    policy = charging.policy_for(again, at=at)
    terms = None if policy is None else charging.terms(policy)
    return Regular(key, again, policy, terms, day, version[0])
