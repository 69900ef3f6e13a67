"""Doing one thing to several people: the question before, and what became of each after."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext

from usher.lifecycle.many import Done
from usher.people import groups
from usher.people.access import Visit
from usher.people.frame import frame


@dataclass(frozen=True, slots=True)
class Question:
    """What is about to be done to whom; ``action`` is where the answer goes, ``back`` where Cancel leads."""

    act: str  # "group", "passwords" or "deactivate"
    who: Sequence[uuid.UUID]
    action: str
    back: str
    room: str = "users"


def ask(request: HttpRequest, visit: Visit, question: Question) -> HttpResponse:
    """The second step: into which group, or whether to go on, with the consequence."""
    count = len(question.who)
    titles = {
        "group": ngettext("Add {n} person to a group", "Add {n} people to a group", count),
        "passwords": ngettext("New password for {n} person?", "New passwords for {n} people?", count),
        "deactivate": ngettext("Deactivate {n} person?", "Deactivate {n} people?", count),
    }
    context = {
        **frame(visit, question.room),
        "question": question,
        "count": count,
        "title": titles[question.act].format(n=count),
        "groups": groups.offered(visit) if question.act == "group" else [],
    }
    return render(request, "console/ask.html", context)


@dataclass(frozen=True, slots=True)
class Told:
    """How the result is headed, and where it leads back to. ``said`` is what was done, in a sentence of its own."""

    title: str
    back: str
    room: str = "users"
    said: str = ""


def outcomes(request: HttpRequest, visit: Visit, done: Sequence[Done], told: Told) -> HttpResponse:
    """What became of each person; straight back to the list when nothing was refused."""
    changed = sum(one.changed for one in done)
    if not any(one.findings for one in done):
        said = ngettext("{title}: {n} person changed.", "{title}: {n} people changed.", changed)
        messages.success(request, told.said or said.format(title=told.title, n=changed))
        return redirect(told.back)
    context = {
        **frame(visit, told.room),
        "done": done,
        "title": told.title,
        "changed": changed,
        "said": told.said,
        "back": told.back,
        "refused": [one for one in done if one.findings],
    }
    return render(request, "console/outcomes.html", context)
