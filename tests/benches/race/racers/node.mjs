// A token service as somebody who knows Node well writes it by hand: one process, the fetch that is built in with
// connections that are kept, better-sqlite3 that waits for the disk, some refreshes at once, a lock for each row, retries
// with growing pauses, and a transaction for each refresh.
//
// Says `ready`, begins with the first line of its standard input, and ends with the end of it.
import Database from "better-sqlite3";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const { DATABASE, TOKEN_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
const AT_ONCE = Number(process.env.AT_ONCE);
const BATCH = 500;
const REFRESH_BEFORE = 300;
const TRIES = 3;

const db = new Database(DATABASE);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.pragma("busy_timeout = 5000");

const due = db.prepare(`
  select id from connections where state = 'active' and expires_at < ? and retry_at <= ?
  order by expires_at limit ${BATCH}`).pluck();
const find = db.prepare("select refresh_token from connections where id = ?").pluck();
// One statement is a transaction of its own.
const keep = db.prepare(`
  update connections set access_token = ?, refresh_token = ?, token_type = ?, expires_at = ?, failures = 0, error = null,
                         retry_at = 0, updated_at = ?
  where id = ?`);
const fail = db.prepare(`
  update connections set state = ?, failures = failures + 1, error = ?, retry_at = ?, updated_at = ? where id = ?`);

/** The provider takes this refresh token no more. */
class GrantEnded extends Error {}

const seconds = () => Math.floor(Date.now() / 1000);

async function send(refreshToken) {
  const answer = await fetch(TOKEN_URL, {
    method: "POST",
    headers: { accept: "application/json" },
    body: new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: refreshToken,
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
    }),
    signal: AbortSignal.timeout(30_000),
  });
  if (answer.ok) return answer.json();
  const said = await answer.text();
  throw answer.status === 400 || answer.status === 401 ? new GrantEnded(said) : new Error(`${answer.status}: ${said}`);
}

async function exchange(refreshToken) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(refreshToken);
    } catch (error) {
      if (error instanceof GrantEnded || attempt === TRIES) throw error;
      await sleep(250 * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}

async function refreshAlone(id) {
  const old = find.get(id);
  try {
    const tokens = await exchange(old);
    if (!tokens.access_token) throw new Error("the answer has no access token");
    const now = seconds();
    const end = now + tokens.expires_in;
    keep.run(tokens.access_token, tokens.refresh_token ?? old, tokens.token_type ?? "Bearer", end, now, id);
  } catch (error) {
    const now = seconds();
    fail.run(error instanceof GrantEnded ? "reconnect" : "active", String(error).slice(0, 300), now + 60, now, id);
  }
}

const locks = new Map();

function refresh(id) {
  const running = locks.get(id) ?? refreshAlone(id).finally(() => locks.delete(id));
  locks.set(id, running);
  return running;
}

let stopping = false;
let waiting = [];

function next() {
  if (!waiting.length) {
    const now = seconds();
    waiting = due.all(now + REFRESH_BEFORE, now).filter((id) => !locks.has(id)).reverse();
  }
  return waiting.pop();
}

async function worker() {
  for (let id; !stopping && (id = next()) !== undefined; ) await refresh(id);
}

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
console.log("ready");
await input.next();
input.next().then(() => (stopping = true));
while (!stopping) {
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (!stopping) await sleep(100);
}
db.close();
process.exit(0);
