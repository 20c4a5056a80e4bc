"""From a planned block to the stops of a manifest: trip by trip counters in loading order, then doors."""

from __future__ import annotations

from collections.abc import Mapping

from deliveries.manifests import DraftStop
from deliveries.models import Order, Stop
from offers.planning import inputs
from offers.planning.afternoon import PlannedBlock, PlannedTrip
from offers.planning.inputs import SECOND, Snapshot
from stores.models import Mall


def stops_of(
    mall: Mall, planned: PlannedBlock, orders: Mapping[str, Order], snapshot: Snapshot
) -> list[DraftStop]:
    """The block's stops with those of its orders that are given; a stop without any is not made."""
    stops = []
    for number, trip in enumerate(planned.trips, start=1):
        stops += _pickups(mall, number, trip, orders, snapshot)
        stops += _doors(number, trip, orders, snapshot)
    return stops


def _pickups(
    mall: Mall, number: int, trip: PlannedTrip, orders: Mapping[str, Order], snapshot: Snapshot
) -> list[DraftStop]:
    stops, moment = [], snapshot.moment(trip.begin)
    taken = [orders[code] for code in trip.orders if code in orders]
    for code in trip.stores:
        here = tuple(order for order in taken if order.store.code == code)
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
                trip=number,
            )
        )
        moment += service
    return stops


def _doors(
    number: int, trip: PlannedTrip, orders: Mapping[str, Order], snapshot: Snapshot
) -> list[DraftStop]:
    stops = []
    for stop in trip.stops:
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
                    trip=number,
                )
            )
    return stops
