""" "Have you been here before?", asked in the frame of the LMS, where no session of the house can be seen.

Proved by the password of the account, or by a code that whoever is signed in elsewhere makes on the page of his account
(single sign-on, passkeys, second factors). Never by an address alone (security.md H5).
"""

from __future__ import annotations

import datetime as dt
import hmac
from typing import Final

from django.http import HttpRequest

from usher.core import clock, crockford, tokens
from usher.core.errors import UsherError
from usher.core.limits import LINK_CODE, network_of
from usher.core.middleware import client_ip
from usher.core.reasons import Reason
from usher.core.rows import new_id
from usher.methods.lti import callers
from usher.methods.lti.arrival import Scene
from usher.methods.lti.models import Deployment, Launch, LinkCode, Question
from usher.methods.lti.platforms import label_of
from usher.methods.lti.recognize import Place
from usher.methods.lti.trips import browser_hash
from usher.organizations.models import Organization
from usher.people import factors, passwords, sign_in, single_sign_on
from usher.people.models import Account

LASTS: Final = dt.timedelta(minutes=10)
TOKEN: Final = "lti-question"  # noqa: S105 - what its tokens are for
CODE: Final = "lti-link-code"
LENGTH: Final = 8  # of a link code: 40 random bits


def ask(scene: Scene, browser: str) -> str:
    """Note what waits for the answer; returns the token of the page that asks."""
    question_id = new_id()
    token = tokens.derived_token(TOKEN, question_id)
    Question.objects.create(
        id=question_id,
        token_hash=tokens.token_hash(token, TOKEN),
        browser_hash=browser_hash(browser),
        deployment=scene.deployment,
        caller=scene.caller.as_json(),
        expires_at=clock.now() + LASTS,
    )
    return token


def find(token: str, browser: str) -> Question:
    """Raises UsherError: launch_over."""
    mine = Question.objects.select_related(
        "deployment__organization__license", "deployment__platform__organization__license"
    )
    found = mine.filter(token_hash=tokens.token_hash(token, TOKEN), expires_at__gt=clock.now()).first()
    if found is None or not _is_here(found.browser_hash, browser) or _is_of_one_before(found):
        raise UsherError(Reason.LAUNCH_OVER())
    return found


def _is_here(kept: str, browser: str) -> bool:
    return not kept or hmac.compare_digest(kept, browser_hash(browser))


def _is_of_one_before(question: Question) -> bool:
    """Whether somebody else has come in this browser since: he is not asked in the other's place (security.md H8)."""
    since = {"browser_hash": question.browser_hash, "created_at__gt": question.created_at}
    subject = question.caller["subject"]
    came = Launch.objects.filter(**since).exclude(user__subject=subject)
    asked = Question.objects.filter(**since).exclude(caller__subject=subject)
    return bool(question.browser_hash) and (came.exists() or asked.exists())


def scene_of(question: Question) -> Scene:
    deployment = question.deployment
    return Scene(Place(deployment.platform, organization_of(deployment)), deployment, callers.read(question.caller))


def organization_of(deployment: Deployment) -> Organization:
    """Whose it is: the platform's, or for a shared one its own. Raises UsherError: lti_not_approved."""
    found = deployment.platform.organization or deployment.organization
    if found is None or deployment.approved_at is None:
        raise UsherError(Reason.LTI_NOT_APPROVED(platform=label_of(deployment.platform)))
    return found


def answer(question: Question) -> None:
    Question.objects.filter(id=question.id).delete()


# Proofs


def by_password(request: HttpRequest, scene: Scene, typed: str, password: str) -> Account:
    """The account that opens at the organisation's own door. Costs what a sign-in costs, and counts as one. A password
    that opens nothing there, since single sign-on alone does, proves nothing here.

    Raises UsherError: sign_in_failed, too_many_tries, link_needs_code.
    """
    organization = scene.place.organization
    key, network = sign_in.sign_in_key(typed, organization), network_of(client_ip(request))
    sign_in.check_tries(key, network)
    account = sign_in.find_for_sign_in(typed, organization)
    if not passwords.verify(password, account.password if account else passwords.UNUSABLE).ok or account is None:
        sign_in.count_failure(key, network)
        raise UsherError(Reason.SIGN_IN_FAILED())
    if factors.has_second(account) or single_sign_on.shut_out(account, organization.id):
        raise UsherError(Reason.LINK_NEEDS_CODE())
    return account


def new_code(account: Account) -> str:
    """A code that says, once and for ten minutes, that whoever types it is this account's owner. One at a time."""
    code = crockford.new(LENGTH)
    LinkCode.objects.filter(account=account).delete()
    LinkCode.objects.create(account=account, code_hash=_hash(code), expires_at=clock.now() + LASTS)
    return code


def by_code(request: HttpRequest, typed: str) -> Account:
    """Used up with it. Raises UsherError: link_code_wrong, too_many_tries."""
    network = network_of(client_ip(request))
    minutes = LINK_CODE.wait_minutes(network)
    if minutes:
        raise UsherError(Reason.TOO_MANY_TRIES(minutes=minutes))
    mine = LinkCode.objects.filter(code_hash=_hash(typed), expires_at__gt=clock.now())
    found = mine.select_related("account").first()
    if found is None or not mine.delete()[0]:
        LINK_CODE.add(network)
        raise UsherError(Reason.LINK_CODE_WRONG())
    return found.account


def _hash(code: str) -> str:
    return tokens.token_hash(crockford.read(code), CODE)
