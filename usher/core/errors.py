"""The one exception that carries a reason to the person who can do something about it."""

from __future__ import annotations

from usher.core.reasons import Finding


class UsherError(Exception):
    """Refuses an act with one or more findings; the first decides the HTTP status."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(" ".join(f"{f.sentence} {f.next_step}" for f in findings))
        self.findings = findings

    @property
    def status(self) -> int:
        return self.findings[0].reason.status
