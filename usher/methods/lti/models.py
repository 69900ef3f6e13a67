"""LMSs that are connected, who comes from them, the courses and links they come from, and launches under way."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from usher.activities.models import Activity, Score
from usher.core import clock
from usher.core.rows import Row
from usher.methods.lti.families import Family
from usher.organizations.models import Organization
from usher.people.models import Account, Group


class ToolKey(Row):
    """A key pair of this installation: one signs, those before and after it are published too (keys.py)."""

    kid = models.CharField(max_length=64, unique=True)
    sealed_private = models.TextField()  # core/seal.py
    public = models.JSONField()  # as a JWK
    created_at = models.DateTimeField(default=clock.now)
    signs_from = models.DateTimeField()
    published_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.kid


class Platform(Row):
    """An LMS: one registration of Usher with it, of an organisation or, where the issuer is shared, of the operator.

    Its people are keyed by this row and their ``sub``: an issuer alone identifies nobody, since another organisation
    can register it with keys of its own. ``token_audience`` is set where it is not the token address. ``origins`` are
    further places in which its pages are shown, as ``https://lms.school.example``. Times are UTC.
    """

    class State(models.TextChoices):
        DRAFT = "draft"  # fields are missing, or an admin has still to approve it
        ON = "on"
        OFF = "off"

    class Asks(models.TextChoices):
        ALIKE = "alike"  # only where somebody here has that name or address
        ALWAYS = "always"

    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    family = models.CharField(max_length=12, choices=Family.choices, default=Family.OTHER)
    name = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    is_registered = models.BooleanField(default=False)  # by Dynamic Registration
    issuer = models.CharField(max_length=300, blank=True)
    client_id = models.CharField(max_length=255, blank=True)
    auth_url = models.CharField(max_length=500, blank=True)
    token_url = models.CharField(max_length=500, blank=True)
    token_audience = models.CharField(max_length=500, blank=True)
    jwks_url = models.CharField(max_length=500, blank=True)
    origins = models.JSONField(default=list, blank=True)
    instructor_role = models.CharField(max_length=20, blank=True)  # empty: the lowest above that of learners
    makes_groups = models.BooleanField(default=False)
    asks = models.CharField(max_length=10, choices=Asks.choices, default=Asks.ALIKE)
    lets_in = models.BooleanField(default=True)  # new people; else only those who are known
    roster_hours = models.PositiveSmallIntegerField(null=True, blank=True)  # between two pulls; empty: never by itself
    test_until = models.DateTimeField(null=True)  # launches are only looked at until then
    paused_until = models.DateTimeField(null=True)  # its services asked us to wait
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["organization", "id"], name="platforms_of_organization")]

    def __str__(self) -> str:
        return f"{self.family} {self.issuer}"


class RegistrationLink(Row):
    """The address that an admin gives to an LMS, which then registers Usher by itself. One hour, one use."""

    organization = models.ForeignKey(Organization, null=True, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, null=True, on_delete=models.SET_NULL, related_name="+")  # who made it
    token_hash = models.CharField(max_length=64, unique=True)
    platform = models.ForeignKey(Platform, null=True, on_delete=models.SET_NULL, related_name="+")  # what came of it
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"registration link {self.id}"


class Deployment(Row):
    """Where a platform offers Usher: (issuer, client_id, deployment_id) leads to one organisation, which said yes.

    One that nobody said yes to has ``approved_at`` empty; of the operator's platforms it also lacks an organisation.
    """

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="deployments", db_index=False)
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    deployment_id = models.CharField(max_length=255)
    name = models.CharField(max_length=150, blank=True)  # what the LMS calls itself
    approved_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "deployment_id"], name="one_deployment_of_an_id")]
        indexes = [models.Index(fields=["organization", "id"], name="deployments_of_organization")]

    def __str__(self) -> str:
        return self.deployment_id


class Course(Row):
    """A context of an LMS. ``group`` is the group it made here; its people are followed by ``nrps_url``."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="courses", db_index=False)
    context_id = models.CharField(max_length=255)
    title = models.CharField(max_length=255, blank=True)
    label = models.CharField(max_length=255, blank=True)
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    nrps_url = models.CharField(max_length=2000, blank=True)
    lineitems_url = models.CharField(max_length=2000, blank=True)
    scopes = models.JSONField(default=list)  # of its grades, as the last launch named them
    roster_at = models.DateTimeField(null=True)  # the last pull that was complete
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "context_id"], name="one_course_of_a_context")]
        indexes = [models.Index(fields=["organization", "id"], name="courses_of_organization")]

    def __str__(self) -> str:
        return self.title or self.label or self.context_id


class ResourceLink(Row):
    """A link in a course, what it opens, and its column in the gradebook (``lineitem_url``)."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="links", db_index=False)
    course = models.ForeignKey(Course, null=True, on_delete=models.CASCADE, related_name="links")
    link_id = models.CharField(max_length=255)
    title = models.CharField(max_length=255, blank=True)
    activity = models.ForeignKey(Activity, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    lineitem_url = models.CharField(max_length=2000, blank=True)
    lineitems_url = models.CharField(max_length=2000, blank=True)
    scopes = models.JSONField(default=list)
    making_until = models.DateTimeField(null=True)  # a worker makes its column just now
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["deployment", "link_id"], name="one_link_of_an_id")]
        indexes = [models.Index(fields=["organization", "activity"], name="links_of_activity")]

    def __str__(self) -> str:
        return self.title or self.link_id


class PlatformUser(Row):
    """By which LMS an account is opened, in its frame and nowhere else. Keyed by (platform, organisation, ``sub``).

    ``name`` and ``address`` are what the LMS said last, for people to read; nothing is decided by them. ``standing``
    is the last one, and ``proved_at`` the last launch: a roster never takes away what a launch has proved.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="users", db_index=False)
    subject = models.CharField(max_length=255)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="lms_users")
    name = models.CharField(max_length=150, blank=True)
    address = models.CharField(max_length=254, blank=True)
    standing = models.CharField(max_length=12)
    role = models.CharField(max_length=20, blank=True)  # what the standing gave last: only a change moves a member
    is_linked = models.BooleanField(default=False)  # to an account there was before; else the account was made by it
    proved_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "organization", "subject"], name="one_user_of_a_subject")
        ]
        indexes = [models.Index(fields=["organization", "id"], name="lms_users_of_organization")]

    def __str__(self) -> str:
        return self.subject


class CoursePlace(Row):
    """Somebody in a course, by a launch (``proved_at``) or by its roster (``listed_at``), until ``dropped_at``."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="places", db_index=False)
    user = models.ForeignKey(PlatformUser, on_delete=models.CASCADE, related_name="places")
    standing = models.CharField(max_length=12)
    proved_at = models.DateTimeField(null=True)
    listed_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "user"], name="one_place_in_a_course")]

    def __str__(self) -> str:
        return f"{self.standing} {self.user_id}"


class LinkUse(Row):
    """Somebody opened a link: a score of his belongs into its column, and into no other (security.md H13)."""

    link = models.ForeignKey(ResourceLink, on_delete=models.CASCADE, related_name="uses", db_index=False)
    user = models.ForeignKey(PlatformUser, on_delete=models.CASCADE, related_name="+")
    last_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["link", "user"], name="one_use_of_a_link")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.link_id}"


# Launches


class Trip(Row):
    """A login that the LMS began and that has to come back: state and nonce, good for ten minutes, used once.

    Gone with the return: the row is deleted by the statement that finds it. Of the state only the hash is here; the
    nonce and what lies in the storage of the platform follow from the id (``core.tokens.derived_token``).
    """

    state_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64)
    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="+")
    target_link_uri = models.CharField(max_length=2000)
    storage_target = models.CharField(max_length=255, blank=True)  # the frame of the LMS that keeps it for us
    login = models.JSONField(default=dict)  # what the LMS began with, to begin once more in a window of its own
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="lti_trip_ends_after_start", condition=Q(expires_at__gt=F("created_at")))
        ]

    def __str__(self) -> str:
        return f"trip by {self.platform_id}"


class Launch(Row):
    """Somebody in a frame of an LMS: a session of its own, which opens one activity and nothing else of the house.

    Its address holds a token of which only the hash is here; where the browser keeps a cookie in frames, that has to
    come along (``browser_hash``). ``user`` is empty for the LMS's own test person, who has no account.
    """

    token_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64, blank=True)  # empty where the browser keeps no cookie in frames
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(PlatformUser, null=True, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, null=True, on_delete=models.CASCADE, related_name="+")
    link = models.ForeignKey(ResourceLink, null=True, on_delete=models.CASCADE, related_name="+")
    activity = models.ForeignKey(Activity, null=True, on_delete=models.SET_NULL, related_name="+")
    standing = models.CharField(max_length=12)
    return_url = models.CharField(max_length=2000, blank=True)
    target = models.CharField(max_length=20, blank=True)  # iframe, frame or window
    deep_linking = models.JSONField(null=True)  # the settings of the request, until it is answered
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["browser_hash"], name="launches_of_browser")]

    def __str__(self) -> str:
        return f"launch {self.id}"


class LaunchCode(Row):
    """One use, one minute: by it an application downstream learns from the API who opened it."""

    code_hash = models.CharField(max_length=64, unique=True)
    launch = models.ForeignKey(Launch, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"code of {self.launch_id}"


class Question(Row):
    """ "Link or create", asked once: a verified person who resembles somebody here, until he has said which."""

    token_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64, blank=True)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="+")
    caller = models.JSONField()  # callers.Caller
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"question {self.id}"


class LinkCode(Row):
    """Made by somebody who is signed in, typed in the frame of the LMS: both are the same person. Ten minutes."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    code_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"link code {self.id}"


class Attempt(Row):
    """A launch, decoded: what the LMS said, what was decided, why. The last twenty of a platform are kept."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    at = models.DateTimeField(default=clock.now)
    message = models.CharField(max_length=40, blank=True)
    result = models.CharField(max_length=20)  # a lifecycle Result, "signed_in", "linked", "asked", "tested", "refused"
    reason = models.CharField(max_length=60, blank=True)
    side = models.CharField(max_length=10, blank=True)  # where it has to be mended: "lms", "usher" or "network"
    detail = models.CharField(max_length=500, blank=True)
    claims = models.JSONField(default=dict)
    role = models.CharField(max_length=20, blank=True)
    subject = models.CharField(max_length=255, blank=True)
    deployment_id = models.CharField(max_length=255, blank=True)
    account_id = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["platform", "-at"], name="lti_attempts_of_platform")]

    def __str__(self) -> str:
        return f"{self.result} at {self.at}"


# Grades


class Delivery(Row):
    """Somebody's score in one column of an LMS: waiting, sent, or refused with the reason.

    ``version`` is that of the score which is wanted there, ``sent_version`` that of the last one the LMS took.
    ``stamped_at`` is the time that the last message bore: the next one bears a later one.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        REFUSED = "refused"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    score = models.ForeignKey(Score, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    link = models.ForeignKey(ResourceLink, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(PlatformUser, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    version = models.PositiveIntegerField(default=1)
    sent_version = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=60, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    stamped_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["score", "link"], name="one_delivery_of_a_score")]
        indexes = [models.Index(fields=["organization", "state", "id"], name="deliveries_by_state")]

    def __str__(self) -> str:
        return f"{self.state} {self.id}"


# Rosters


class RosterRun(Row):
    """One look at the roster of a course, what followed of it, and what an admin has still to say yes to."""

    class State(models.TextChoices):
        APPLIED = "applied"
        HELD = "held"  # people would be taken out, more than the limit: waits for an admin
        DECLINED = "declined"
        FAILED = "failed"  # nothing was changed

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="rosters", db_index=False)
    state = models.CharField(max_length=10, choices=State.choices)
    counts = models.JSONField(default=dict)
    refused = models.JSONField(default=list)  # the first of those whom the door did not let in, with the reason
    removals = models.JSONField(default=list)  # ids of CoursePlace that are held
    reason = models.CharField(max_length=60, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["course", "-at"], name="rosters_of_course")]

    def __str__(self) -> str:
        return f"{self.state} at {self.at}"
