"""From a planned block to the stops of a manifest: counters in loading order, then doors."""

from __future__ import annotations

from collections.abc import Mapping

from deliveries.manifests import DraftStop
from deliveries.models import Order, Stop
from offers.planning import inputs
from offers.planning.afternoon import PlannedBlock
from offers.planning.inputs import SECOND, Snapshot
from stores.models import Mall


def stops_of(
    mall: Mall, planned: PlannedBlock, orders: Mapping[str, Order], snapshot: Snapshot
) -> list[DraftStop]:
    """The block's stops with those of its orders that are given; a stop without any is not made."""
    return [*_pickups(mall, planned, orders, snapshot), *_doors(planned, orders, snapshot)]


def _pickups(
    mall: Mall, planned: PlannedBlock, orders: Mapping[str, Order], snapshot: Snapshot
) -> list[DraftStop]:
    stops, moment = [], snapshot.moment(planned.start)
    for code in planned.stores:
        here = tuple(order for order in orders.values() if order.store.code == code)
        if not here:
            continue
        parcels = sum(len(order.parcels.all()) for order in here)
        service = (inputs.DWELL.store_s + inputs.DWELL.load_parcel_s * parcels) * SECOND
        stops.append(
            DraftStop(
                kind=Stop.Kind.PICKUP,
                store=here[0].store,
                point=mall.point,
                address=", ".join(filter(None, (here[0].store.name, here[0].store.unit, mall.name))),
                planned_at=moment,
                service=service,
                orders=here,
            )
        )
        moment += service
    return stops


def _doors(planned: PlannedBlock, orders: Mapping[str, Order], snapshot: Snapshot) -> list[DraftStop]:
    stops = []
    for stop in planned.stops:
        here = tuple(orders[code] for code in stop.orders if code in orders)
        if here:
            stops.append(
                DraftStop(
                    kind=Stop.Kind.DROPOFF,
                    store=None,
                    point=stop.point,
                    address=here[0].address,
                    planned_at=snapshot.moment(stop.serve),
                    service=(stop.leave - stop.serve) * SECOND,
                    orders=here,
                )
            )
    return stops
