"""Whether a launch is to be believed, and what it says: LTI Core 1.3, section 5.3; Deep Linking 2.0, section 3.4.1;
1EdTech Security Framework 1.0, sections 5.1.1.3 and 5.1.3. Any doubt is a refusal with its own reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType
from typing import Any, Final

from usher.protocols.lti13 import claims as names
from usher.protocols.lti13 import values
from usher.protocols.lti13.errors import LtiError, RefusedByPlatformError
from usher.protocols.lti13.parameters import needed, once
from usher.protocols.oidc import id_token
from usher.protocols.oidc.errors import OidcError, UnknownKeyError, shown
from usher.protocols.oidc.keys import KeySet

LONGEST: Final = 64 * 1024  # characters of a field of the form
LONGEST_STATE: Final = 4096
_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brought. Nothing in it is checked yet."""

    id_token: str = field(repr=False)
    state: str = field(repr=False)
    storage_target: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a launch must say to be for us. ``now`` is seconds since 1970, ``leeway`` seconds; ``tool_url`` is where
    launches go, and may get a query."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    now: float
    tool_url: str
    leeway: int = 60


@dataclass(frozen=True, slots=True)
class Context:
    """A course, mostly. ``types`` as the platform names them, short or as URN."""

    id: str
    label: str
    title: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResourceLink:
    """The place in the course where somebody pressed."""

    id: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Ags:
    """Where grades go. ``lineitems`` is the list of columns, ``lineitem`` the one of this link; each may be ""."""

    scopes: tuple[str, ...]
    lineitems: str
    lineitem: str


@dataclass(frozen=True, slots=True)
class DeepLinkingSettings:
    """What may be chosen, and where the choice goes. ``accept_lineitem`` is None when the platform does not say;
    ``data`` goes back as it came, None when there was none."""

    return_url: str
    accept_types: tuple[str, ...]
    accept_targets: tuple[str, ...]
    accept_multiple: bool
    accept_lineitem: bool | None
    auto_create: bool
    title: str
    text: str
    data: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlatformInfo:
    """How the platform describes itself; each may be ""."""

    guid: str
    family: str
    version: str
    name: str


@dataclass(frozen=True, slots=True)
class Launch:
    """A message whose signature and every condition were checked. Nothing but ``verify`` makes one.

    Texts that were not sent are "", addresses are of http or https or "". ``claims`` is all that was signed.
    """

    message_type: str
    issuer: str
    deployment_id: str
    subject: str
    target_link_uri: str
    roles: tuple[str, ...]
    context: Context | None
    resource_link: ResourceLink | None
    name: str
    given_name: str
    family_name: str
    email: str
    locale: str
    return_url: str
    document_target: str
    custom: Mapping[str, str]
    ags: Ags | None
    nrps_url: str
    deep_linking: DeepLinkingSettings | None
    platform: PlatformInfo
    storage_target: str
    claims: Mapping[str, Any] = field(repr=False)
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _HERE:
            raise TypeError("A Launch is made by verify() alone.")

    @property
    def full_name(self) -> str:
        """ "" when the platform keeps the name to itself."""
        return self.name or f"{self.given_name} {self.family_name}".strip()

    @property
    def is_deep_linking(self) -> bool:
        """Is this a teacher choosing something, rather than somebody opening a link?"""
        return self.deep_linking is not None


def read_answer(parameters: Mapping[str, Sequence[str]]) -> Answer:
    """The form that came. Raises LtiError, RefusedByPlatformError for an ``error`` (Core of OpenID, 3.1.2.6)."""
    error = once(parameters, "error", LONGEST)
    if error:
        raise RefusedByPlatformError(error, once(parameters, "error_description", LONGEST))
    return Answer(
        needed(parameters, "id_token", LONGEST),
        needed(parameters, "state", LONGEST_STATE),
        once(parameters, "lti_storage_target", values.LONGEST_ID),
    )


def verify(token: str, keys: KeySet, expected: Expected) -> Launch:
    """The launch in a token. Raises LtiError, and UnknownKeyError of OpenID when newer keys might do."""
    try:
        signed = id_token.verify(token, keys, _as_id_token(expected))
    except (LtiError, UnknownKeyError):
        raise
    except OidcError as error:
        raise LtiError(error.code, error.detail) from None
    claims = signed.claims
    _check_audience(claims, expected.client_id)
    message_type = _message_type(claims)
    deployment_id = _deployment(claims)
    roles = _roles(claims)
    target = _target(claims, expected.tool_url, message_type)
    return _launch(
        claims, issuer=signed.issuer, subject=signed.subject, message_type=message_type,
        deployment_id=deployment_id, roles=roles, target_link_uri=target,
    )  # fmt: skip


# Conditions


def _as_id_token(expected: Expected) -> id_token.Expected:
    """RS256 alone, and a key with a name: Security Framework 1.0, section 5.1.3."""
    return id_token.Expected(
        issuer=expected.issuer, client_id=expected.client_id, nonce=expected.nonce, now=expected.now,
        algorithms=("RS256",), leeway=expected.leeway, names_key=True, profile=_check_version,
    )  # fmt: skip


def _check_version(claims: Mapping[str, Any]) -> None:
    """First of all, so that another document signed by the platform is called what it is."""
    if not any(name.startswith(names.ANY_LTI_CLAIM) for name in claims):
        raise LtiError("not_lti", "The platform signed something that is no message of LTI: it has no claim of LTI.")
    version = _needed(claims, names.VERSION)
    if version != names.VERSION_HERE:
        raise LtiError(
            "wrong_version", f"The message is of LTI version “{shown(version)}”; expected {names.VERSION_HERE}."
        )


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """Others in the audience could use the token as well, and we know none that may."""
    others = [one for one in values.texts(claims["aud"]) if one != client_id]
    if others:
        raise LtiError("wrong_audience", f"The message is for “{shown(others[0])}” too, which Usher does not know.")


def _message_type(claims: Mapping[str, Any]) -> str:
    found = _needed(claims, names.MESSAGE_TYPE)
    if found not in names.MESSAGES_HERE:
        raise LtiError(
            "wrong_message_type", f"The message is a “{shown(found)}”; expected {' or '.join(names.MESSAGES_HERE)}."
        )
    return str(found)


def _deployment(claims: Mapping[str, Any]) -> str:
    found = values.identifier(_needed(claims, names.DEPLOYMENT_ID), "deployment_id")
    if not found.isascii() or not found.isprintable():
        raise LtiError("bad_claim", "The deployment_id in the message is no line of plain ASCII.")
    return found


def _roles(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """An empty list is an answer, no list is none."""
    roles = claims.get(names.ROLES)
    if roles is None:
        raise _missing("roles")
    if not isinstance(roles, list):
        raise LtiError("bad_claim", "The claim “roles” in the message is no list.")
    return values.texts(roles)


def _target(claims: Mapping[str, Any], tool_url: str, message_type: str) -> str:
    """Where the person wants to go is on our side. Deep linking requests may leave it out."""
    if message_type == names.DEEP_LINKING_REQUEST and not claims.get(names.TARGET_LINK_URI):
        return tool_url
    target = _needed(claims, names.TARGET_LINK_URI)
    if not isinstance(target, str) or (target != tool_url and not target.startswith(f"{tool_url}?")):
        raise LtiError(
            "wrong_target", f"The launch goes to “{shown(target)}” (target_link_uri); expected “{shown(tool_url)}”."
        )
    return target


# Contents


def _launch(  # noqa: PLR0913 - what was checked, each by its name
    claims: Mapping[str, Any], *, issuer: str, subject: str, message_type: str, deployment_id: str,
    roles: tuple[str, ...], target_link_uri: str,
) -> Launch:  # fmt: skip
    shown_in = values.fields(claims.get(names.LAUNCH_PRESENTATION))
    is_choice = message_type == names.DEEP_LINKING_REQUEST
    return Launch(
        message_type=message_type,
        issuer=issuer,
        deployment_id=deployment_id,
        subject=subject,
        target_link_uri=target_link_uri,
        roles=roles,
        context=_context(claims),
        resource_link=None if is_choice else _resource_link(claims),
        name=values.text(claims.get("name")),
        given_name=values.text(claims.get("given_name")),
        family_name=values.text(claims.get("family_name")),
        email=values.text(claims.get("email")),
        locale=values.text(shown_in.get("locale")) or values.text(claims.get("locale")),
        return_url=values.web_url(shown_in.get("return_url")),
        document_target=values.text(shown_in.get("document_target")),
        custom=values.custom(claims.get(names.CUSTOM)),
        ags=_ags(claims),
        nrps_url=_nrps_url(claims),
        deep_linking=_deep_linking(claims) if is_choice else None,
        platform=_platform(claims),
        storage_target=values.text(claims.get("lti_storage_target")),
        claims=MappingProxyType(dict(claims)),
        made_by=_HERE,
    )


def _context(claims: Mapping[str, Any]) -> Context | None:
    found = values.fields(claims.get(names.CONTEXT))
    id_ = values.identifier(found.get("id"), "context.id")
    if not id_:
        return None
    return Context(
        id_, values.text(found.get("label")), values.text(found.get("title")), values.texts(found.get("type"))
    )


def _resource_link(claims: Mapping[str, Any]) -> ResourceLink:
    found = values.fields(claims.get(names.RESOURCE_LINK))
    id_ = values.identifier(found.get("id"), "resource_link.id")
    if not id_:
        raise _missing("resource_link.id")
    return ResourceLink(id_, values.text(found.get("title")), values.text(found.get("description")))


def _ags(claims: Mapping[str, Any]) -> Ags | None:
    found = values.fields(claims.get(names.AGS_ENDPOINT))
    if not found:
        return None
    return Ags(
        values.texts(found.get("scope")), values.web_url(found.get("lineitems")), values.web_url(found.get("lineitem"))
    )


def _nrps_url(claims: Mapping[str, Any]) -> str:
    found = values.fields(claims.get(names.NRPS))
    versions = values.texts(found.get("service_versions"))
    return values.web_url(found.get("context_memberships_url")) if not versions or "2.0" in versions else ""


def _deep_linking(claims: Mapping[str, Any]) -> DeepLinkingSettings:
    found = values.fields(_needed(claims, names.DEEP_LINKING_SETTINGS))
    return_url = values.web_url(_needed(found, "deep_link_return_url"))
    if not return_url:
        raise LtiError("bad_claim", "“deep_link_return_url” in the message is no address of http or https.")
    data = found.get("data")
    return DeepLinkingSettings(
        return_url=return_url,
        accept_types=values.texts(_needed(found, "accept_types")),
        accept_targets=values.texts(_needed(found, "accept_presentation_document_targets")),
        accept_multiple=values.flag(found.get("accept_multiple")) is True,
        accept_lineitem=values.flag(found.get("accept_lineitem")),
        auto_create=values.flag(found.get("auto_create")) is True,
        title=values.text(found.get("title")),
        text=values.text(found.get("text")),
        data=data if isinstance(data, str) else None,
    )


def _platform(claims: Mapping[str, Any]) -> PlatformInfo:
    found = values.fields(claims.get(names.TOOL_PLATFORM))
    parts = ("guid", "product_family_code", "version", "name")
    return PlatformInfo(*(values.text(found.get(part)) for part in parts))


def _needed(claims: Mapping[str, Any], name: str) -> Any:
    if claims.get(name) in (None, "", [], {}):
        raise _missing(name.rpartition("/")[2])
    return claims[name]


def _missing(name: str) -> LtiError:
    return LtiError("missing_claim", f"The message of the platform does not have the claim “{name}”.")
