"""Organisation → Settings → Domains: which mail domains are theirs, and how that is proved."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from usher.console.forms import DomainForm, add_findings
from usher.core.errors import UsherError
from usher.core.findings import Finding
from usher.core.reasons import Reason
from usher.lifecycle.visitor import by_visit
from usher.organizations import domains as proofs
from usher.organizations.models import Domain
from usher.organizations.txt_records import Record
from usher.people.access import Lock, Visit, lock
from usher.people.frame import frame
from usher.people.fresh import fresh


@dataclass(frozen=True, slots=True)
class Card:
    """One domain as the page shows it; ``findings`` are what the look just now found."""

    domain: Domain
    findings: tuple[Finding, ...] = ()

    @property
    def state(self) -> str:
        return proofs.state_of(self.domain).value

    @property
    def record(self) -> Record:
        return proofs.record_of(self.domain)

    @property
    def lost_at(self) -> dt.datetime | None:
        return proofs.lost_at(self.domain)


@lock(Lock.ADMIN)
@require_safe
def domains(request: HttpRequest, visit: Visit) -> HttpResponse:
    """All of them, each with its state and its record."""
    return _show(request, visit, DomainForm())


def _show(
    request: HttpRequest,
    visit: Visit,
    form: DomainForm,
    status: int = 200,
    looked: tuple[uuid.UUID, tuple[Finding, ...]] | None = None,
) -> HttpResponse:
    found = proofs.of_organization(visit.organization)
    cards = [Card(one, looked[1] if looked and looked[0] == one.id else ()) for one in found]
    context = {**frame(visit, "settings"), "cards": cards, "form": form}
    return render(request, "console/domains.html", context, status=status)


@lock(Lock.ADMIN)
@fresh
@require_POST
def add(request: HttpRequest, visit: Visit) -> HttpResponse:
    """One more; its record is shown afterwards."""
    form = DomainForm(request.POST)
    if form.is_valid():
        try:
            added = proofs.add(visit.organization, form.cleaned_data["domain"], by_visit(visit).actor)
        except UsherError as no:
            add_findings(form, no)
        else:
            messages.success(request, _("{domain} is added. Now prove that it is yours.").format(domain=added.name))
            return redirect("console:domains", visit.organization.slug)
    return _show(request, visit, form, 400)


@lock(Lock.ADMIN)
@require_POST
def look(request: HttpRequest, visit: Visit, domain_id: uuid.UUID) -> HttpResponse:
    """Ask the DNS now. It wants no fresh proof of who asks: what the DNS says is the proof, and it takes its time."""
    try:
        domain = proofs.prove(visit.organization, domain_id, by_visit(visit).actor)
    except UsherError as no:
        if no.findings[0].reason is Reason.UNKNOWN_DOMAIN:
            raise Http404 from no
        return _show(request, visit, DomainForm(), no.status, (domain_id, no.findings))
    messages.success(request, _("The proof is there: {domain} is yours.").format(domain=domain.name))
    return redirect("console:domains", visit.organization.slug)


@lock(Lock.ADMIN)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, visit: Visit, domain_id: uuid.UUID) -> HttpResponse:
    """Says what follows, and removes it when that is sent."""
    try:
        if request.method != "POST":
            domain = proofs.get(visit.organization, domain_id)
            return render(request, "console/domain_remove.html", frame(visit, "settings") | {"card": Card(domain)})
        gone = proofs.remove(visit.organization, domain_id, by_visit(visit).actor)
    except UsherError as no:
        raise Http404 from no
    messages.success(request, _("{domain} is removed.").format(domain=gone.name))
    return redirect("console:domains", visit.organization.slug)
