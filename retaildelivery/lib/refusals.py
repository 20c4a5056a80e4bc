"""The shape of an expected refusal: a stable code, a sentence, and which field it is about."""

from __future__ import annotations

from typing import ClassVar


class Refused(Exception):
    """Something the world may do and the rules do not allow. Subclasses live beside the verb that raises them,
    with a `code` that is the same in the exception, the API, the page, the log and the test.

    `sentence` says it to a person and may hold %(name)s places, filled from `params`; `field` names the input at
    fault, `reason` a finer code, and `retryable` whether the same request may succeed later.
    """

    code: ClassVar[str] = "refused"
    sentence: ClassVar[object] = "This cannot be done."
    retryable: ClassVar[bool] = False

    def __init__(self, *, field: str = "", reason: str = "", **params: object) -> None:
        super().__init__(self.code)
        self.field = field
        self.reason = reason
        self.params = params

    @property
    def message(self) -> str:
        text = str(self.sentence)
        return text % self.params if self.params else text

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
