"""The answer to a teacher's "choose something": Deep Linking 2.0, section 4.

Only links to this tool are sent: Moodle makes broken activities of the other types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from usher.protocols.lti13 import claims as names
from usher.protocols.lti13.errors import LtiError
from usher.protocols.lti13.launch import DeepLinkingSettings

LIFE: Final = 300  # seconds
BACK: Final = 10  # seconds that our clock may be ahead of the platform's
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ContentItem:
    """A link to put into the course. With ``score_maximum`` it asks for a grade column, called ``label``."""

    title: str
    text: str
    url: str
    custom: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    icon_url: str = ""
    score_maximum: float | None = None
    label: str = ""
    resource_id: str = ""
    tag: str = ""


def response(  # noqa: PLR0913 - one for each thing the response is made of
    settings: DeepLinkingSettings, *, client_id: str, issuer: str, deployment_id: str, items: Sequence[ContentItem],
    nonce: str, now: float, message: str = "", log: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The claims to sign and to post to ``settings.return_url``. No items is an answer too: nothing was chosen.

    Raises LtiError (too_many_items, type_not_accepted).
    """
    _check(settings, items)
    told = {names.MESSAGE: message, names.LOG: log}
    return {
        "iss": client_id,
        "aud": issuer,
        "iat": int(now) - BACK,
        "exp": int(now) + LIFE,
        "nonce": nonce,
        names.MESSAGE_TYPE: names.DEEP_LINKING_RESPONSE,
        names.VERSION: names.VERSION_HERE,
        names.DEPLOYMENT_ID: deployment_id,
        names.CONTENT_ITEMS: [_item(item, settings) for item in items],
        **({} if settings.data is None else {names.DATA: settings.data}),
        **{name: text for name, text in told.items() if text},
    }


def _check(settings: DeepLinkingSettings, items: Sequence[ContentItem]) -> None:
    if len(items) > 1 and not settings.accept_multiple:
        raise LtiError("too_many_items", f"The platform takes one link at a time; {len(items)} were chosen.")
    if items and names.LTI_RESOURCE_LINK not in settings.accept_types:
        raise LtiError("type_not_accepted", "The platform does not take links to this tool here (accept_types).")


def _item(item: ContentItem, settings: DeepLinkingSettings) -> dict[str, Any]:
    """Section 4.1: what is empty is left out."""
    made: dict[str, Any] = {"type": names.LTI_RESOURCE_LINK, "title": item.title, "text": item.text, "url": item.url}
    made["custom"] = dict(item.custom)
    made["icon"] = {"url": item.icon_url} if item.icon_url else None
    if item.score_maximum is not None and settings.accept_lineitem is not False:
        made["lineItem"] = _line_item(item)
    return {name: value for name, value in made.items() if value}


def _line_item(item: ContentItem) -> dict[str, Any]:
    optional = {"label": item.label, "resourceId": item.resource_id, "tag": item.tag}
    return {"scoreMaximum": item.score_maximum, **{name: value for name, value in optional.items() if value}}
