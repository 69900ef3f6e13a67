"""How usher connection shows a connection, its sign-ins and what is wrong with it; never its secret."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import click

from usher.cli.output import document, note, table
from usher.core.errors import UsherError
from usher.lifecycle.letters_shared import page_of
from usher.methods.sso.doctor import Check
from usher.methods.sso.overview import Past, Stage, View, provider_of
from usher.methods.sso.simulate import Simulation
from usher.methods.sso.written_rules import of_connection


def show(view: View, *, as_json: bool) -> None:
    """What to register on stdout; the next step beside it."""
    if as_json:
        document(as_document(view))
        return
    table(("what", "is"), _facts(view))
    for line in of_connection(view.connection):
        click.echo(f"rule\t{line}")
    note(next_step(view))


def _facts(view: View) -> Iterator[tuple[str, str]]:
    one = view.connection
    facts = {
        "id": str(one.id),
        "kind": one.kind,
        "name": view.label,
        "state": view.word,
        "tenant": one.tenant,
        "issuer": one.issuer,
        "registration": one.client_id or "the operator's",
        "redirect URI": view.callback,
        "scopes": scopes(view),
        "new people": _yes(one.lets_in),
        "guests": _yes(one.guests) if one.kind == "microsoft" else "",
        "seat freed after": f"{one.leaver_days} days" if one.leaver_days else "",
    }
    yield from ((name, value) for name, value in facts.items() if value)


def page(view: View) -> str:
    """Where its admins see it."""
    return page_of(view.connection.organization, f"settings/integrations/{view.connection.id}/")


def scopes(view: View) -> str:
    """What a sign-in asks for; nothing where nobody has registered Usher with the provider."""
    try:
        return provider_of(view.connection).scope
    except UsherError:
        return ""


def next_step(view: View) -> str:
    """In one sentence."""
    slug, which = view.connection.organization.slug, view.connection.id
    steps = {
        Stage.PROVE: f"Next: prove that it is theirs, on {page(view)}",
        Stage.TRY: f"Next: an admin makes a test sign-in, on {page(view)}",
        Stage.READY: f"Next: usher connection on --org {slug} {which}",
        Stage.OFF: f"It is off. To switch it on: usher connection on --org {slug} {which}",
        Stage.ON: f"It is on: {view.people:,} people have signed in by it.",
    }
    return steps[view.stage]


def as_document(view: View) -> dict[str, Any]:
    """What a program is told."""
    one = view.connection
    return {
        "id": str(one.id),
        "kind": one.kind,
        "name": view.label,
        "state": one.state,
        "stage": view.stage.value,
        "tenant": one.tenant or None,
        "issuer": one.issuer or None,
        "client_id": one.client_id or None,
        "has_secret": bool(one.sealed_secret),
        "redirect_uri": view.callback,
        "scopes": scopes(view).split(),
        "new_people": one.lets_in,
        "guests": one.guests,
        "leaver_days": one.leaver_days,
        "rules": of_connection(view.connection),
        "proved_at": _moment(one.proved_at),
        "tested_at": _moment(one.tested_at),
        "people": view.people,
        "page": page(view),
    }


def list_row(view: View) -> tuple[str, ...]:
    one = view.connection
    return (str(one.id), one.kind, view.label, view.word, _yes(one.lets_in), str(view.people))


# The doctor


def check_document(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "is_good": check.is_good,
        "sentence": check.sentence,
        "next_step": check.next_step or None,
    }


def check_rows(checks: Sequence[Check]) -> Iterator[tuple[str, ...]]:
    for check in checks:
        yield (check.word.lower(), check.name, check.sentence, check.next_step)


# Past sign-ins


def attempt_document(past: Past) -> dict[str, Any]:
    one, finding = past.attempt, past.finding
    return {
        "at": _moment(one.at),
        "purpose": one.purpose,
        "result": one.result,
        "role": one.role or None,
        "reason": one.reason or None,
        "sentence": finding.sentence if finding else None,
        "next_step": finding.next_step if finding else None,
        "detail": one.detail or None,
        "claims": one.claims,
        "facts": one.facts,
        "account": str(one.account_id) if one.account_id else None,
    }


def attempt_rows(pasts: Sequence[Past]) -> Iterator[tuple[str, ...]]:
    for past in pasts:
        one = past.attempt
        reason = past.finding.sentence if past.finding else ""
        yield (_moment(one.at) or "", past.purpose, past.who, past.word, past.role, reason, one.detail)


# The simulator


def simulation_document(told: Simulation) -> dict[str, Any]:
    return {
        "standing": told.standing.value,
        "result": told.result,
        "role": told.role or None,
        "groups": list(told.groups),
        "rule": f"{told.rule.claim}={told.rule.value}" if told.rule else None,
        "is_sure": told.is_sure,
        "account": str(told.account.id) if told.account else None,
        "reasons": [{"code": no.code, "sentence": no.sentence, "next_step": no.next_step} for no in told.findings],
    }


def simulation_table(told: Simulation) -> Iterator[tuple[str, str]]:
    yield "standing", told.standing.value.replace("_", " ")
    yield "result", told.result.replace("_", " ")
    yield "role", told.role or "–"
    yield "by the rule", f"{told.rule.claim}={told.rule.value}" if told.rule else "–"
    yield "groups", ", ".join(told.groups) or "–"


def simulation_lines(told: Simulation) -> Iterator[str]:
    """Notes: why not, and what could not be seen."""
    if not told.is_sure:
        yield "A rule looks at what these claims leave out, so a member would keep role and groups."
    for no in told.findings:
        yield f"{no.sentence} {no.next_step}"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _moment(at: dt.datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
