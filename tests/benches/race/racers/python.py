"""A token service as somebody who knows Python well writes it by hand: one process, aiohttp with connections that are kept,
sqlite3 that waits for the disk, some refreshes at once, a lock for each row, retries with growing pauses, and a transaction
for each refresh.

Says `ready`, begins with the first line of its standard input, and ends with the end of it.
"""

import asyncio
import json
import os
import random
import sqlite3
import sys
import time

import aiohttp

TOKEN_URL, AT_ONCE = os.environ["TOKEN_URL"], int(os.environ["AT_ONCE"])
CLIENT = {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
BATCH, REFRESH_BEFORE, TRIES = 500, 300, 3

DUE = """select id from connections where state = 'active' and expires_at < ? and retry_at <= ?
         order by expires_at limit ?"""
FIND = "select refresh_token from connections where id = ?"
KEEP = """update connections set access_token = ?, refresh_token = ?, token_type = ?, expires_at = ?, failures = 0,
                                 error = null, retry_at = 0, updated_at = ?
          where id = ?"""
FAIL = "update connections set state = ?, failures = failures + 1, error = ?, retry_at = ?, updated_at = ? where id = ?"

# Without transactions of the module's own, each statement is one.
db = sqlite3.connect(os.environ["DATABASE"], isolation_level=None, timeout=5)
db.execute("pragma journal_mode = WAL")
db.execute("pragma synchronous = FULL")


class GrantEnded(Exception):
    """The provider takes this refresh token no more."""


class Refresher:
    def __init__(self, client):
        self.client, self.locks, self.waiting = client, {}, []
        self.stopping = asyncio.Event()

    async def send(self, refresh_token):
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **CLIENT}
        async with self.client.post(TOKEN_URL, data=form) as answer:
            body = await answer.read()
        if answer.status in (400, 401):
            raise GrantEnded(body.decode())
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {body}")
        return json.loads(body)

    async def exchange(self, refresh_token):
        for attempt in range(1, TRIES):
            try:
                return await self.send(refresh_token)
            except GrantEnded:
                raise
            except Exception:
                await asyncio.sleep(0.25 * 2**attempt * random.uniform(0.5, 1.5))
        return await self.send(refresh_token)

    async def refresh(self, id):
        async with self.locks.setdefault(id, asyncio.Lock()):
            try:
                (old,) = db.execute(FIND, (id,)).fetchone()
                tokens = await self.exchange(old)
                now = int(time.time())
                new, kind = tokens.get("refresh_token", old), tokens.get("token_type", "Bearer")
                db.execute(KEEP, (tokens["access_token"], new, kind, now + tokens["expires_in"], now, id))
            except Exception as error:
                now = int(time.time())
                state = "reconnect" if isinstance(error, GrantEnded) else "active"
                db.execute(FAIL, (state, repr(error)[:300], now + 60, now, id))
        self.locks.pop(id, None)

    def next(self):
        if not self.waiting:
            now = int(time.time())
            found = db.execute(DUE, (now + REFRESH_BEFORE, now, BATCH))
            self.waiting = [id for (id,) in found if id not in self.locks][::-1]
        return self.waiting.pop() if self.waiting else None

    async def worker(self):
        while not self.stopping.is_set() and (id := self.next()) is not None:
            await self.refresh(id)

    def stop(self):
        asyncio.get_running_loop().remove_reader(sys.stdin)
        self.stopping.set()


async def main():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as client:
        refresher = Refresher(client)
        print("ready", flush=True)
        sys.stdin.readline()
        asyncio.get_running_loop().add_reader(sys.stdin, refresher.stop)
        while not refresher.stopping.is_set():
            await asyncio.gather(*(refresher.worker() for _ in range(AT_ONCE)))
            await asyncio.sleep(0.1)


asyncio.run(main())
