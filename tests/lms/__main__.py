"""A learning management system to click through: Northfield LMS, with the course "Biology 1".

usage: python -m tests.lms [--listen 127.0.0.1:8010] [--family moodle]
       [--tool-login URL --tool-launch URL --tool-jwks URL --client-id X --deployment 1]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lms.families import FAMILIES
from lms.platform import Lms
from lms.server import Server


def main() -> int:
    options = _options()
    host, _, port = options.listen.rpartition(":")
    server = Server(host, int(port))
    server.lms = Lms(server.url, options.family)
    if options.tool_login:
        _one_tool(server.lms, options)
    print(f"{server.lms.name} at {server.url}", flush=True)
    try:
        server.http.serve_forever()
    except KeyboardInterrupt:
        server.http.server_close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:8010")
    parser.add_argument("--family", default="moodle", choices=sorted(FAMILIES))
    parser.add_argument("--tool-login", default="")
    parser.add_argument("--tool-launch", default="")
    parser.add_argument("--tool-jwks", default="")
    parser.add_argument("--client-id", default="usher-at-northfield")
    parser.add_argument("--deployment", default="1")
    return parser.parse_args()


def _one_tool(lms: Lms, options: argparse.Namespace) -> None:
    told = {"client_id": options.client_id, "deployment_id": options.deployment}
    lms.register(options.tool_login, options.tool_launch, jwks_url=options.tool_jwks, **told)


if __name__ == "__main__":
    sys.exit(main())
