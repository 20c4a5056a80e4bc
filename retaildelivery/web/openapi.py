"""How the OpenAPI document is made: what drf-spectacular is told. Read by the settings, so it imports nothing."""

from typing import Any

SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Retail Delivery",
    "DESCRIPTION": "Post orders from a mall, follow them to the door; see offers, claim blocks, deliver.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "retaildelivery.web.documents.complete",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ActorKind": "retaildelivery.outbox.models.Fact.Actor",
        "CancelReason": "deliveries.models.Order.CancelReason",
        "AttemptReason": "deliveries.models.Attempt.Reason",
        "IncidentKind": "deliveries.models.Incident.Kind",
        "OrderStatus": "deliveries.models.Order.Status",
        "ParcelStatus": "deliveries.models.Parcel.Status",
        "StopStatus": "deliveries.models.Stop.Status",
        "StopKind": "deliveries.models.Stop.Kind",
        "ManifestStatus": "deliveries.models.Manifest.Status",
        "ScanMethod": "deliveries.models.Scan.Method",
        "ScanOutcome": "deliveries.models.Scan.Outcome",
        "BlockStatus": "offers.models.Block.Status",
        "MileageSource": "offers.models.Mileage.Source",
        "DeclineReason": "offers.models.Decline.Reason",
        "OfferStatus": "offers.models.Offer.Status",
        "PayoutAccountKind": "drivers.models.PayoutAccount.Kind",
        "DisputeReason": "drivers.models.Dispute.Reason",
        "CostBasis": "drivers.models.CostProfile.Basis",
    },
}
