"""The wrapping pass: keyed digests become argon2id over the digest, on every core, behind everything else."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet

from usher.people import passwords

if TYPE_CHECKING:
    from usher.people.models import Account

Digest = tuple[uuid.UUID, str]
PIECE = 2_000  # digests read together
SLICE = 64  # hashes per write: some two seconds of work at risk, a few milliseconds of lock


def harden_range(accounts: type[Account], first: uuid.UUID, last: uuid.UUID, *, beat: Callable[[], None]) -> None:
    """Wrap every digest of the accounts with ``first <= id <= last``; ``beat`` is called before each write.

    The update is conditional on the old hash: a password changed or upgraded meanwhile stands.
    """
    waiting = accounts.objects.filter(id__range=(first, last), password__startswith=passwords.KEYED).order_by("id")
    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        for rows in _pieces(waiting):
            hashes = zip(rows, pool.map(passwords.harden, [password for _, password in rows]), strict=True)
            for batch in _slices(hashes):
                beat()
                _store(accounts, batch)
    finally:
        pool.shutdown(cancel_futures=True)  # who is told to stop does not hash what nobody will store


def _pieces(waiting: QuerySet[Account]) -> Iterator[list[Digest]]:
    """A range may span a whole school or the whole server: it is not read into memory at once."""
    rows = list(waiting.values_list("id", "password")[:PIECE])
    while rows:
        yield rows
        rows = list(waiting.filter(id__gt=rows[-1][0]).values_list("id", "password")[:PIECE])


def _slices(hashes: Iterable[tuple[Digest, str]]) -> Iterator[Sequence[tuple[Digest, str]]]:
    source = iter(hashes)
    while batch := list(islice(source, SLICE)):
        yield batch


def _store(accounts: type[Account], batch: Sequence[tuple[Digest, str]]) -> None:
    with transaction.atomic():
        for (account_id, old), new in batch:
            accounts.objects.filter(id=account_id, password=old).update(password=new)
