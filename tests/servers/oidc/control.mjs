// What a test asks of the server behind the client's back: a family of tokens without a browser, a yes
// or a no to a device, an answer that gets lost, and whether a family still lives. JSON over `/__control`.

import { finished } from 'node:stream/promises';

const FAULTS = new Set(['lost', 'status', 'slow']);

export class Control {
  constructor(provider, refreshTokens) {
    this.provider = provider;
    this.refreshTokens = refreshTokens;
    this.families = new Map();
    this.counts = {};
    this.faults = [];
    this.#listen();
  }

  // Answers what is for us, spoils what is to be spoilt, and leaves the rest to `answer`.
  async pass(request, response, answer) {
    const path = request.url.split('?')[0];
    if (path.startsWith('/__control/')) return this.#control(request, response, path);
    const fault = this.#next(request.method, path);
    if (fault?.fault === 'status') return refuse(request, response, fault);
    if (fault?.fault === 'slow') await new Promise((done) => setTimeout(done, fault.milliseconds ?? 1000));
    if (fault?.fault === 'lost') lose(request, response);
    return answer(request, response);
  }

  async #control(request, response, path) {
    try {
      const body = await read(request);
      const [verb, id] = path.slice('/__control/'.length).split('/');
      const said = await this.#do(`${request.method} ${verb}`, body, id && decodeURIComponent(id));
      send(response, said === undefined ? 404 : 200, said ?? { error: `nothing at ${path}` });
    } catch (error) {
      send(response, 400, { error: error.message });
    }
  }

  async #do(verb, body, id) {
    switch (verb) {
      case 'GET families': return id ? this.#family(id) : [...this.families.keys()].map((it) => this.#family(it));
      case 'POST family': return this.#issue(body);
      case 'POST revoke': return this.#revoke(body);
      case 'POST device': return this.#decide(body);
      case 'POST fault': return this.#fault(body);
      case 'GET counts': return this.counts;
      default: return undefined;
    }
  }

  // A person has agreed: what the code flow would have led to.
  async #issue({ client_id, account = 'alice', scope = 'openid offline_access api:read' }) {
    const client = await this.provider.Client.find(client_id);
    if (!client) throw new Error(`no client ${client_id}`);
    const { grantId } = await this.#grant(client, account, scope);
    const marks = { accountId: account, client, grantId, gty: 'authorization_code', scope };
    const access = new this.provider.AccessToken(marks);
    const refresh = new this.provider.RefreshToken(marks);
    const answer = { grant_id: grantId, token_type: 'Bearer', scope };
    return { ...answer, access_token: await access.save(), expires_in: access.expiration, refresh_token: await refresh.save() };
  }

  async #grant({ clientId }, accountId, scope) {
    const grant = new this.provider.Grant({ accountId, clientId });
    grant.addOIDCScope(scope);
    return { grantId: await grant.save() };
  }

  // The person withdraws it, on the provider's own pages, say.
  async #revoke({ grant_id: id }) {
    const { Grant, AccessToken, RefreshToken } = this.provider;
    const grant = await Grant.find(id);
    await Promise.all([AccessToken.revokeByGrantId(id), RefreshToken.revokeByGrantId(id), grant?.destroy()]);
    return { revoked: Boolean(grant) };
  }

  async #decide({ user_code = '', decision, account = 'alice' }) {
    const code = await this.provider.DeviceCode.findByUserCode(user_code.toUpperCase().replace(/\W/g, ''));
    if (!code || code.error || code.accountId) throw new Error(`no device waits with the code ${user_code}`);
    if (decision === 'approve') {
      const scope = code.params.scope ?? 'openid';
      const { grantId } = await this.#grant(code, account, scope);
      Object.assign(code, { accountId: account, grantId, scope });
    } else if (decision === 'deny') {
      Object.assign(code, { error: 'access_denied', errorDescription: 'End-User aborted interaction' });
    } else {
      throw new Error('`decision` is "approve" or "deny"');
    }
    await code.save();
    return { decision };
  }

  #fault({ fault, path = '/token', times = 1, ...how }) {
    if (!FAULTS.has(fault)) throw new Error(`\`fault\` is one of ${[...FAULTS].join(', ')}`);
    for (let i = 0; i < times; i += 1) this.faults.push({ fault, path, ...how });
    return { waiting: this.faults.length };
  }

  #next(method, path) {
    const index = method === 'OPTIONS' ? -1 : this.faults.findIndex((it) => it.path === path);
    return index < 0 ? undefined : this.faults.splice(index, 1)[0];
  }

  #family(id) {
    const family = this.families.get(id);
    if (!family) return undefined;
    const now = Date.now() / 1000;
    const living = this.refreshTokens.all().filter((it) => it.grantId === id && !it.consumed && it.exp > now);
    return { ...family, alive: living.length > 0 && !family.revoked };
  }

  #listen() {
    const { provider } = this;
    provider.on('refresh_token.saved', ({ grantId, clientId, accountId }) => {
      if (this.families.has(grantId)) return;
      const family = { grant_id: grantId, client_id: clientId, account: accountId };
      this.families.set(grantId, { ...family, refreshes: 0, reuses: 0, revoked: false });
    });
    provider.on('grant.destroyed', ({ jti }) => this.#note(jti, (it) => { it.revoked = true; }));
    provider.on('grant.revoked', (_, id) => this.#note(id, (it) => { it.revoked = true; }));
    provider.on('grant.success', (ctx) => this.#count(ctx, 'ok'));
    provider.on('grant.error', (ctx, error) => this.#count(ctx, error.error ?? 'error', error.error_detail));
  }

  #count(ctx, outcome, detail) {
    const kind = ctx.oidc.params?.grant_type ?? 'none';
    const counts = (this.counts[kind] ??= {});
    counts[outcome] = (counts[outcome] ?? 0) + 1;
    if (kind !== 'refresh_token') return;
    const grant = ctx.oidc.entities.RefreshToken?.grantId;
    if (outcome === 'ok') this.#note(grant, (it) => { it.refreshes += 1; });
    if (detail === 'refresh token already used') this.#note(grant, (it) => { it.reuses += 1; });
  }

  #note(id, change) {
    const family = this.families.get(id);
    if (family) change(family);
  }
}

// The server does its work and the connection breaks before the first byte of the answer.
function lose(request, response) {
  response.write = () => true;
  response.end = () => request.socket.destroy();
}

async function refuse(request, response, { status = 503, retry_after: after, error = 'temporarily_unavailable' }) {
  await finished(request.resume()).catch(() => {});
  if (after !== undefined) response.setHeader('Retry-After', String(after));
  send(response, status, { error });
}

async function read(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text ? JSON.parse(text) : {};
}

function send(response, status, value) {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(value));
}
