"""Why a grade is not in the LMS: whether another try may help, or what somebody has to mend first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from usher.core.reasons import Reason
from usher.core.work import PlainError
from usher.protocols.lti13.errors import ServiceError

REASONS: Final[Mapping[str, Reason]] = {
    "unknown_user": Reason.GRADE_UNKNOWN_THERE,
    "unauthorized": Reason.GRADE_NOT_ALLOWED,
    "invalid_scope": Reason.GRADE_NOT_ALLOWED,
    "not_found": Reason.GRADE_COLUMN_GONE,
}


class RefusedThereError(Exception):
    """No try will help before somebody does something."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason.name)
        self.reason = reason
        self.detail = detail


class ConflictError(PlainError):
    """The LMS says that it has a later grade."""


def refusal_of(error: ServiceError) -> PlainError | RefusedThereError:
    """What an answer of a service means for a grade."""
    if error.code == "conflict":
        return ConflictError(error.detail)
    if error.retry or error.code == "bad_answer":
        return PlainError(error.detail)
    return RefusedThereError(REASONS.get(error.code, Reason.GRADE_REFUSED_THERE), error.detail)


def without_token(error: ServiceError) -> PlainError | RefusedThereError:
    """The same, where there was no token. An LMS gives none while it cannot fetch our keys, so that may pass."""
    known = REASONS.get(error.code)
    return RefusedThereError(known, error.detail) if known else PlainError(error.detail)
