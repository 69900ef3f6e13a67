"""Writes the tables of docs/ that come from the code: reasons, events, settings. ``--check`` only compares."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "usher.settings")
django.setup()

from usher.config import Config  # noqa: E402 - models want Django ready
from usher.core.reasons import Reason  # noqa: E402
from usher.events.types import EventType  # noqa: E402
from usher.lifecycle.wordings import WORDINGS  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- table: made by tools/docs_tables.py -->", "<!-- end of the table -->"


def reasons() -> str:
    rows = ((f"`{one.code}`", one.value[0], one.value[1], one.value[2]) for one in Reason)
    return _table(("code", "what is said", "what to do", "status"), rows)


def events() -> str:
    rows = ((f"`{one.value}`", WORDINGS[one].title, WORDINGS[one].sentence) for one in EventType)
    return _table(("type", "title", "how it is told"), rows)


def settings() -> str:
    rows = []
    for name, field in Config.model_fields.items():
        variable = field.validation_alias or f"USHER_{name.upper()}"
        default = "" if field.default_factory or field.default in ("", ()) else _plain(field.default)
        rows.append((f"`{variable}`", default, field.description or ""))
    return _table(("variable", "default", "what it does"), rows)


def _plain(value: object) -> str:
    """A default as one would type it; secrets have none."""
    secret = getattr(value, "get_secret_value", None)
    text = str(secret() if secret else int(value) if isinstance(value, bool) else value)
    return f"`{text}`" if text else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


TABLES: dict[str, tuple[Callable[[], str], str]] = {
    "docs/reasons.md": (
        reasons,
        "# Reasons\n\nEvery “no” Usher can say. The code is public and never renamed; page, file, command and API "
        "show the same sentence.\nIn braces stand the facts of the case.\n",
    ),
    "docs/events.md": (
        events,
        "# Events\n\nWhat Usher remembers, as `what:happened`, in the transaction of the change. Types are public "
        "and never renamed.\nIn braces stand the facts of the case.\n",
    ),
    "docs/settings.md": (
        settings,
        "# Settings\n\nBy environment, read once at the start. Wrong ones stop the start with a sentence that says "
        "what to change.\n",
    ),
}


def current(name: str) -> str:
    """The file with its table as it should be now; what stands around the table is kept."""
    make, opening = TABLES[name]
    path = ROOT / name
    text = path.read_text() if path.exists() else f"{opening}\n{BEGIN}\n{END}\n"
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{name}: the markers of the table are missing.")
    return f"{before}{BEGIN}\n{make()}\n{END}{after}"


def main() -> int:
    stale = [name for name in TABLES if not (ROOT / name).exists() or (ROOT / name).read_text() != current(name)]
    for name in stale:
        print(f"{name}: the table is not what the code says.")
    if "--check" in sys.argv[1:]:
        return int(bool(stale))
    for name in stale:
        (ROOT / name).write_text(current(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
