"""The plans as data: roles with their rank and seat pool, the ways in, what a first password may do.

A licence names a plan and can override any of it (``License.overrides``); :func:`plan_of` is what counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Method(StrEnum):
    """A way in. Public: stored in memberships and events, listed in docs/methods/."""

    INVITE_CODE = "invite_code"
    EMAIL_INVITATION = "email_invitation"
    CSV_IMPORT = "csv_import"
    BULK_ACCOUNTS = "bulk_accounts"
    MICROSOFT = "microsoft"
    GOOGLE = "google"
    OIDC = "oidc"
    LTI = "lti"
    SCIM = "scim"
    ONEROSTER = "oneroster"
    OPERATOR = "operator"
    CONSOLE = "console"
    API = "api"


# What a person reads, and the icon drawn beside it.
METHOD_LABELS: Mapping[Method, tuple[str | Promise, str]] = {
    Method.INVITE_CODE: (_("Invite code"), "ticket"),
    Method.EMAIL_INVITATION: (_("E-mail"), "mail"),
    Method.CSV_IMPORT: (_("CSV"), "file-spreadsheet"),
    Method.BULK_ACCOUNTS: (_("Made here"), "user-plus"),
    Method.MICROSOFT: (_("Microsoft"), "brand-windows"),
    Method.GOOGLE: (_("Google"), "brand-google"),
    Method.OIDC: (_("Single sign-on"), "key"),
    Method.LTI: (_("LMS"), "school"),
    Method.SCIM: (_("Directory"), "refresh"),
    Method.ONEROSTER: (_("OneRoster"), "refresh"),
    Method.OPERATOR: (_("Operator"), "settings"),
    Method.CONSOLE: (_("By hand"), "user"),
    Method.API: (_("API"), "code"),
}

# The operator and an admin's own hand work whatever the plan says.
ALWAYS = frozenset({Method.OPERATOR, Method.CONSOLE})


@dataclass(frozen=True, slots=True)
class InitialPassword:
    """What becomes of a password that staff made: kept, or changed at the first sign-in and dead if unused."""

    must_change: bool = False
    expires_days: int | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """A role of a plan. Nobody grants a role above his own rank. ``pool`` is the kind of seat it takes."""

    slug: str
    rank: int
    pool: str
    label: str | Promise
    plural: str | Promise
    initial_password: InitialPassword = InitialPassword(must_change=True, expires_days=30)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an organisation may do. Roles stand from the lowest to the highest."""

    slug: str
    name: str | Promise
    roles: tuple[Role, ...]
    seats: Mapping[str, int]
    methods: frozenset[Method]
    groups: bool = True
    pool_labels: Mapping[str, str | Promise] = field(default_factory=dict)

    @property
    def lowest(self) -> Role:
        return self.roles[0]

    @property
    def admin(self) -> Role:
        return self.roles[-1]

    def role(self, slug: str) -> Role | None:
        return next((role for role in self.roles if role.slug == slug), None)


KEEPS = InitialPassword()
EVERY_WAY = frozenset(Method) - ALWAYS

PLANS: Mapping[str, Plan] = {
    plan.slug: plan
    for plan in (
        Plan(
            slug="school",
            name=_("School"),
            roles=(
                Role("student", 1, "student", _("Student"), _("Students"), KEEPS),
                Role("teacher", 2, "teacher", _("Teacher"), _("Teachers")),
                Role("admin", 3, "teacher", _("Admin"), _("Admins")),
            ),
            seats={"student": 500, "teacher": 40},
            methods=EVERY_WAY,
            pool_labels={"student": _("Students"), "teacher": _("Teachers")},
        ),
        Plan(
            slug="elearning",
            name=_("eLearning"),
            roles=(
                Role("learner", 1, "learner", _("Learner"), _("Learners"), KEEPS),
                Role("creator", 2, "creator", _("Creator"), _("Creators")),
                Role("admin", 3, "creator", _("Admin"), _("Admins")),
            ),
            seats={"learner": 250, "creator": 10},
            methods=EVERY_WAY,
            pool_labels={"learner": _("Learners"), "creator": _("Creators")},
        ),
        Plan(
            slug="marketing",
            name=_("Marketing & Editorial"),
            roles=(
                Role("member", 1, "member", _("Member"), _("Members"), KEEPS),
                Role("admin", 2, "member", _("Admin"), _("Admins")),
            ),
            seats={"member": 25},
            methods=EVERY_WAY - {Method.LTI},
            groups=False,
            pool_labels={"member": _("Members")},
        ),
    )
}


def plan_of(slug: str, overrides: Mapping[str, Any]) -> Plan:
    """The plan with what the operator overrode for one licence.

    ``overrides`` may hold ``methods`` (list of method codes), ``groups`` (bool) and ``initial_password``
    (role slug -> ``{"must_change": bool, "expires_days": int | None}``). Raises KeyError for an unknown plan.
    """
    plan = PLANS[slug]
    if not overrides:
        return plan
    passwords = overrides.get("initial_password", {})
    roles = tuple(
        replace(role, initial_password=InitialPassword(**passwords[role.slug])) if role.slug in passwords else role
        for role in plan.roles
    )
    methods = frozenset(Method(code) for code in overrides["methods"]) if "methods" in overrides else plan.methods
    return replace(plan, roles=roles, methods=methods, groups=overrides.get("groups", plan.groups))
