"""Documents of providers that are kept: asked for seldom, by one at a time, and good for a day when nobody answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import evil
import pytest
import time_machine
from peer import Peer, just, listening, reply
from pytest_django import Settings

from usher.core import documents
from usher.core.fetch import FetchError
from usher.protocols.oidc.errors import OidcError, UnknownKeyError
from usher.protocols.oidc.id_token import SignedClaims, verify
from usher.protocols.oidc.keys import read_keys

HOUR = 3600


@pytest.fixture
def peer(settings: Settings) -> Iterator[Peer]:
    documents.forget()
    with listening() as peer:
        settings.USHER_PRIVATE_HOSTS = (peer.at,)
        yield peer
    documents.forget()


def keys_of(*names: str) -> dict[str, Any]:
    return evil.jwks(*(evil.jwk(evil.rsa_key(name), name) for name in names))


def believed(url: str, token: str) -> SignedClaims:
    """As a sign-in does: with the kept keys, and once with those of now."""
    try:
        return verify(token, documents.get(url, parse=read_keys), evil.expected())
    except UnknownKeyError:
        return verify(token, documents.renewed(url, parse=read_keys), evil.expected())


def test_kept_for_an_hour(peer: Peer, clock: time_machine.Traveller) -> None:
    peer.answer = reply({"a": 1})
    for _ in range(3):
        assert documents.get(peer.url) == {"a": 1}
    peer.answer = reply({"a": 2})
    clock.shift(HOUR - 1)
    assert documents.get(peer.url) == {"a": 1}
    assert len(peer.asked) == 1
    clock.shift(1)
    assert documents.get(peer.url) == {"a": 2}
    assert documents.get(peer.url, lasts=0) == {"a": 2}
    assert len(peer.asked) == 3


def test_what_was_parsed_is_kept(peer: Peer) -> None:
    peer.answer = reply(keys_of("first"))
    keys = documents.get(peer.url, parse=read_keys)
    assert documents.get(peer.url, parse=read_keys) is keys


def test_a_hundred_unknown_keys(peer: Peer, clock: time_machine.Traveller) -> None:
    peer.answer = reply(keys_of("first"))
    for index in range(100):
        with pytest.raises(UnknownKeyError):
            believed(peer.url, evil.token(kid=f"random-{index}"))
    assert len(peer.asked) == 2
    clock.shift(61)
    assert believed(peer.url, evil.token()).subject == evil.SUBJECT
    with pytest.raises(UnknownKeyError):
        believed(peer.url, evil.token(kid="random"))
    assert len(peer.asked) == 3


def test_a_key_made_a_moment_ago(peer: Peer, clock: time_machine.Traveller) -> None:
    """oidcc-client-test-signing-key-rotation-just-before-signing: nobody waits for the minute to pass."""
    peer.answer = reply(keys_of("first"))
    believed(peer.url, evil.token())
    peer.answer = reply(keys_of("second", "first"))
    new = evil.token(kid="second", key=evil.rsa_key("second"))
    assert believed(peer.url, new).subject == believed(peer.url, evil.token()).subject
    assert len(peer.asked) == 2


def test_served_stale_for_a_day(peer: Peer, clock: time_machine.Traveller) -> None:
    peer.answer = reply(keys_of("first"))
    believed(peer.url, evil.token())
    clock.shift(2 * HOUR)
    for answer in (just(b""), reply(b"<html>"), reply({}, "500 Broken"), reply({"keys": []}), reply(b"x" * 2_000_000)):
        clock.shift(61)
        peer.answer = answer
        believed(peer.url, evil.token())
        believed(peer.url, evil.token())
        documents.renewed(peer.url, parse=read_keys)
    assert len(peer.asked) == 11, "one of each minute, and one that was asked for"
    clock.shift(22 * HOUR)
    peer.answer = reply({"keys": []})
    with pytest.raises(OidcError, match="publishes no public key"):
        documents.get(peer.url, parse=read_keys)


@pytest.mark.parametrize("answer", [reply({}, "404 Not Found"), reply(b"<html>"), just(b"")])
def test_nothing_kept_and_nothing_to_be_had(peer: Peer, answer: Any) -> None:
    peer.answer = answer
    for ask in (documents.get, documents.renewed):
        with pytest.raises(FetchError):
            ask(peer.url)
    peer.answer = reply({"a": 1})
    assert documents.get(peer.url) == {"a": 1}


def together(call: Any, count: int = 20) -> list[Any]:
    start = threading.Barrier(count)

    def one() -> Any:
        start.wait()
        return call()

    with ThreadPoolExecutor(count) as pool:
        return [task.result() for task in [pool.submit(one) for _ in range(count)]]


def test_one_question_of_twenty_threads(peer: Peer) -> None:
    peer.answer = reply({"a": 1})
    assert together(lambda: documents.get(peer.url)) == [{"a": 1}] * 20
    assert len(peer.asked) == 1


def test_twenty_threads_with_the_new_key(peer: Peer) -> None:
    """Whoever comes while one asks for the new keys waits for them: nobody is refused with the old ones."""
    peer.answer = reply(keys_of("first"))
    believed(peer.url, evil.token())
    peer.answer = reply(keys_of("second"))
    new = evil.token(kid="second", key=evil.rsa_key("second"))
    assert [signed.subject for signed in together(lambda: believed(peer.url, new))] == [evil.SUBJECT] * 20
    assert len(peer.asked) == 2


def test_a_failure_is_shared_too(peer: Peer) -> None:
    asked = threading.Event()
    go = threading.Event()

    def answer(line: Any) -> None:
        asked.set()
        go.wait(5)
        reply({}, "500 Broken")(line)

    def code() -> str:
        with pytest.raises(FetchError) as caught:
            documents.get(peer.url)
        return caught.value.code

    peer.answer = answer
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(code)
        asked.wait(5)
        others = [pool.submit(code) for _ in range(2)]
        go.set()
        codes = [task.result() for task in (first, *others)]
    assert codes == ["bad_status"] * 3


def test_old_ones_make_room(peer: Peer) -> None:
    for index in range(documents.MOST + 1):
        documents.get(f"{peer.url}{index}")
    assert len(documents._shelf.documents) == documents.MOST
    documents.get(f"{peer.url}{documents.MOST}")
    assert len(peer.asked) == documents.MOST + 1
    documents.get(f"{peer.url}0")
    assert len(peer.asked) == documents.MOST + 2
