"""/metrics: the numbers of this server, for Prometheus.

Answered to whoever shows ``USHER_METRICS_TOKEN``, and without one to this very machine alone. Behind a proxy every
visitor seems to come from this machine: so whatever looks like a proxy takes the second way away.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from importlib.metadata import version

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from usher.core import clock, jobs, metrics, work
from usher.core.given import is_loopback

PATH = "/metrics"
OF_A_PROXY = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_PROTO", "HTTP_VIA")


def page(request: HttpRequest) -> HttpResponse:
    if not _may_see(request):
        return HttpResponseNotFound("Not found", content_type="text/plain")
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _may_see(request: HttpRequest) -> bool:
    token: str = settings.USHER_METRICS_TOKEN
    given = str(request.META.get("HTTP_AUTHORIZATION", "")).encode("utf-8", "replace")
    if token and hmac.compare_digest(given, f"Bearer {token}".encode()):
        return True
    return is_loopback(str(request.META.get("REMOTE_ADDR", ""))) and not _behind_a_proxy(request)


def _behind_a_proxy(request: HttpRequest) -> bool:
    """Whether one is known of, shows itself, or must be there because somebody does TLS for us."""
    return (
        settings.USHER_TRUSTED_PROXY_HOPS > 0
        or settings.SESSION_COOKIE_SECURE
        or any(name in request.META for name in OF_A_PROXY)
    )


def _registry() -> CollectorRegistry:
    together = CollectorRegistry()
    folder = os.environ.get(metrics.FOLDER)
    if folder:
        MultiProcessCollector(together, path=folder)  # type: ignore[no-untyped-call]
    else:  # one process alone
        together.register(metrics.OURS)
    together.register(_Server())
    return together


class _Server(Collector):
    """What nobody has to count: it is asked of the database now. Every machine tells the same of it."""

    def collect(self) -> Iterator[Metric]:
        usher = InfoMetricFamily("usher", "The version of Usher.")
        usher.add_metric([], {"version": version("usher")})
        yield usher
        try:
            found = [(kind._meta.label_lower, _waiting(kind)) for kind in work.all_kinds()]
            counted = list(zip((label for label, _ in found), jobs.tallies(), strict=True))
        except DatabaseError as error:
            metrics.DATABASE_ERRORS.labels(type(error).__name__).inc()
            return
        for name, says in WORK.items():
            family = GaugeMetricFamily(f"usher_work_{name}", says, labels=["kind"])
            for label, numbers in found:
                family.add_metric([label], numbers[name])
            yield family
        yield _by_state(counted)


def _by_state(counted: list[tuple[str, jobs.Tally]]) -> Metric:
    family = GaugeMetricFamily("usher_work_items", "Pieces of work, by kind and state.", labels=["kind", "state"])
    for label, tally in counted:
        for state in ("due", "waiting", "in_hand", "dead"):
            family.add_metric([label, state], getattr(tally, state))
    return family


WORK = {
    "waiting": "Pieces of work that are not done, by kind.",
    "failing": "Pieces of work whose last try failed, by kind.",
    "oldest_seconds": "For how long the oldest piece is due and not done, by kind; 0 when none is.",
}


def _waiting(kind: type[work.WorkItem]) -> dict[str, float]:
    """One query over a table that is nearly empty when all is well."""
    now = clock.now()
    found = kind._default_manager.filter(dead_at=None).aggregate(
        waiting=Count("pk"),
        failing=Count("pk", filter=~Q(failure="")),
        oldest=Min("run_at", filter=Q(run_at__lte=now)),
    )
    oldest = found.pop("oldest")
    return {**found, "oldest_seconds": (now - oldest).total_seconds() if oldest else 0.0}
