"""What stands in deploy/ and in the pages for operators is true of this version: commands, options, settings."""

from __future__ import annotations

import re
from configparser import RawConfigParser
from pathlib import Path

import click
import pytest

from usher.cli import main
from usher.config import Config

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
TOLD = sorted(
    path for folder in ("deploy", "docs/deploy", "docs/admin") for path in (ROOT / folder).rglob("*") if path.is_file()
)
SETTINGS = {f"USHER_{name}".upper() for name in Config.model_fields}
# A command as it is typed: at the beginning of a line or of code, in the units behind its path.
COMMAND = re.compile(
    r"(?:^|`|/bin/|exec usher )usher ((?:[a-z][a-z-]+|--[a-z-]+)(?: (?:--)?[a-z][a-z-]*)*)", re.MULTILINE
)


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.name)
def test_every_setting_that_is_named_is_there(path: Path) -> None:
    assert set(re.findall(r"\bUSHER_[A-Z_]+\b", path.read_text())) <= SETTINGS


@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.name)
def test_every_command_that_is_named_is_there(path: Path) -> None:
    assert [words for words in COMMAND.findall(path.read_text()) if not is_command(words.split())] == []


def is_command(words: list[str]) -> bool:
    command: click.Command = main
    for word in words:
        if word.startswith("--"):
            if word not in {name for option in command.params for name in option.opts}:
                return False
        elif isinstance(command, click.Group):
            if word not in command.commands:
                return False
            command = command.commands[word]
    return command is not main


def test_the_search_finds_commands() -> None:
    found = {words for path in TOLD for words in COMMAND.findall(path.read_text())}
    assert {"migrate", "migrate --check", "serve", "jobs resume"} <= found
    assert not is_command(["fly"])
    assert not is_command(["migrate", "--sideways"])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_is_locked_up(path: Path) -> None:
    service = unit(path)["Service"]
    assert service["User"] == "usher"
    assert service["UMask"] == "0077"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert {service[name] for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "MemoryDenyWriteExecute")} == {
        "yes"
    }


def unit(path: Path) -> RawConfigParser:
    parser = RawConfigParser(strict=False, comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text())
    return parser
