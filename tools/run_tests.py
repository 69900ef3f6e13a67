"""Runs every part of the suite, one after the other, and ends by saying what was skipped and why."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
NOTHING_COLLECTED = 5
TEST_SECRETS = {
    "USHER_SECRET_KEY": "only-for-tests-secret-key-0123456789",
    "USHER_PEPPER": "only-for-tests-pepper-0123456789abcdef",
}


@dataclass
class Part:
    """One run of pytest, and how it went."""

    name: str
    arguments: list[str]
    environ: dict[str, str] = field(default_factory=dict)
    why_not: str = ""
    failed: bool = False
    line: str = ""
    skipped: list[str] = field(default_factory=list)


def main() -> int:
    options = _options()
    strict = options.no_skips or os.environ.get("CI", "").lower() in ("1", "true")
    parts = _proofs() if options.proof else _suite(options.rest)
    for part in parts:
        _run(part)
    return _conclude(parts, strict=strict)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-skips", action="store_true", help="a skip is a failure (so it is with CI=true)")
    parser.add_argument("--proof", action="store_true", help="the long proofs instead of their samples")
    parser.add_argument("rest", nargs="*", help="arguments for pytest, after --")
    return parser.parse_args()


def _suite(rest: list[str]) -> list[Part]:
    # A test that hangs says where, and fails, instead of holding up the whole run.
    watched = ["-o", "faulthandler_timeout=300", "-o", "faulthandler_exit_on_timeout=true"]
    quick = ["-n", "2", "--dist", "loadgroup", "-m", "not browser and not proof", *watched, *rest]
    chromium, why_not = _chromium()
    return [
        Part("SQLite", quick),
        _on_postgresql("PostgreSQL", quick),
        Part("Browser", ["-m", "browser", *rest], {"USHER_CHROMIUM": chromium}, why_not=why_not),
    ]


def _proofs() -> list[Part]:
    return [Part("Proofs, SQLite", ["-m", "proof"]), _on_postgresql("Proofs, PostgreSQL", ["-m", "proof"])]


def _on_postgresql(name: str, arguments: list[str]) -> Part:
    url = os.environ.get("USHER_TEST_DATABASE_URL", "")
    return Part(name, arguments, {"DATABASE_URL": url}, "" if url else "USHER_TEST_DATABASE_URL is not set")


def _chromium() -> tuple[str, str]:
    """Where the browser is, or why there is none. Installs Debian's where that is possible."""
    if not list(ROOT.glob("tests/browser/test_*.py")):
        return "", "there are no browser tests yet"
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found or not shutil.which("apt-get"):
        return found or "", "" if found else "no Chromium, and no apt to install it with"
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    print("Installing Chromium ...", flush=True)
    for step in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", "chromium"]):
        try:
            done = subprocess.run([*root, "apt-get", *step], stdout=subprocess.DEVNULL, check=False)
        except FileNotFoundError:
            return "", "no Chromium, and only root may install it"
        if done.returncode:
            return "", "no Chromium, and apt could not install it"
    return shutil.which("chromium") or "", ""


def _run(part: Part) -> None:
    print(f"\n=== {part.name}", flush=True)
    if part.why_not:
        part.line = f"skipped: {part.why_not}"
        part.skipped.append(f"all of it: {part.why_not}")
        print(part.line)
        return
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="usher-test-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", f"--junit-xml={report}", *part.arguments]
        code = subprocess.run(command, cwd=ROOT, env=_environ(part, folder), check=False).returncode
        _read(part, report, code)
    part.line += f" in {time.monotonic() - started:.0f} s"


def _environ(part: Part, folder: str) -> dict[str, str]:
    """A clean room: only what the part names, and a data directory that goes away."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("USHER_") and k != "DATABASE_URL"}
    return kept | TEST_SECRETS | {"USHER_DATA_DIR": str(Path(folder) / "var")} | part.environ


def _read(part: Part, report: Path, code: int) -> None:
    part.failed = code != 0
    if not report.exists():
        part.line = f"broke off (pytest exit code {code})"
        return
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314  # written by pytest a moment ago
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    for case in cases:
        skip = case.find("skipped")
        if skip is not None and skip.get("type") != "pytest.xfail":
            part.skipped.append(f"{case.get('classname')}::{case.get('name')}: {skip.get('message')}")
    good = len(cases) - len(bad) - len(part.skipped)
    part.line = f"{good} passed, {len(bad)} failed, {len(part.skipped)} skipped"
    if code == NOTHING_COLLECTED:
        part.line = "no tests were found"


def _conclude(parts: list[Part], *, strict: bool) -> int:
    width = max(len(part.name) for part in parts)
    print("\n=== Summary")
    for part in parts:
        print(
            f"{'FAILED' if part.failed else 'left out' if part.why_not else 'ok':8}  {part.name:{width}}  {part.line}"
        )
    skipped = [(part.name, reason) for part in parts for reason in part.skipped]
    for name, reason in skipped:
        print(f"Skipped in {name}: {reason}")
    if not skipped:
        print("Nothing was skipped.")
    elif strict:
        print("A skip is a failure here.")
    return int(any(part.failed for part in parts) or (strict and bool(skipped)))


if __name__ == "__main__":
    sys.exit(main())
