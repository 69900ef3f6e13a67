"""An LMS that costs next to nothing and takes its time, as real ones do. It ends when stdin closes.

usage: python gradebook.py SECONDS; prints its address. Each score takes so long. It counts as Canvas does (a leaky
bucket: 50 units while a request lasts, about one that stays, 10 flow out each second, above 600 nobody gets in).
GET /counts says what was answered, GET /times when each score came.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from http import HTTPStatus

HIGHEST, ENTRY, STAYS, OUTFLOW = 600.0, 50.0, 1.0, 10.0
answered: Counter[str] = Counter()
times: list[float] = []
most = [0.0]


class Bucket:
    level, at = 0.0, time.monotonic()

    def leak(self) -> float:
        now = time.monotonic()
        self.level, self.at = max(0.0, self.level - (now - self.at) * OUTFLOW), now
        most[0] = max(most[0], self.level)
        return self.level


bucket = Bucket()


async def serve(seconds: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lengths = [int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")]
                await reader.readexactly(sum(lengths))
                status, more, body = await said(head.split(" ", 2)[1], seconds)
                raw = json.dumps(body).encode()
                start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: {len(raw)}\r\n{more}\r\n"
                writer.write(start.encode() + raw)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def said(path: str, seconds: float) -> tuple[int, str, object]:
    if path == "/token":
        return 200, "", {"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600}
    if path == "/counts":
        return 200, "", {**answered, "level": round(most[0])}
    if path == "/times":
        return 200, "", times
    if bucket.leak() > HIGHEST:
        answered["throttled"] += 1
        return 403, "X-Rate-Limit-Remaining: 0.0\r\n", {"errors": "403 Forbidden (Rate Limit Exceeded)"}
    bucket.level += ENTRY
    await asyncio.sleep(seconds)
    bucket.level += STAYS - ENTRY
    bucket.leak()
    answered["scores"] += 1
    times.append(time.time())
    return 200, "", {}


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
