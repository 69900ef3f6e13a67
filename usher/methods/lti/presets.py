"""What is known of an LMS before anybody has typed a word: addresses that are fixed, what its fields are called
there, and the way to them, click by click. Moodle's follows what a real one showed and sent; the others follow their
makers' documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from usher.methods.lti.families import Family

Words = str | Promise

# What a platform is made of, in the order in which it is asked.
FIELDS: Final = ("issuer", "client_id", "auth_url", "token_url", "token_audience", "jwks_url")
NEEDED: Final = ("issuer", "client_id", "auth_url", "token_url", "jwks_url")
LABELS: Final[Mapping[str, Words]] = {
    "issuer": _("Issuer"),
    "client_id": _("Client ID"),
    "auth_url": _("Authentication request URL"),
    "token_url": _("Access token URL"),
    "token_audience": _("Audience of the token"),
    "jwks_url": _("Public keyset URL"),
}
# What is given to the LMS: what the address is for, and its usual name.
OURS: Final[Mapping[str, Words]] = {
    "launch": _("Tool URL"),
    "login": _("Login URL"),
    "redirect": _("Redirect URL"),
    "jwks": _("Public keyset URL"),
}


@dataclass(frozen=True, slots=True)
class Preset:
    """``fixed`` are values that are the same for every school; ``guessed`` follow from the issuer, to be looked at.

    ``by_link``: it can register Usher by a link (Dynamic Registration); ``link_steps`` and ``hand_steps`` say how.
    ``is_tried``: known from a real one. ``origins`` may show Usher in a frame, as CSP writes them.
    """

    family: Family
    by_link: bool
    hand_steps: tuple[Words, ...]
    link_steps: tuple[Words, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    guessed: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Words] = field(default_factory=dict)
    ours: Mapping[str, Words] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    is_tried: bool = False
    note: Words = ""

    @property
    def name(self) -> str:
        return "" if self.family is Family.OTHER else str(self.family.label)

    @property
    def asked(self) -> tuple[str, ...]:
        """The fields somebody has to fill in."""
        return tuple(name for name in FIELDS if name not in self.fixed and self._is_wanted(name))

    def _is_wanted(self, name: str) -> bool:
        return name != "token_audience" or self.family is Family.OTHER

    def label(self, name: str) -> str:
        """What the field is called there."""
        return str(self.labels.get(name) or LABELS[name])

    def our_label(self, name: str) -> str:
        return str(self.ours.get(name) or OURS[name])

    def filled(self, issuer: str) -> dict[str, str]:
        """What follows, once the issuer is known: the fixed values, and the usual paths below it."""
        base = issuer.strip().rstrip("/")
        below = {name: base + path for name, path in self.guessed.items()} if base else {}
        return {**below, **self.fixed}


PRESETS: Final[Mapping[Family, Preset]] = {
    preset.family: preset
    for preset in (
        Preset(
            Family.MOODLE,
            by_link=True,
            is_tried=True,
            guessed={
                "auth_url": "/mod/lti/auth.php",
                "token_url": "/mod/lti/token.php",
                "jwks_url": "/mod/lti/certs.php",
            },
            labels={"issuer": _("Platform ID"), "client_id": _("Client ID")},
            ours={"login": _("Initiate login URL"), "redirect": _("Redirection URI(s)"), "jwks": _("Public keyset")},
            link_steps=(
                _("In Moodle: Site administration, Plugins, External tool, Manage tools."),
                _("Paste the registration URL into “Tool URL” and press “Add LTI Advantage”."),
                _("Press “Connect” on the page of Usher that appears."),
                _("The tool is listed as pending: press “Activate” on its tile."),
                _("In each course: More, LTI External tools, and show Usher in the activity chooser."),
            ),
            hand_steps=(
                _("In Moodle: Site administration, Plugins, External tool, Manage tools, “configure a tool manually”."),
                _("LTI version: LTI 1.3. Public key type: Keyset URL. Paste the addresses that Usher shows."),
                _("Services: use grades with column management, and retrieve members’ information. Save."),
                _("On the tile of the tool press “View configuration details” and copy what it shows."),
            ),
        ),
        Preset(
            Family.CANVAS,
            by_link=True,
            fixed={
                "issuer": "https://canvas.instructure.com",
                "auth_url": "https://sso.canvaslms.com/api/lti/authorize_redirect",
                "token_url": "https://sso.canvaslms.com/login/oauth2/token",
                "jwks_url": "https://sso.canvaslms.com/api/lti/security/jwks",
            },
            labels={"client_id": _("Developer key ID (the number in “Details”)")},
            ours={
                "launch": _("Target link URI"),
                "login": _("OpenID Connect initiation URL"),
                "redirect": _("Redirect URIs"),
                "jwks": _("Public JWK URL"),
            },
            origins=("https://*.instructure.com", "https://*.canvaslms.com"),
            note=_("All schools share one issuer, so each deployment waits for a yes here."),
            link_steps=(
                _("In Canvas: Admin, Developer Keys, “+ Developer Key”, “LTI Registration”."),
                _("Paste the registration URL, go on, and press “Connect” on the page of Usher that appears."),
                _("Choose the placements and the privacy level “Public”, and switch the key on."),
            ),
            hand_steps=(
                _("In Canvas: Admin, Developer Keys, “+ Developer Key”, “LTI Key”. Paste the addresses of Usher."),
                _("Switch on the LTI Advantage services for line items, results, scores and names. Save, switch on."),
                _("Copy the number in the column “Details”: it is the client ID here."),
                _("Settings, Apps, “+ App”, by client ID: paste it, then copy the deployment ID of the app."),
            ),
        ),
        Preset(
            Family.BLACKBOARD,
            by_link=True,
            fixed={
                "issuer": "https://blackboard.com",
                "auth_url": "https://developer.blackboard.com/api/v1/gateway/oidcauth",
                "token_url": "https://developer.blackboard.com/api/v1/gateway/oauth2/jwttoken",
            },
            labels={"client_id": _("Application ID")},
            ours={
                "login": _("Login initiation URL"),
                "redirect": _("Tool redirect URL(s)"),
                "jwks": _("Tool JWKS URL"),
            },
            origins=("https://*.blackboard.com",),
            note=_("The application is registered once, in the developer portal; each school then places it."),
            link_steps=(
                _("In the developer portal of Anthology: My Apps, register by the registration URL."),
                _("Press “Connect” on the page of Usher that appears."),
                _("In Blackboard Learn: Administrator, LTI Tool Providers, register by the application ID."),
            ),
            hand_steps=(
                _("In the developer portal of Anthology: My Apps, “+”, LTI supported. Paste the addresses."),
                _("Copy the application ID and the public keyset URL."),
                _("In Blackboard Learn: Administrator, LTI Tool Providers, “Register LTI 1.3 Tool” by that ID."),
                _("Copy the deployment ID it shows; allow role, name, e-mail, grade service and membership service."),
            ),
        ),
        Preset(
            Family.BRIGHTSPACE,
            by_link=True,
            fixed={
                "token_url": "https://auth.brightspace.com/core/connect/token",
                "token_audience": "https://api.brightspace.com/auth/token",
            },
            guessed={"auth_url": "/d2l/lti/authenticate", "jwks_url": "/d2l/.well-known/jwks"},
            labels={"auth_url": _("OpenID Connect authentication endpoint"), "jwks_url": _("Brightspace keyset URL")},
            ours={"login": _("OpenID Connect login URL"), "launch": _("Target link URI"), "jwks": _("Keyset URL")},
            link_steps=(
                _("In Brightspace: Admin tools, Manage Extensibility, LTI Advantage, “Register Tool”, Dynamic."),
                _("Paste the registration URL, tick the services, register, and press “Connect” on the page of Usher."),
                _("Switch the registration on, then add a deployment to it with the same services."),
            ),
            hand_steps=(
                _("In Brightspace: Admin tools, Manage Extensibility, LTI Advantage, “Register Tool”, Standard."),
                _("Domain: that of Usher. Paste the addresses, tick the extensions, register."),
                _("Copy the registration details from the page that follows."),
                _("Add a deployment with the same extensions, name and e-mail, and copy its ID."),
            ),
        ),
        Preset(
            Family.SCHOOLOGY,
            by_link=False,
            fixed={
                "issuer": "https://schoology.schoology.com",
                "auth_url": "https://lti-service.svc.schoology.com/lti-service/authorize-redirect",
                "token_url": "https://lti-service.svc.schoology.com/lti-service/access-token",
                "jwks_url": "https://lti-service.svc.schoology.com/lti-service/.well-known/jwks",
            },
            ours={"login": _("OIDC login init URL"), "redirect": _("Redirect URLs"), "jwks": _("JWKS URL")},
            origins=("https://*.schoology.com",),
            note=_("All schools share one issuer, so each deployment waits for a yes here."),
            hand_steps=(
                _("In Schoology: App Center, My Developer Apps, “Add App”, type LTI 1.3."),
                _("Paste the addresses; choose the services and that names and e-mails are sent. Save."),
                _("Copy the client ID. Install the app for the school and copy its deployment ID."),
            ),
        ),
        Preset(
            Family.SAKAI,
            by_link=True,
            guessed={
                "auth_url": "/imsoidc/lti13/oidc_auth",
                "token_url": "/imsblis/lti13/token",
                "jwks_url": "/imsblis/lti13/keyset",
            },
            ours={
                "login": _("Tool OpenID Connect initiation URL"),
                "redirect": _("Tool OIDC redirect URI"),
                "jwks": _("Tool keyset URL"),
            },
            link_steps=(
                _("In Sakai: Administration Workspace, External Tools, “LTI Advantage Auto Provision”."),
                _("Paste the registration URL, and press “Connect” on the page of Usher that appears."),
                _("Tick names, e-mails, roster, grades and grade columns, and save."),
            ),
            hand_steps=(
                _("In Sakai: Administration Workspace, External Tools, “Install LTI 1.x Tool”, LTI 1.3."),
                _("Paste the addresses; tick names, e-mails, roster, grades and grade columns. Save."),
                _("Open the tool again and copy the client ID, the deployment ID and the addresses it shows."),
            ),
        ),
        Preset(
            Family.OTHER,
            by_link=True,
            link_steps=(
                _("In your LMS: look for “dynamic registration” of an LTI 1.3 tool, and paste the registration URL."),
                _("Press “Connect” on the page of Usher that appears, then switch the tool on in the LMS."),
            ),
            hand_steps=(
                _("In your LMS: add an LTI 1.3 tool by hand, and paste the addresses that Usher shows."),
                _("Allow the services for grades and for names and roles."),
                _("Copy the fields it shows into Usher, the deployment ID too."),
            ),
        ),
    )
}


def preset_of(family: str) -> Preset:
    """The one of an LMS; that of any other for a word that nobody knows."""
    return PRESETS[Family(family) if family in Family.values else Family.OTHER]


# How LMSs call themselves: in ``product_family_code`` of their configuration and of launches.
CODES: Final[Mapping[str, Family]] = {
    "moodle": Family.MOODLE,
    "canvas": Family.CANVAS,
    "blackboardlearn": Family.BLACKBOARD,
    "blackboard": Family.BLACKBOARD,
    "desire2learn": Family.BRIGHTSPACE,
    "brightspace": Family.BRIGHTSPACE,
    "d2l": Family.BRIGHTSPACE,
    "schoology": Family.SCHOOLOGY,
    "sakai": Family.SAKAI,
}


def family_of(code: str) -> Family:
    """By the word that an LMS uses for itself."""
    return CODES.get(code.strip().lower().replace(" ", ""), Family.OTHER)
