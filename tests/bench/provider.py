"""An OpenID provider that costs next to nothing: it gives back the code as the ID token. It ends when stdin closes.

usage: python provider.py PUBLIC_JWK_FILE; prints its address. GET /counts says how often each path was asked for.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs

asked: Counter[str] = Counter()


async def serve(jwk: dict[str, str]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lengths = [int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")]
                sent = await reader.readexactly(sum(lengths))
                path = head.split(" ", 2)[1]
                asked[path] += 1
                body = json.dumps(said(path, sent, issuer, jwk)).encode()
                start = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(start.encode() + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 20)
    issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(issuer, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def said(path: str, sent: bytes, issuer: str, jwk: dict[str, str]) -> object:
    if path == "/token":
        code = parse_qs(sent.decode())["code"][0]
        return {"id_token": code, "access_token": "none", "token_type": "Bearer"}
    if path == "/keys":
        return {"keys": [jwk]}
    if path == "/counts":
        return asked
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
