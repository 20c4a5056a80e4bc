"""Uber-Direct-shaped: `/oauth/v2/token` and `/v1/customers/{customer_id}/`, as the clients of Uber Direct speak."""
