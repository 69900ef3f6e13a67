"""Connections to identity providers, their rules, the sign-ins that are under way, and the last ones decoded."""

from __future__ import annotations

from functools import cached_property

from django.db import models
from django.db.models import F, Q

from usher.core import clock
from usher.core.rows import Row
from usher.organizations.models import Organization
from usher.people.models import Account, Group


class Kind(models.TextChoices):
    """Which provider it is. The value is the code of the method too (organizations/plans.py)."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"
    OIDC = "oidc"


class Connection(Row):
    """An organisation's tie to one Entra tenant, to Google for its proved domains, or to one OpenID issuer.

    ``client_id`` and ``sealed_secret`` are of the organisation's own registration; empty, the operator's is used.
    ``tenant`` is an Entra tenant (a UUID in lower case), typed or found; it counts only once ``proved_at`` is set, by a
    verified sign-in of one of its admins. ``issuer`` is that of an OpenID provider, as typed.
    """

    class State(models.TextChoices):
        DRAFT = "draft"  # being set up: only its own admins can try it
        ON = "on"
        OFF = "off"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=60, blank=True)  # on the button; empty for the provider's own
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    issuer = models.CharField(max_length=300, blank=True)
    client_id = models.CharField(max_length=255, blank=True)
    sealed_secret = models.CharField(max_length=2000, blank=True)  # core/seal.py
    tenant = models.CharField(max_length=36, blank=True)
    proved_at = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(null=True)  # the last test sign-in that would have let somebody in
    lets_in = models.BooleanField(default=True)  # new people; else only those who are in, or invited
    guests = models.BooleanField(default=False)  # people whom the tenant only invited (Entra B2B)
    leaver_days = models.PositiveSmallIntegerField(null=True, blank=True)  # without a sign-in, before the seat is freed
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["organization", "kind"], name="connections_of_organization")]
        constraints = [
            # One tenant opens one organisation.
            models.UniqueConstraint(
                fields=["tenant"], name="one_owner_of_a_tenant", condition=Q(proved_at__isnull=False) & ~Q(tenant="")
            ),
            models.CheckConstraint(
                name="an_issuer_of_ones_own_has_a_client",
                condition=~Q(kind="oidc") | (~Q(issuer="") & ~Q(client_id="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.organization_id}"

    @property
    def is_own(self) -> bool:
        """By the organisation's own registration with the provider, not by the operator's."""
        return bool(self.client_id)

    @cached_property
    def rules_in_order(self) -> list[Rule]:
        """Read once for a sign-in, which asks for them three times."""
        return list(self.rules.order_by("position"))


class Rule(Row):
    """One line of the rules of a connection: who bears ``value`` in ``claim`` gets a role, or a place in a group.

    Rules for a role are asked in order, and the first that fits is the answer; of those for groups every one counts.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="rules", db_index=False)
    position = models.PositiveSmallIntegerField()
    claim = models.CharField(max_length=100)  # a fact of the kind's own table, or any claim of an OpenID provider
    value = models.CharField(max_length=255)
    role = models.CharField(max_length=20, blank=True)
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "position"], name="one_rule_at_a_position"),
            models.CheckConstraint(
                name="a_rule_gives_one_thing",
                condition=(Q(role="") & Q(group__isnull=False)) | (~Q(role="") & Q(group__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claim} = {self.value}"


class Purpose(models.TextChoices):
    """What a trip to the provider is for."""

    SIGN_IN = "sign_in"
    TEST = "test"  # an admin tries a connection; nobody is let in by it
    CONSENT = "consent"  # an admin of the tenant lets the application in, for everybody there
    BIND = "bind"  # an admin of the tenant or the domain proves that it is theirs
    AGAIN = "again"  # whoever is signed in proves it once more (people/fresh.py)
    LINK = "link"  # whoever is signed in adds this identity to the account


class Trip(Row):
    """Somebody is on the way to the provider and back: state, nonce and PKCE of one sign-in, good for ten minutes.

    Gone with the return, whatever it brings: the row is deleted by the statement that finds it. Of the state only the
    hash is here; nonce and verifier follow from the id under a subkey of the pepper (``core.tokens.derived_token``).
    ``connection`` is empty where the provider's answer has yet to say which organisation it is.
    """

    state_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    connection = models.ForeignKey(Connection, null=True, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="+")
    door = models.ForeignKey(Organization, null=True, on_delete=models.CASCADE, related_name="+")  # whose page it was
    next = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="trip_ends_after_start", condition=Q(expires_at__gt=F("created_at")))
        ]

    def __str__(self) -> str:
        return f"{self.purpose} by {self.kind}"


class Question(Row):
    """ "Link or create", asked once: a verified person who resembles an account, until he has said which.

    Bound to this browser and to (connection, issuer, subject): what is proved here links nothing else.
    """

    token_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    person = models.JSONField()
    next = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"question {self.id}"


class Attempt(Row):
    """A sign-in by a connection, decoded: what the provider said, what was decided, why. The last twenty are kept."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    at = models.DateTimeField(default=clock.now)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    result = models.CharField(max_length=20)  # a lifecycle Result, "signed_in", "asked", or "refused"
    reason = models.CharField(max_length=60, blank=True)
    detail = models.CharField(max_length=500, blank=True)  # for whoever mends it: which claim, which side
    claims = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    role = models.CharField(max_length=20, blank=True)
    subject = models.CharField(max_length=255, blank=True)
    account_id = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["connection", "-at"], name="attempts_of_connection")]

    def __str__(self) -> str:
        return f"{self.result} at {self.at}"
