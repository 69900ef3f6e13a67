"""What reading the settings is made of: addresses, secrets in files, and the error with its sentences."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

SECRET_LENGTH = 32
HOW_TO_MAKE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"

FORMS = {
    "greater_than_equal": "give {ge} or more",
    "less_than_equal": "give {le} or less",
    "int_parsing": "give a whole number",
    "bool_parsing": "give 1 or 0",
    "literal_error": "give one of {expected}",
}


class ConfigError(Exception):
    """The settings cannot be used; each sentence says what to change."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def split_url(value: str, name: str, example: str) -> SplitResult:
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError:
        raise ValueError(f"{name} cannot be read as an address; write it like {example}.") from None
    return url


def host_port(url: SplitResult) -> str:
    return url.netloc.rpartition("@")[2].lower()


def made_once(path: Path) -> str:
    """The secret in this file, made if it is not there. Of several processes all get the winner's."""
    try:
        return read_secret(path)
    except FileNotFoundError:
        pass
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails when the name is taken, and a reader never meets a half-written file.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return read_secret(path)


def read_secret(path: Path) -> str:
    text = path.read_text().strip()
    if len(text) < SECRET_LENGTH:
        raise ConfigError(
            f"{path} is empty or damaged. Put the file back from your copy: without it no password works."
        )
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"Others on this machine can read {path}. Close it with: chmod 600 {path}")
    return text


def cores() -> int:
    return len(os.sched_getaffinity(0))


def sentence(error: Mapping[str, Any]) -> str:
    own = error.get("ctx", {}).get("error")
    if isinstance(own, ValueError):
        return str(own)
    name = str(error["loc"][0])
    name = name if name == "DATABASE_URL" else f"USHER_{name}".upper()
    form = FORMS.get(str(error["type"]), "{msg}").format(msg=error["msg"], **error.get("ctx", {}))
    return f"{name} cannot be used: {form}."
