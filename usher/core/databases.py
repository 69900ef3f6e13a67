"""Django's DATABASES entry, made from the operator's DATABASE_URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# WAL: readers and the one writer do not wait for each other. FULL: a commit survives a power cut.
# Temporary tables stay in memory, so that no list with passwords is spilled to a file.
PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; "
    "PRAGMA cache_size=-32000; PRAGMA mmap_size=134217728; PRAGMA wal_autocheckpoint=8000; "
    "PRAGMA journal_size_limit=67108864;"
)
KEPT_OPEN = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}


def sqlite(path: Path) -> dict[str, Any]:
    """IMMEDIATE takes the write lock at BEGIN: a transaction waits for it, instead of failing half-way."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": PRAGMAS}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": options, **KEPT_OPEN}


def postgresql(url: str) -> dict[str, Any]:
    """Fit for PgBouncer's transaction mode: no server-side cursors, nothing kept in the server's session."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or "",
        "OPTIONS": {"connect_timeout": 10, "application_name": "usher", **dict(parse_qsl(parts.query))},
        "DISABLE_SERVER_SIDE_CURSORS": True,
        **KEPT_OPEN,
    }
