"""Asking other machines: the only way out. Public addresses, TLS, no redirects, a size and a time that hold.

Connections are kept between requests, for each thread of each process.
"""

from __future__ import annotations

import json
import os
import ssl
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from types import MappingProxyType
from typing import Any, Final

from requests import Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ContentDecodingError, InvalidHeader, InvalidURL, RequestException, SSLError, Timeout
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url
from urllib3.util.ssl_ import create_urllib3_context

from usher.core import circuit, egress
from usher.core.egress import FetchError

__all__ = ["Answer", "FetchError", "get", "post_form", "send"]

PIECE: Final = 64 * 1024
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
PORTS: Final = {"https": 443, "http": 80}
# What says that nobody is there; everything else is an answer, if a bad one.
AWAY: Final = {"timeout", "refused_connection", "not_found_in_dns"}
_mine = threading.local()


@dataclass(frozen=True, slots=True)
class Answer:
    """Of any status but a redirect. The names in ``headers`` are found in any case; the body is unpacked."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Raises FetchError (not_json)."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise FetchError("not_json", f"The answer (status {self.status}) is not JSON.") from None


def get(
    url: str, *, headers: Mapping[str, str] | None = None, limit: int = 1_000_000, seconds: float = 5.0
) -> Answer:  # fmt: skip
    """At most ``limit`` bytes, unpacked, within ``seconds`` all in all. Raises FetchError."""
    return _guarded("GET", url, None, headers or NOTHING, limit, seconds)


def post_form(
    url: str, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None, limit: int = 1_000_000,
    seconds: float = 5.0,
) -> Answer:  # fmt: skip
    """The same for a form (application/x-www-form-urlencoded). Never sent twice. Raises FetchError."""
    return _guarded("POST", url, form, headers or NOTHING, limit, seconds)


def send(  # noqa: PLR0913 - what a request is made of
    method: str, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str] | None = None,
    limit: int = 1_000_000, seconds: float = 5.0,
) -> Answer:  # fmt: skip
    """The same for a POST, PUT or DELETE with any body. Never sent twice. Raises FetchError."""
    told = {**(headers or NOTHING), **({"Content-Type": content_type} if content_type else {})}
    return _guarded(method, url, body, told, limit, seconds)


def _guarded(
    method: str, url: str, data: Mapping[str, str] | bytes | None, headers: Mapping[str, str], limit: int,
    seconds: float,
) -> Answer:  # fmt: skip
    origin = _origin(url)
    circuit.check(origin)
    try:
        with egress.deadline(seconds):
            answer = _ask(method, url, data, headers, limit)
    except FetchError as error:
        (circuit.failed if error.code in AWAY else circuit.worked)(origin)
        raise
    circuit.worked(origin)
    return answer


def _origin(url: str) -> circuit.Origin:
    """Raises FetchError for what is no address of ours to ask."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise FetchError("bad_url", "This is no web address.") from None
    if parts.scheme not in PORTS or not parts.host:
        raise FetchError("no_https", "The address does not begin with https://.")
    if parts.auth is not None:
        raise FetchError("bad_url", "The address holds a name or a password before the “@”.")
    port = parts.port or PORTS[parts.scheme]
    if parts.scheme != "https" and not egress.is_private_host(parts.host, port):
        raise FetchError("no_https", f"{parts.host} is asked without TLS; the address must begin with https://.")
    return parts.scheme, parts.host, port


def _ask(
    method: str, url: str, data: Mapping[str, str] | bytes | None, headers: Mapping[str, str], limit: int
) -> Answer:  # fmt: skip
    host = parse_url(url).host
    try:
        response = _session().request(
            method, url, data=data, headers=dict(headers), stream=True, allow_redirects=False, timeout=egress.left()
        )
        with closing(response):
            if 300 <= response.status_code <= 399:
                raise FetchError("redirect", f"{host} sends on to another address. Write the final one.")
            return Answer(response.status_code, response.headers, _body(response, limit))
    except (RequestException, HTTPError, OSError) as error:
        raise _said(error, str(host)) from None


def _body(response: Response, limit: int) -> bytes:
    pieces = bytearray()
    for piece in response.iter_content(PIECE):
        pieces += piece
        if len(pieces) > limit:
            raise FetchError("too_large", f"The answer is larger than {limit:,} bytes.")
    return bytes(pieces)


def _said(error: Exception, host: str) -> FetchError:
    if egress.is_over() or isinstance(error, Timeout):
        return FetchError("timeout", f"{host} did not answer in time.")
    if isinstance(error, SSLError):
        return FetchError("tls", f"The connection to {host} is not safe: {_ssl_reason(error)}.")
    if isinstance(error, InvalidURL | InvalidHeader | LocationParseError):
        return FetchError("bad_url", f"{host} cannot be asked like that.")
    if isinstance(error, ContentDecodingError):
        return FetchError("bad_answer", f"The answer of {host} cannot be unpacked.")
    return FetchError("refused_connection", f"The connection to {host} broke.")


def _ssl_reason(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return "TLS failed"


# Sessions


class _Session(Session):
    def get_redirect_target(self, resp: Response) -> None:
        """There is none: requests would read the body of a redirect at once, whatever its size."""


class _Adapter(HTTPAdapter):
    """Connections of ``egress``, and the certificates that this machine trusts."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=_context(), **more)
        self.poolmanager.pool_classes_by_scheme = {"http": egress.PlainPool, "https": egress.TlsPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing to add: requests would read its own list of authorities at each new connection."""


@cache
def _context() -> ssl.SSLContext:
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_default_certs()  # of the system, or of SSL_CERT_FILE
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)  # small machines have none
    context.sslsocket_class = egress.TlsSocket
    return context


def _session() -> Session:
    """A thread's own; and not that of the process it was forked from, whose connections would be shared."""
    if getattr(_mine, "pid", None) != os.getpid():
        _mine.session, _mine.pid = _new_session(), os.getpid()
    session: Session = _mine.session
    return session


def _new_session() -> Session:
    session = _Session()
    session.trust_env = False  # no proxies, no .netrc
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": "Usher", "Accept": "application/json", "Accept-Encoding": "gzip"})
    for scheme in PORTS:
        session.mount(f"{scheme}://", _Adapter())
    return session
