"""What a test may make the LMS's services do wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Switches:
    """All off. ``seconds`` is how long ``slow`` waits, or less when the server stops."""

    jwks: Literal["", "down", "huge", "redirect", "slow", "garbage", "no_kid", "empty"] = ""
    token: Literal["", "down", "garbage", "no_token", "refused", "redirect"] = ""
    nrps: Literal["", "truncated", "error_in_the_middle", "empty", "loop", "huge", "garbage", "foreign_next"] = ""
    ags: Literal["", "down", "garbage", "readonly"] = ""
    registration: Literal["", "down", "garbage", "no_client_id", "no_deployment"] = ""
    configuration: Literal["", "down", "garbage", "other_issuer", "no_registration", "foreign_endpoint"] = ""
    redirect_to: str = "http://169.254.169.254/latest/meta-data/"
    seconds: float = 30.0
    only_who_launched: bool = False  # NRPS as Brightspace has it unless its admin widens it
    page_size: int = 0  # of NRPS when the tool sets no limit; 0: everybody at once
    throttle_after: int | None = None  # so many service requests are answered, then none
    retry_after: str = "7"  # empty: not said
    storage: bool | None = None  # lti_storage_target: None as the family does
    broken: dict[str, int] = field(default_factory=dict)  # a status for paths that end so
