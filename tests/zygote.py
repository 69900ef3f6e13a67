"""A process that has all of Usher loaded and forks for each command: hundreds of real runs without their start.

Reads one JSON line for each run on stdin and answers with one on stdout. Started by ``Zygote`` in places.py.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import IO, Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - settings come first
from django.db import connection  # noqa: E402

from usher import cli  # noqa: E402
from usher.core.given import ConfigError  # noqa: E402


def main() -> None:
    os.umask(0o077)
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)


def _run(order: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            os._exit(_in_child(order, out, err))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {"code": code, "out": _text(out), "err": _text(err)}


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _in_child(order: dict[str, Any], out: IO[bytes], err: IO[bytes]) -> int:
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.environ.update(order["environ"])
    connection.settings_dict["NAME"] = order["database"]
    if order["peppers"]:
        settings.USHER_PEPPER = order["peppers"]
    try:
        if order["code"]:
            exec(order["code"], {"answer": _answer, "given": order["words"]})  # noqa: S102 - the test's own
            return 0
        cli.main(order["words"], prog_name="usher")
    except ConfigError as error:  # as usher/__main__.py says it
        print(error, file=sys.stderr)
        return 2
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
        return 99
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _answer(value: Any) -> None:
    print(json.dumps(value, default=str))


if __name__ == "__main__":
    main()
