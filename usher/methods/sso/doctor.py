"""The set-up doctor: asks the provider now, and says in plain words what works and which side mends what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from django.utils.translation import gettext as _

from usher.core import fetch
from usher.core.errors import UsherError
from usher.core.limits import CONNECTION_LOOKS
from usher.core.reasons import Reason
from usher.methods.sso import attempts, overview
from usher.methods.sso.connect import is_proved
from usher.methods.sso.models import Attempt, Connection, Kind
from usher.methods.sso.overview import View
from usher.methods.sso.provider import Provider
from usher.methods.sso.rules import facts_wanted
from usher.methods.sso.trips import reader_of
from usher.methods.sso.ways import way_of
from usher.protocols.oidc import responses
from usher.protocols.oidc.errors import OidcError, RefusedByProviderError
from usher.protocols.oidc.keys import read_keys
from usher.protocols.oidc.metadata import Metadata
from usher.protocols.oidc.requests import token_post

T = TypeVar("T")

# A code and a verifier that no provider ever gave out: only whether it knows the client and its secret is of interest.
NO_CODE: Final = "usher-asks-whether-the-secret-is-right"
NO_VERIFIER: Final = "usher-asks-whether-the-secret-is-right-and-nothing-else"
WRONG_CLIENT: Final = ("invalid_client", "unauthorized_client")  # RFC 6749 section 5.2
RIGHT_CLIENT: Final = "invalid_grant"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. ``is_good`` is None where it cannot be known from here; ``side`` mends what is not good."""

    name: str
    is_good: bool | None
    sentence: str
    next_step: str = ""

    @property
    def look(self) -> str:
        return {True: "in", False: "no", None: "ask"}[self.is_good]

    @property
    def word(self) -> str:
        return {True: _("Good"), False: _("Wrong"), None: _("Not known")}[self.is_good]


def look(connection: Connection) -> list[Check]:
    """All of it, outside of any transaction; three requests to the provider. Raises UsherError: too_many_tries."""
    who = str(connection.organization_id)
    if not CONNECTION_LOOKS.take([who]):
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=CONNECTION_LOOKS.wait_minutes(who)))
    return [*_provider_checks(connection), _proof(connection), *_consents(connection), *_last(connection)]


def discovery(connection: Connection) -> Check:
    """Whether the provider can be found at all: what is asked when it is saved."""
    try:
        return _ask_description(overview.provider_of(connection))[0]
    except UsherError as no:
        return _nobody_registered(no)


def _provider_checks(connection: Connection) -> Iterator[Check]:
    try:
        provider = overview.provider_of(connection)
    except UsherError as no:
        yield _nobody_registered(no)
        return
    found, metadata = _ask_description(provider)
    yield found
    if metadata:
        yield _keys(metadata)
        yield _secret(provider, metadata)


def _nobody_registered(no: UsherError) -> Check:
    step = _("Give the client id and the secret of a registration of your own, or ask the operator.")
    return Check(_("Registration"), False, no.findings[0].sentence, step)


def _ask_description(provider: Provider) -> tuple[Check, Metadata | None]:
    """The discovery document, and whether it names the issuer that is expected (Discovery 1.0 section 4.3)."""
    name = _("Provider")

    def read() -> Metadata:
        return reader_of(provider.issuer, provider.is_templated)(_json(provider.discovery))

    found, why = _asked(read)
    if found is None:
        no = Reason.ISSUER_UNREACHABLE(given=provider.issuer, why=why)
        return Check(name, False, no.sentence, no.next_step), None
    return Check(name, True, _("It answers, and calls itself {issuer}.").format(issuer=found.issuer)), found


def _keys(metadata: Metadata) -> Check:
    found, why = _asked(lambda: read_keys(_json(metadata.jwks_uri)))
    name = _("Keys")
    if found is None:
        step = _("That is on the provider’s side. Try again in some minutes, then ask there.")
        return Check(name, False, why, step)
    return Check(name, True, _("They can be read: {count}.").format(count=len(found.keys)))


def _secret(provider: Provider, metadata: Metadata) -> Check:
    """RFC 6749 section 5.2: who is asked for tokens says first whether it knows the client."""
    name = _("Client id and secret")
    error, why = _asked(lambda: _refusal(provider, metadata))
    if error == RIGHT_CLIENT:
        return Check(name, True, _("The provider takes them."))
    if error in WRONG_CLIENT:
        step = _("On your side: make a new secret there, and copy its value, not its id, under “Change”.")
        return Check(name, False, _("The provider does not take them (“{error}”).").format(error=error), step)
    said = why or _("The provider answered “{error}”.").format(error=error)
    return Check(name, None, said, _("A test sign-in will tell."))


def _refusal(provider: Provider, metadata: Metadata) -> str:
    """What the token endpoint says to a code that was never given out."""
    post = token_post(metadata, provider.client, code=NO_CODE, redirect_uri=provider.callback, verifier=NO_VERIFIER)
    answer = fetch.post_form(post.url, post.body, headers=post.headers)
    try:
        responses.read_tokens(answer.status, answer.json())
    except RefusedByProviderError as refused:
        return refused.error
    return ""


def _json(url: str) -> object:
    answer = fetch.get(url)
    if answer.status != 200:
        raise fetch.FetchError("bad_status", f"{url[:200]} answered with the status {answer.status}.")
    return answer.json()


def _asked(ask: Callable[[], T]) -> tuple[T | None, str]:
    """What came, or one sentence why nothing did."""
    try:
        return ask(), ""
    except (fetch.FetchError, OidcError) as error:
        return None, error.detail


# What is known here


def _proof(connection: Connection) -> Check:
    view = View(connection)
    if connection.kind == Kind.GOOGLE:
        name, names = _("Domains"), ", ".join(view.domains)
        if names:
            return Check(name, True, _("Proved: {domains}.").format(domains=names))
        return Check(
            name, False, _("No domain is proved, so nobody is let in."), _("Prove one, here or under Domains.")
        )
    if connection.kind == Kind.OIDC:
        sentence = _("None is needed: its people are those that your provider signs in.")
        return Check(_("Proof"), True, sentence)
    if is_proved(connection):
        return Check(_("Tenant"), True, _("Proved: {tenant}.").format(tenant=connection.tenant))
    step = _("Sign in here as an admin of the tenant.")
    return Check(_("Tenant"), False, _("It is not proved to be yours, so nobody is let in."), step)


def _consents(connection: Connection) -> Iterator[Check]:
    """What rules look at beside the token needs the consent of the other side; the last sign-in shows whether it is."""
    asks_for, facts = way_of(connection.kind).asks_for, way_of(connection.kind).facts
    wanted = sorted(facts_wanted(connection) & asks_for.keys())
    seen = next((one for one in attempts.last(connection) if one.facts and one.result != "refused"), None)
    for fact in wanted:
        yield _consent(str(facts.get(fact, fact)), asks_for[fact], seen, is_told=_is_told(fact, seen))


def _is_told(fact: str, seen: Attempt | None) -> bool:
    return seen is not None and fact not in seen.facts.get("unknown", ())


def _consent(fact: str, scope: str, seen: Attempt | None, *, is_told: bool) -> Check:
    if seen is None:
        sentence = _("A rule looks at “{fact}”. No sign-in has shown yet whether the provider says it.")
        return Check(fact, None, sentence.format(fact=fact), _("Make a test sign-in."))
    if is_told:
        return Check(fact, True, _("The last sign-in said it."))
    sentence = _("A rule looks at “{fact}”, and the last sign-in did not say it.").format(fact=fact)
    step = _("On the provider’s side: an admin there consents to {scope}.").format(scope=scope)
    return Check(fact, False, sentence, step)


def _last(connection: Connection) -> Iterator[Check]:
    past = View(connection).past
    no = past[0].finding if past else None
    if no:
        sentence = f"{no.sentence} {past[0].attempt.detail}".strip()
        yield Check(_("Last sign-in"), None, sentence, no.next_step)
