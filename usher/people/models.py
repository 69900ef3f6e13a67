"""Accounts, memberships, groups, one-time links, and the two small tables that serve them."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import UserManager
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac

from usher.core import clock
from usher.core.fields import ByteOrdered
from usher.core.rows import Row, new_id
from usher.core.work import WorkItem
from usher.organizations.models import Organization
from usher.people import harden, passwords


class Account(AbstractBaseUser):
    """A person; one, however many organisations.

    *Unclaimed* (``claimed_at`` empty): made by an organisation (``home``) and usable there alone.
    *Claimed*: the person proved the address, or the operator vouches for it; it has no home any more.
    *Vouched for* (``vouched_by_organization``): claimed by a single sign-on whose organisation answers for the address,
    while the mailbox was never proved to us. Two facts, two columns: see docs/decisions/0025.
    ``sign_in_key`` is what is typed to sign in, in lower case: the address or the made name.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=150)
    email = models.CharField(max_length=254, blank=True)  # as typed; empty when the person has none
    sign_in_key = models.CharField(max_length=254)
    home = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    claimed_at = models.DateTimeField(null=True)
    vouched_by_organization = models.UUIDField(null=True)  # its id, also when it is gone: the mailbox stays unproved
    is_operator = models.BooleanField(default=False)
    must_change_password = models.BooleanField(default=False)
    password_expires_at = models.DateTimeField(null=True)  # of a first password that nobody used
    # When somebody last set the password; equal to created_at while it is the one the account was made with.
    password_set_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "sign_in_key"
    EMAIL_FIELD = "email"

    objects = UserManager["Account"]()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sign_in_key"], name="one_claimed_account", condition=Q(claimed_at__isnull=False)
            ),
            # Not partial, so that it also finds every account of an address; a claimed one has no home.
            models.UniqueConstraint(fields=["sign_in_key", "home"], name="one_unclaimed_account"),
            models.CheckConstraint(
                name="unclaimed_has_a_home",
                condition=Q(claimed_at__isnull=False, home__isnull=True)
                | Q(claimed_at__isnull=True, home__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.sign_in_key

    @property
    def sign_in(self) -> str:
        """What the person types to sign in: the address as written, or the made name."""
        return self.email or self.sign_in_key

    @property
    def is_claimed(self) -> bool:
        return self.claimed_at is not None

    @property
    def is_proved(self) -> bool:
        """Claimed, and by more than an organisation's word: whoever proves the mailbox need not give way to anybody."""
        return self.is_claimed and self.vouched_by_organization is None

    def set_password(self, raw_password: str | None) -> None:
        self.password = passwords.UNUSABLE if raw_password is None else passwords.make(raw_password)

    def check_password(self, raw_password: str | None) -> bool:
        return passwords.verify(raw_password or "", self.password).ok

    def has_usable_password(self) -> bool:
        return not self.password.startswith(passwords.UNUSABLE)

    def get_session_auth_hash(self) -> str:
        """Bound to the salt, not the hash: wrapping a digest in argon2id must sign nobody out."""
        return salted_hmac("usher.session", passwords.salt_of(self.password), algorithm="sha256").hexdigest()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return iter(())


class Membership(Row):
    """An account in an organisation, with a role. Only ``lifecycle/`` creates, moves and ends it."""

    class State(models.TextChoices):
        ACTIVE = "active"
        INACTIVE = "inactive"
        WAITING = "waiting"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="memberships", db_index=False)
    role = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    method = models.CharField(max_length=20)
    evidence = models.CharField(max_length=200, blank=True)
    keeps_password = models.BooleanField(db_default=False, default=False)  # where the others need single sign-on
    joined_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True)
    sort_name = ByteOrdered(max_length=60)  # see names.sort_key

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "organization"], name="one_membership")]
        indexes = [
            models.Index(fields=["organization", "sort_name", "id"], name="members_by_name"),
            models.Index(fields=["organization", "role", "sort_name", "id"], name="members_by_role"),
            models.Index(
                fields=["organization", "sort_name", "id"],
                name="members_never_seen",
                condition=Q(last_seen_at__isnull=True),
            ),
            # Few are in it, and nobody who joins: it costs an import nothing.
            models.Index(
                fields=["organization", "state", "sort_name", "id"],
                name="members_not_active",
                condition=~Q(state="active"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.account_id}"


class SearchWord(models.Model):
    """One word of a member's name or address; found by its beginning. A plain link row: its key is itself."""

    pk = models.CompositePrimaryKey("membership_id", "word")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="words", db_index=False)
    organization_id = models.UUIDField()
    word = ByteOrdered(max_length=40)

    class Meta:
        indexes = [models.Index(fields=["organization_id", "word", "membership"], name="members_by_word")]

    def __str__(self) -> str:
        return self.word


class Group(Row):
    """A group of members. ``used`` counts its active members, for the cap."""

    class State(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"
        ARCHIVED = "archived"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="groups", db_index=False)
    name = models.CharField(max_length=80)
    name_key = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    cap = models.PositiveIntegerField(null=True, blank=True)
    used = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name_key"], name="one_group_of_a_name")]

    def __str__(self) -> str:
        return self.name


class GroupMembership(Row):
    """A membership in a group, with its right there."""

    class Right(models.TextChoices):
        MEMBER = "member"
        MANAGER = "manager"

    organization_id = models.UUIDField()
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="members", db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="group_links")
    right = models.CharField(max_length=10, choices=Right.choices, default=Right.MEMBER)
    notify = models.BooleanField(db_default=False)  # a manager who wants a mail when people come in or ask

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "membership"], name="one_place_in_a_group")]
        indexes = [models.Index(fields=["group"], name="managers_of_group", condition=Q(right="manager"))]

    def __str__(self) -> str:
        return f"{self.right} of {self.group_id}"


class MadeName(Row):
    """How many sign-in names were made from one stem; counts up only, so that no name is made twice."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    stem = models.CharField(max_length=48)
    used = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "stem"], name="one_counter_per_stem")]

    def __str__(self) -> str:
        return f"{self.stem}-{self.used}"


class OneTimeLink(Row):
    """A link that acts once. Only the hash of its token is here; the purpose is part of the look-up."""

    class Purpose(models.TextChoices):
        SETUP = "setup"  # sets the first password of an admin; proves no mailbox
        RESET = "reset"  # proves the mailbox of a claimed account, and sets a new password
        CLAIM = "claim"  # the same for an address that no account has proved
        ADDRESS = "address"  # proves the mailbox that the account shall have from now on

    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="links")
    organization = models.ForeignKey(Organization, null=True, on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=254, blank=True, db_default="")  # as typed: what this link proves
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="link_ends_after_start", condition=Q(expires_at__gt=F("created_at")))
        ]

    def __str__(self) -> str:
        return f"{self.purpose} link for {self.account_id}"


class Identity(Row):
    """By which an identity provider knows an account: one of the things that open it.

    Keyed by (connection, issuer, subject) and by nothing else: OpenID Connect Core 1.0 section 2 calls only ``iss`` and
    ``sub`` together stable, and an issuer alone identifies nobody, since another organisation can register it. For
    Microsoft the subject is ``oid`` and the tenant is part of the issuer. ``connection_id`` is a row of methods/sso.
    ``address`` and ``name`` are what the provider said last, for people to read; nothing is decided by them.
    ``role`` and ``groups`` are what the rules gave last: only a change of these moves a member.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="identities")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    connection_id = models.UUIDField()
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    address = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=20, blank=True)
    groups = models.JSONField(default=list)
    facts = models.JSONField(default=dict)  # what was asked of the provider beside the token, and when
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection_id", "issuer", "subject"], name="one_identity_of_a_subject")
        ]
        indexes = [models.Index(fields=["organization", "id"], name="identities_of_organization")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class Registration(Row):
    """Somebody who registered and has still to prove the address: no account yet, nothing that signs in.

    ``code_id`` is the invite code that was typed (its room knows it), ``browser_hash`` the hash of a cookie that
    only the browser has in which the form was filled in: elsewhere the password has to be chosen anew.
    """

    username = models.CharField(max_length=150)
    email = models.CharField(max_length=254)
    address_key = models.CharField(max_length=254)
    password = models.CharField(max_length=255)
    code_id = models.UUIDField(null=True)
    token_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], name="registrations_that_ended"),
            models.Index(fields=["address_key", "id"], name="registrations_of_address"),
        ]

    def __str__(self) -> str:
        return f"registration {self.id}"


class HashBatch(WorkItem):
    """Digests to be wrapped in argon2id: those of the accounts whose ids lie in a range (both ends included)."""

    priority = 9

    first_id = models.UUIDField()
    last_id = models.UUIDField()

    def perform(self) -> None:
        harden.harden_range(Account, self.first_id, self.last_id, beat=self.beat)
