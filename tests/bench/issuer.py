"""Who signs ID tokens in the bench: a provider or an LMS that costs nothing, and its key."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

LASTS = 900  # seconds


@dataclass(frozen=True)
class Issuer:
    """Where it answers (provider.py), and the key of which its ID tokens are signed."""

    url: str
    key: rsa.RSAPrivateKey = field(repr=False)

    def sign(self, claims: dict[str, Any]) -> str:
        now = int(time.time())
        return jwt.encode(
            {"iss": self.url, "iat": now, "exp": now + LASTS, **claims}, self.key, "RS256", {"kid": "bench"}
        )

    def counts(self) -> dict[str, int]:
        """How often each path was asked for."""
        with urllib.request.urlopen(f"{self.url}/counts", timeout=5) as answer:
            told: dict[str, int] = json.load(answer)
        return told


@contextmanager
def issuing(folder: Path) -> Iterator[Issuer]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "bench", "use": "sig", "alg": "RS256"}
    public.pop("key_ops", None)
    file = folder / "jwk.json"
    file.write_text(json.dumps(public))
    program = [sys.executable, str(Path(__file__).with_name("provider.py")), str(file)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        yield Issuer(process.stdout.readline().strip(), key)
    finally:
        process.stdin.close()
        process.wait(10)
