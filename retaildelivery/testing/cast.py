"""The named cast of the tests: loaded once Django is set up, so models may be imported at its top."""

from retaildelivery.testing.afternoon import afternoon
from retaildelivery.testing.sellers import northwind, southgate, trade

__all__ = ["afternoon", "northwind", "southgate", "trade"]
