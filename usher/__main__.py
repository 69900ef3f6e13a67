"""The usher command: sets Django up, says wrong settings in a sentence, hands over to usher.cli."""

from __future__ import annotations

import importlib
import os
import sys

import django

from usher.config import ConfigError, config


def main() -> None:
    # Whatever we write — database, keys, lists — is for this user alone.
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "usher.settings")
    try:
        config()
        django.setup()
        # Only now: the commands import models, and those want Django ready.
        importlib.import_module("usher.cli").main(prog_name="usher")
    except ConfigError as error:
        for sentence in error.sentences:
            print(sentence, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
