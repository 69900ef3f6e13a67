"""`make demo-lti`: the demonstration with an LMS beside it, connected, so that a pupil's walk ends in its gradebook.

Usher answers on localhost and the LMS (tests/lms) on 127.0.0.1: to a browser these are two sites. Everything is done by
the public commands, as an operator would do it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from lms.platform import Lms  # noqa: E402 - it lives with the tests
from lms.server import Server  # noqa: E402

ADDRESS: Final = "http://localhost:8000"
LMS: Final = ("127.0.0.1", 8010)
CLIENT, DEPLOYMENT, SLUG = "usher-at-northfield", "1", "cedar"
TITLE: Final = "The chemistry room"
START_SECONDS: Final = 120
SETTINGS: Final = {
    "USHER_BASE_URL": ADDRESS,
    "USHER_LISTEN": "127.0.0.1:8000",
    "USHER_DATA_DIR": str(ROOT / "var" / "demo-lti"),  # what `make demo` keeps stays as it is
    "USHER_PRIVATE_HOSTS": LMS[0],
}
WHAT_TO_DO: Final = """
1. Open {lms} and be a student: in “Biology 1” open “{title}”, walk to the end, then look at Grades.
2. Be a teacher there (Sign out): “Add content from Usher” is the picker. Participants and grades are the LMS's own.
3. In Usher ({usher}/o/cedar/sign-in, sign-ins above) see Settings, Integrations: the launches, and Users: who came.
Ctrl+C ends both.
"""


def main() -> int:
    environ = {**{name: value for name, value in os.environ.items() if name != "DATABASE_URL"}, **SETTINGS}
    server = _lms()
    shutil.rmtree(SETTINGS["USHER_DATA_DIR"], ignore_errors=True)  # the LMS begins with an empty gradebook, too
    usher = subprocess.Popen([sys.executable, "-m", "usher", "demo"], cwd=ROOT, env=environ)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _wait(usher)
        _connect(server.lms, environ)
        print(WHAT_TO_DO.format(lms=server.url, usher=ADDRESS, title=TITLE), flush=True)
        return usher.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.stop()
        usher.terminate()
        usher.wait()


def _lms() -> Server:
    """Raises SystemExit where its port is taken."""
    try:
        return Server(*LMS).start()
    except OSError:
        raise SystemExit(f"Something else listens at {LMS[0]}:{LMS[1]}. End it, then start this again.") from None


def _wait(usher: subprocess.Popen[bytes]) -> None:
    """Until it answers. Raises SystemExit where it does not."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and usher.poll() is None:
        try:
            with urlopen(f"{ADDRESS}/readyz", timeout=2):  # noqa: S310 - our own
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("Usher did not start; its own words stand above.")


def _connect(lms: Lms, environ: dict[str, str]) -> None:
    """Both sides know each other, and the course has something to open. What an earlier run made is found again."""
    platform, activity = _platform(lms, environ), _activity(environ)
    tool = platform["tool"]
    ours = lms.register(
        tool["login"], tool["launch"], jwks_url=tool["jwks"], practice=False, client_id=CLIENT, deployment_id=DEPLOYMENT
    )
    lms.add_graded_link(ours, lms.course, TITLE, 100, url=f"{tool['launch']}?activity={activity}")


def _platform(lms: Lms, environ: dict[str, str]) -> dict[str, Any]:
    for one in _usher(environ, "platform", "list", "--org", SLUG):
        if one["client_id"] == CLIENT:
            return dict(one)
    urls = ("--auth-url", lms.auth_url, "--token-url", lms.token_url, "--jwks-url", lms.jwks_url)
    words = ("--family", "moodle", "--name", lms.name, "--issuer", lms.issuer, "--client-id", CLIENT, *urls)
    made: dict[str, Any] = _usher(environ, "platform", "add", "--org", SLUG, *words)
    _usher(environ, "platform", "deployment", "add", "--org", SLUG, made["id"], DEPLOYMENT)
    _usher(environ, "platform", "on", "--org", SLUG, made["id"])
    return made


def _activity(environ: dict[str, str]) -> str:
    for one in _usher(environ, "activity", "list", "--org", SLUG):
        if one["title"] == TITLE:
            return str(one["id"])
    words = ("--title", TITLE, "--description", "A walk with choices, and points at the end.", "--graded")
    return str(_usher(environ, "activity", "add", "--org", SLUG, *words, "--scenario", "chemistry_room")["id"])


def _usher(environ: dict[str, str], *words: str) -> Any:
    """What a command says in JSON."""
    command = [sys.executable, "-m", "usher", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
