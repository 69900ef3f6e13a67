"""Asking the DNS for a TXT record (RFC 1035), and saying in plain words what was found there."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LIFETIME = 5.0  # seconds for one look, however many servers are asked
TRY = 2.0  # seconds for one server


class Seen(Enum):
    """What a look found."""

    THERE = "there"
    NO_NAME = "no_name"
    NO_TXT = "no_txt"
    ALIAS = "alias"
    OTHER = "other"
    FAILED = "failed"
    SILENT = "silent"

    @property
    def is_answer(self) -> bool:
        """Whether somebody said what is there. A server that is down says nothing about the record."""
        return self not in (Seen.FAILED, Seen.SILENT)

    def why(self, host: str) -> str:
        """Why that is no proof."""
        return str(_WHY[self]).format(host=host)


_WHY: Mapping[Seen, Promise] = {
    Seen.NO_NAME: _("there is no record {host}."),
    Seen.NO_TXT: _("{host} is there, but has no TXT record."),
    Seen.ALIAS: _("{host} is an alias (CNAME). The TXT record has to stand there itself."),
    Seen.OTHER: _("the TXT record {host} has another value."),
    Seen.FAILED: _("the DNS servers of the domain answered with a failure."),
    Seen.SILENT: _("no DNS server answered in time."),
}


@dataclass(frozen=True, slots=True)
class Record:
    """The TXT record that proves a domain: where it stands and what it says."""

    host: str
    value: str


def look(record: Record) -> Seen:
    """Ask once, 5 seconds at the most. Call it outside transactions.

    The record has to stand at the name itself: behind an alias (also one that answers for every name) somebody else
    than the owner of the domain would write it.
    """
    try:
        answer = _resolver().resolve(dns.name.from_text(f"{record.host}."), dns.rdatatype.TXT, search=False)
    except dns.resolver.NXDOMAIN:
        return Seen.NO_NAME
    except dns.resolver.NoAnswer:
        return Seen.NO_TXT
    except dns.exception.Timeout:
        return Seen.SILENT
    except dns.exception.DNSException:
        return Seen.FAILED
    if answer.canonical_name != answer.qname:
        return Seen.ALIAS
    # A long text comes in pieces. Some panels keep the quotation marks that were pasted.
    values = [b"".join(one.strings).strip(b' "') for one in answer]
    return Seen.THERE if record.value.encode() in values else Seen.OTHER


def _resolver() -> dns.resolver.Resolver:
    """As this machine looks up names, or by the server that the operator named."""
    if not settings.USHER_DNS_SERVER:
        resolver = dns.resolver.Resolver()
    else:
        resolver = dns.resolver.Resolver(configure=False)
        host, resolver.port = _server(settings.USHER_DNS_SERVER)
        resolver.nameservers = [host]
    resolver.lifetime, resolver.timeout = LIFETIME, TRY
    return resolver


def _server(text: str) -> tuple[str, int]:
    """Address and port of ``9.9.9.9``, ``127.0.0.1:5353``, ``::1`` or ``[::1]:5353``. Raises ValueError."""
    try:
        return str(ipaddress.ip_address(text)), 53
    except ValueError:
        parts = urlsplit(f"//{text}")
        return str(ipaddress.ip_address(parts.hostname or "")), parts.port or 53
