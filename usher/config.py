"""The settings an operator may give, by environment: typed, read once, wrong ones said in a sentence."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from email.utils import parseaddr
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from usher.core.given import (
    HOW_TO_MAKE,
    SECRET_LENGTH,
    ConfigError,
    cores,
    host_port,
    is_loopback,
    made_once,
    sentence,
    split_url,
)

DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")
MAIL_SCHEMES = ("smtp", "smtp+tls", "smtps")
MAIL_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


class Config(BaseSettings):
    """Everything an operator can set. The descriptions are the documentation (docs/settings.md)."""

    model_config = SettingsConfigDict(
        env_prefix="USHER_", frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    database_url: str = Field(
        "",
        validation_alias="DATABASE_URL",
        description="Where the data is kept: `postgresql://user:password@host:5432/name` or "
        "`sqlite:///path`. Left out: an embedded SQLite database, `usher.sqlite3` in `USHER_DATA_DIR`.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs sessions and forms; 32 characters or more. Made at first start with SQLite, "
        "must be given with PostgreSQL.",
    )
    pepper: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Keys every password and token hash; 32 characters or more. A list separated by commas: "
        "the first is current, older ones stay readable. Keep it apart from the database and its back-ups: "
        "without it no password works. Made at first start with SQLite, must be given with PostgreSQL.",
    )
    base_url: str = Field(
        "",
        description="The address people see, without a path: `https://usher.school.example`. "
        "Left out: `http://` and `USHER_LISTEN`, for this machine only.",
    )
    data_dir: Path = Field(
        Path("var"), description="The directory for the embedded database, its keys and other files."
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="The mail server: `smtp://`, `smtp+tls://` (STARTTLS) or `smtps://user:password@host:port`."
        " Left out: no mail is sent; with SQLite each becomes a file in `USHER_DATA_DIR/mail/`, with PostgreSQL it"
        " waits.",
    )
    mail_from: str = Field(
        "",
        description="Whom mails come from: `usher@school.example` or `Cedar School <usher@school.example>`. "
        "Left out: `usher@` and the host of `USHER_BASE_URL`.",
    )
    trusted_proxy_hops: int = Field(
        0,
        ge=0,
        le=10,
        description="How many proxies of yours stand before Usher. Only the last so many entries of "
        "X-Forwarded-For are believed; 0 believes none.",
    )
    listen: str = Field("127.0.0.1:8000", description="Host and port `usher serve` listens on.")
    demo: bool = Field(
        False, description="Demonstration mode: shows `/_kit/` and the demo sign-ins. This machine only."
    )
    web_processes: int = Field(
        default_factory=cores,
        ge=1,
        le=64,
        description="Web processes of `usher serve`. Left out: one per core.",
    )
    worker_threads: int = Field(
        default_factory=cores,
        ge=1,
        le=64,
        description="Threads that harden passwords after an import. Left out: one per core.",
    )
    import_max_mb: int = Field(50, ge=1, le=50, description="The largest file an import takes, in MB.")
    microsoft_client_id: str = Field(
        "",
        description="The application id of your own multi-tenant app registration with Microsoft Entra: with it, an"
        " admin connects a tenant by consent alone. Left out: each organisation registers Usher in its own tenant.",
    )
    microsoft_client_secret: SecretStr = Field(SecretStr(""), description="The secret of that registration.")
    microsoft_authority: str = Field(
        "https://login.microsoftonline.com",
        description="Where people sign in with Microsoft; another one for a national cloud, as"
        " `https://login.microsoftonline.us`.",
    )
    microsoft_graph: str = Field(
        "https://graph.microsoft.com", description="Microsoft Graph; another one for a national cloud."
    )
    google_client_id: str = Field(
        "",
        description="The client id of your own OAuth client with Google: with it, an admin needs only to prove a"
        " domain. Left out: each organisation makes its own.",
    )
    google_client_secret: SecretStr = Field(SecretStr(""), description="The secret of that client.")
    google_issuer: str = Field(
        "https://accounts.google.com", description="Only for trying Usher against a stand-in of Google."
    )
    google_apis: str = Field("", description="The same, for the stand-in of Google's Classroom and Directory.")
    private_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts inside your network that Usher may ask although their addresses are private, as"
        " `id.school.internal,10.0.0.5:8443`; separated by commas. Everything else it asks has to be public.",
    )
    dns_server: str = Field(
        "",
        description="Where the proofs of domains are looked up, as `9.9.9.9` or `127.0.0.1:5353`. Left out: as this"
        " machine looks up names.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Opens `/metrics` to who sends it as `Authorization: Bearer …`; 32 characters or more. Left out: "
        "only this machine may ask, and not through a proxy.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least serious kind of log line written."
    )

    @field_validator("pepper", mode="before")
    @classmethod
    def split_pepper(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("private_hosts", mode="before")
    @classmethod
    def split_hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip().lower() for part in value.split(",") if part.strip())

    @field_validator("microsoft_authority", "microsoft_graph", "google_issuer", "google_apis")
    @classmethod
    def check_provider(cls, value: str, info: ValidationInfo) -> str:
        name = f"USHER_{info.field_name or ''}".upper()
        url = split_url(value, name, "https://login.microsoftonline.us")
        if value and (url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment):
            raise ValueError(f"{name} is “{value}”; write it like https://login.microsoftonline.us.")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def check_database_url(cls, value: str) -> str:
        if not value:
            return value
        # The URL holds a password, so no sentence quotes more than its scheme.
        scheme, colon, _ = value.partition("://")
        if not colon or scheme not in DATABASE_SCHEMES:
            given = f"begins with “{scheme}”" if colon else "is not an address"
            raise ValueError(f"DATABASE_URL {given}; give postgresql://user:password@host/name or sqlite:///path.")
        name = split_url(value, "DATABASE_URL", "postgresql://user:password@host/name").path.strip("/")
        if not name or name == ":memory:":
            raise ValueError("DATABASE_URL names no database; write its name after the last slash.")
        return value.replace("postgres://", "postgresql://", 1)

    @field_validator("base_url")
    @classmethod
    def check_base_url(cls, value: str) -> str:
        if not value:
            return value
        url = split_url(value, "USHER_BASE_URL", "https://usher.school.example")
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"USHER_BASE_URL is “{value}”; write it like https://usher.school.example.")
        if "*" in url.hostname:
            raise ValueError("USHER_BASE_URL holds a “*”; name the one host that people use.")
        if url.path.strip("/") or url.query or url.fragment or url.username:
            raise ValueError(
                f"USHER_BASE_URL must end after the host; use {url.scheme}://{host_port(url)} "
                "and give Usher a host name of its own."
            )
        return f"{url.scheme}://{host_port(url)}"

    @field_validator("listen")
    @classmethod
    def check_listen(cls, value: str) -> str:
        url = split_url(f"//{value}", "USHER_LISTEN", "127.0.0.1:8000")
        if not url.hostname or not url.port or url.path or url.username:
            raise ValueError(f"USHER_LISTEN is “{value}”; write host and port like 127.0.0.1:8000.")
        if "*" in url.hostname:
            raise ValueError("USHER_LISTEN holds a “*”; write 0.0.0.0 to listen on every address.")
        return value

    @field_validator("smtp_url")
    @classmethod
    def check_smtp_url(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if not text:
            return value
        url = split_url(text, "USHER_SMTP_URL", "smtp+tls://user:password@host:587")
        if url.scheme not in MAIL_SCHEMES or not url.hostname:
            raise ValueError("USHER_SMTP_URL must look like smtp+tls://user:password@host:587.")
        if bool(url.username) != bool(url.password):
            raise ValueError("USHER_SMTP_URL has only one of user and password; give both or neither.")
        if url.username and url.scheme == "smtp" and not is_loopback(url.hostname):
            raise ValueError("USHER_SMTP_URL would send its password unprotected; use smtp+tls:// or smtps://.")
        return value

    @field_validator("mail_from")
    @classmethod
    def check_mail_from(cls, value: str) -> str:
        name, address = parseaddr(value)
        if not value or (value.isprintable() and MAIL_ADDRESS.fullmatch(address) and not MAIL_ADDRESS.search(name)):
            return value
        raise ValueError("USHER_MAIL_FROM must look like usher@school.example or Cedar School <usher@school.example>.")

    @field_validator("secret_key", "pepper", "metrics_token")
    @classmethod
    def check_secret(cls, value: SecretStr | tuple[SecretStr, ...], info: ValidationInfo) -> object:
        given = value if isinstance(value, tuple) else (value,)
        texts = [part.get_secret_value() for part in given]
        if any(0 < len(text) < SECRET_LENGTH for text in texts):
            name = f"USHER_{info.field_name or ''}".upper()
            raise ValueError(f"{name} is shorter than {SECRET_LENGTH} characters. {HOW_TO_MAKE}")
        if len(set(texts)) < len(texts):
            raise ValueError("USHER_PEPPER holds the same value twice; keep each once, the current one first.")
        return value

    @model_validator(mode="after")
    def check_together(self) -> Config:
        sentences = [*_exposed(self), *_missing_secrets(self), *_half_a_client(self)]
        if sentences:
            raise ConfigError(*sentences)
        return self

    @property
    def embedded(self) -> bool:
        """SQLite: one machine, which makes its database and its secrets itself."""
        return not self.database_url or self.database_url.startswith("sqlite:")

    @property
    def sqlite_path(self) -> Path:
        if not self.database_url:
            return self.data_dir.absolute() / "usher.sqlite3"
        # sqlite:///here.db is relative, sqlite:////there.db absolute, as everybody writes it.
        return Path(unquote(urlsplit(self.database_url).path)[1:]).absolute()

    @property
    def keys_dir(self) -> Path:
        return self.data_dir.absolute() / "keys"

    @property
    def listen_host(self) -> str:
        return urlsplit(f"//{self.listen}").hostname or ""

    @property
    def listen_port(self) -> int:
        return urlsplit(f"//{self.listen}").port or 0

    @property
    def address(self) -> str:
        """The base URL, given or derived from where Usher listens."""
        return self.base_url or f"http://{self.listen}"

    @property
    def host(self) -> str:
        return urlsplit(self.address).hostname or ""

    @property
    def mail_host(self) -> str:
        """What stands behind the @ of our own address; a bare number stands in brackets (RFC 5321 section 4.1.3)."""
        try:
            number = ip_address(self.host)
        except ValueError:
            return self.host
        return f"[{number}]" if number.version == 4 else f"[IPv6:{number}]"

    @property
    def https(self) -> bool:
        return self.address.startswith("https://")


def _exposed(given: Config) -> list[str]:
    """What would be open to the network and must not be."""
    local = is_loopback(given.listen_host)
    if given.demo and not (local and is_loopback(given.host)):
        return [
            "USHER_DEMO fills Usher with well-known passwords; leave it out, or listen on 127.0.0.1 only "
            "with a USHER_BASE_URL of this machine."
        ]
    if not local and not given.base_url:
        return [
            f"USHER_LISTEN opens {given.listen} to the network; set USHER_BASE_URL to the https:// address "
            "that people use, or listen on 127.0.0.1."
        ]
    if not given.https and not (local and is_loopback(given.host)):
        return [
            "USHER_BASE_URL begins with http://, so passwords would cross the network unprotected; "
            "put a proxy with TLS in front and write https://, or listen on 127.0.0.1 with an address of "
            "this machine."
        ]
    return []


def _missing_secrets(given: Config) -> list[str]:
    secret, peppers = given.secret_key.get_secret_value(), [p.get_secret_value() for p in given.pepper]
    if secret and secret in peppers:
        return ["USHER_SECRET_KEY and USHER_PEPPER are the same; give each a value of its own."]
    if given.embedded:
        return []
    named = (("USHER_SECRET_KEY", secret), ("USHER_PEPPER", peppers))
    return [f"{name} must be given with PostgreSQL. {HOW_TO_MAKE}" for name, value in named if not value]


def _half_a_client(given: Config) -> list[str]:
    """An id without its secret, or the other way round."""
    pairs = (
        ("MICROSOFT", given.microsoft_client_id, given.microsoft_client_secret),
        ("GOOGLE", given.google_client_id, given.google_client_secret),
    )
    return [
        f"USHER_{name}_CLIENT_ID and USHER_{name}_CLIENT_SECRET belong together; give both or neither."
        for name, client_id, secret in pairs
        if bool(client_id) != bool(secret.get_secret_value())
    ]


def _with_secrets(given: Config) -> Config:
    """The embedded default keeps its secrets in files, in a directory apart from the database."""
    if not given.embedded or (given.secret_key.get_secret_value() and given.pepper):
        return given
    try:
        made: dict[str, object] = {}
        if not given.secret_key.get_secret_value():
            made["secret_key"] = SecretStr(made_once(given.keys_dir / "secret_key"))
        if not given.pepper:
            made["pepper"] = (SecretStr(made_once(given.keys_dir / "pepper")),)
    except OSError as error:
        raise ConfigError(
            f"Usher cannot keep its keys in {given.keys_dir} ({error.strerror}); set USHER_DATA_DIR "
            "to a directory it may write to."
        ) from None
    return given.model_copy(update=made)


def _misspelt(environ: Mapping[str, str]) -> list[str]:
    """Names so close to a setting that they can only be meant for it."""
    known = [f"USHER_{name}".upper() for name in Config.model_fields if name != "database_url"]
    unknown = [name for name in environ if name.startswith("USHER_") and name.upper() not in known]
    pairs = [(name, difflib.get_close_matches(name, known, 1, 0.88)) for name in unknown]
    return [f"{name} is not a setting of Usher; did you mean {close[0]}?" for name, close in pairs if close]


def load() -> Config:
    """Read the environment afresh; ``config()`` is what everybody else calls."""
    misspelt = _misspelt(os.environ)
    if misspelt:
        raise ConfigError(*misspelt)
    try:
        given = Config()
    except ValidationError as error:
        raise ConfigError(*(sentence(dict(one)) for one in error.errors(include_input=False))) from None
    return _with_secrets(given)


@lru_cache(maxsize=1)
def config() -> Config:
    return load()
