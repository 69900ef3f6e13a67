"""The fields of a form or a query of a platform, each at most once (1EdTech Security Framework 1.0, 5.1.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from usher.protocols.lti13.errors import LtiError


def once(parameters: Mapping[str, Sequence[str]], name: str, longest: int) -> str:
    """The value of a parameter, "" without one. Raises LtiError (repeated, too_long, bad_parameter)."""
    values = parameters.get(name, ())
    if len(values) > 1:
        raise LtiError("repeated", f"The platform sent “{name}” {len(values)} times.")
    value = values[0] if values else ""
    if len(value) > longest:
        raise LtiError("too_long", f"“{name}” has {len(value)} characters; {longest} is the most.")
    if "\0" in value:
        raise LtiError("bad_parameter", f"“{name}” has a character (NUL) that is no text.")
    return value


def needed(parameters: Mapping[str, Sequence[str]], name: str, longest: int) -> str:
    """As ``once``; raises LtiError (missing_parameter) when there is none."""
    value = once(parameters, name, longest)
    if not value:
        raise LtiError("missing_parameter", f"The platform did not send “{name}”.")
    return value
