"""An LMS for Cedar of the demonstration, and activities to put into its courses.

Run by test_lti.py with the LMS's address, in the house's own environment; prints the id of the connection and those of
the activities, as JSON.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from usher.activities import making  # noqa: E402 - Django comes first
from usher.core import clock  # noqa: E402
from usher.events.types import OPERATOR  # noqa: E402
from usher.methods.lti.models import Deployment, Platform  # noqa: E402
from usher.organizations.find import by_slug  # noqa: E402

CLIENT, DEPLOYMENT = "usher-at-northfield", "1"
WISHES = {
    "walk": making.Wish(
        "Before the lesson: the chemistry room", "Six moments in a laboratory.", scenario="chemistry_room",
        is_graded=True, score_maximum=20.0,
    ),
    "quiz": making.Wish("Acids and bases", "Eight questions.", target_url="http://127.0.0.1:9/quiz", is_graded=True),
    "film": making.Wish("How a fire begins, and everything that one ought to know about it beforehand",
                        "Four minutes. " * 30, target_url="http://127.0.0.1:9/film"),
    "words": making.Wish("المختبر: قبل الدرس", "ست لحظات في مختبر الكيمياء.", scenario="chemistry_room"),
    "staff": making.Wish("Notes for teachers", scenario="chemistry_room", audience="staff"),
}  # fmt: skip


def main(url: str) -> None:
    cedar = by_slug("cedar")
    platform = Platform.objects.create(
        organization=cedar, family="moodle", name="Northfield", state="on", issuer=url, client_id=CLIENT,
        auth_url=f"{url}/mod/lti/auth.php", token_url=f"{url}/mod/lti/token.php", jwks_url=f"{url}/mod/lti/certs.php",
    )  # fmt: skip
    Deployment.objects.create(platform=platform, organization=cedar, deployment_id=DEPLOYMENT, approved_at=clock.now())
    made = {name: str(making.add(cedar, wish, OPERATOR).id) for name, wish in WISHES.items()}
    print(json.dumps({"platform": str(platform.id), **made}))


if __name__ == "__main__":
    main(*sys.argv[1:])
