"""Logs: one JSON object a line on stderr, with the request's id and without secrets."""

from __future__ import annotations

import logging
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

SECRET_WORDS = ("password", "passwd", "secret", "token", "pepper", "cookie", "authorization", "invite_code")


def hide_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """The last wall, not the first: nobody should log a secret to begin with."""
    for key in event:
        if any(word in key.lower() for word in SECRET_WORDS):
            event[key] = "[hidden]"
    return event


class RouteNotPath(logging.Filter):
    """Django names the path of a failed request; a path may hold the token of a link, a route never does."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is not None and isinstance(record.args, tuple) and record.args:
            match = getattr(request, "resolver_match", None)
            record.args = (*record.args[:-1], match.route if match else "no such page")
        return True


COMMON: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    hide_secrets,
]


def configure() -> None:
    """Send structlog's own loggers through the standard library, where Django's are too."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *COMMON,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_settings(level: str) -> dict[str, Any]:
    """Django's LOGGING."""
    json: dict[str, Any] = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": COMMON,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    }
    stderr = {"class": "logging.StreamHandler", "formatter": "json", "filters": ["route"]}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"route": {"()": RouteNotPath}},
        "formatters": {"json": json, "line": {"format": "%(message)s"}},
        "handlers": {"stderr": stderr, "requests": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "usher.request": {"handlers": ["requests"], "propagate": False, "level": level},  # watch.py
            "django": {"handlers": [], "level": "INFO"},
            # 404 and 403 are everyday, only failures are news. SQL is never logged: it holds what is typed.
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "ERROR"},
            "django.db.backends": {"level": "WARNING"},
        },
    }
