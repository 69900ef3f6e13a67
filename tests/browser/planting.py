"""Fern School and Elm School beside the demonstration, which sign in by the stand-ins.

Run by house.py with the tenants of both, in the house's own environment.
"""

from __future__ import annotations

import sys

import django

django.setup()

from usher.core import clock  # noqa: E402 - Django comes first
from usher.events.types import Actor  # noqa: E402
from usher.lifecycle.founding import BY_OPERATOR, Plot, found  # noqa: E402
from usher.lifecycle.joiner import By  # noqa: E402
from usher.lifecycle.lists.parse import read  # noqa: E402
from usher.methods.csv_import import run as csv_import  # noqa: E402
from usher.methods.csv_import.options import Options  # noqa: E402
from usher.methods.sso.models import Connection, Kind, Rule  # noqa: E402
from usher.organizations.models import Domain, Organization  # noqa: E402
from usher.people import passwords  # noqa: E402
from usher.people.links import use_setup_link  # noqa: E402

PASSWORD = "lantern-harbour-7719"
DOMAINS = ("cedar.example", "students.cedar.example")
TEACHERS = "7e57e000-0000-4000-8000-000000000001"  # a group of the tenant (idp/people.json)
OLD = f"""email,username,password
gus@birch.example,Gus of Elm,{PASSWORD}
bob@birch.example,Bob of Elm,{PASSWORD}
"""


def main(fern_tenant: str, elm_tenant: str) -> None:
    """Fern has proved its domains, and has Microsoft and Google; Elm has Microsoft, and pupils from a list."""
    fern, _fay = _organization("fern", "Fern School")
    for name in DOMAINS:
        now = clock.now()
        Domain.objects.create(organization=fern, name=name, token="told", proof="dns", proved_at=now, checked_at=now)
    with_rule = _connection(fern, Kind.MICROSOFT, fern_tenant)
    Rule.objects.create(connection=with_rule, position=0, claim="group", value=TEACHERS, role="teacher")
    _connection(fern, Kind.GOOGLE)
    elm, elsa = _organization("elm", "Elm School")
    order = csv_import.Order(elm, read(OLD.encode(), "old.csv"), Options("student", file_name="old.csv"), elsa)
    list(csv_import.write(order, csv_import.start(order)))
    _connection(elm, Kind.MICROSOFT, elm_tenant)


def _organization(slug: str, name: str) -> tuple[Organization, By]:
    """With an admin who has a password."""
    made = found(Plot(slug, name, "school", f"admin@{slug}.example", {"student": 500}, f"Admin of {name}"))
    use_setup_link(made.link.rpartition("/")[2], passwords.make(PASSWORD))
    rank = made.organization.license.plan.admin.rank
    return made.organization, By(Actor("account", made.admin.id), rank, BY_OPERATOR.groups)


def _connection(organization: Organization, kind: Kind, tenant: str = "") -> Connection:
    """Proved, tried and on."""
    now = clock.now()
    proved = {"tenant": tenant, "proved_at": now} if tenant else {}
    return Connection.objects.create(organization=organization, kind=kind, tested_at=now, state="on", **proved)


if __name__ == "__main__":
    main(*sys.argv[1:])
