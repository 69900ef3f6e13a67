"""Pages of one's own account: which LMSs open it, and the link code for the question in their frames."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from usher.core import crockford
from usher.methods.lti import linked, questions
from usher.people import fresh
from usher.people.access import Lock, Visit, lock

PAGE = "lti:account_lms"


@lock(Lock.SIGNED_IN)
@require_safe
def lms(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Those that open this account, and a button for a code."""
    return render(request, "lti/account.html", {"tab": "security", "mine": linked.of_account(visit.account)})


@lock(Lock.SIGNED_IN)
@fresh.fresh
@require_POST
def code(request: HttpRequest, visit: Visit) -> HttpResponse:
    """A new one, shown here and nowhere else; an older one is over."""
    made = crockford.in_fours(questions.new_code(visit.account))
    minutes = int(questions.LASTS.total_seconds() // 60)
    return render(request, "lti/account_code.html", {"tab": "security", "code": made, "minutes": minutes})


@lock(Lock.SIGNED_IN)
@fresh.fresh
@require_POST
def unlink(request: HttpRequest, visit: Visit) -> HttpResponse:
    if linked.unlink(visit.account, request.POST.get("user", "")):
        messages.success(request, _("It opens your account no more."))
    return redirect(PAGE)
