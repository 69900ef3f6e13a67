"""The usher command: sets Django up, says wrong settings in a sentence, hands over to usher.cli."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence

import django

from usher.config import config
from usher.core.given import ConfigError


def take_settings(words: Sequence[str]) -> None:
    """Two words of the command line are settings, and settings are read once: before Django."""
    if words[:1] == ["demo"]:
        os.environ["USHER_DEMO"] = "1"
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if words[0] in ("demo", "serve") and word.startswith("--listen"):
            os.environ["USHER_LISTEN"] = word.partition("=")[2] or following


def main() -> None:
    # Whatever we write — database, keys, lists — is for this user alone.
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "usher.settings")
    take_settings(sys.argv[1:])
    try:
        config()
        django.setup()
        # Only now: the commands import models, and those want Django ready.
        commands = importlib.import_module("usher.cli")
        # What is loaded now stays: no later collection looks at it again, and forked workers share its pages.
        gc.freeze()
        # And fewer collections of what is new: a list of 100,000 people makes many values and no cycles (7 % measured).
        gc.set_threshold(50_000, 20, 100)
        commands.main(prog_name="usher")
    except ConfigError as error:
        for sentence in error.sentences:
            print(sentence, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
