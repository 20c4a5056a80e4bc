"""What rows that hold for a time must not share: ranges for exclusion constraints."""

from __future__ import annotations

from django.contrib.postgres.fields import BigIntegerRangeField, DateRangeField
from django.db import models


class Hashed(models.Func):
    """A text as a number."""

    template = "hashtextextended(%(expressions)s, 0)"
    arity = 1
    output_field = models.BigIntegerField()


class OnlyNumber(models.Func):
    """A number as a range of one, so that an exclusion constraint needs no btree_gist."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, '[]')"
    output_field = BigIntegerRangeField()

    def __init__(self, number: str) -> None:
        super().__init__(number, number)


class OnlyText(models.Func):
    """A text as a range of one number, likewise."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, '[]')"
    output_field = BigIntegerRangeField()

    def __init__(self, text: str) -> None:
        super().__init__(Hashed(text), Hashed(text))


class Days(models.Func):
    """The days on which a row holds."""

    function = "daterange"
    arity = 2
    output_field = DateRangeField()
