// A real authorization server on loopback: oidc-provider, with the clients that the tests need.
// `node server.mjs PORT [options]` prints `ready http://127.0.0.1:PORT`. It checks what the specifications
// say it must, so a test against it shows more than a test against our own fakes. See ../README.md.

import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

// The one line on standard output is ours.
console.info = console.error;
const { Provider, errors } = await import('oidc-provider');
const { Control } = await import('./control.mjs');
const { Memory } = await import('./memory.mjs');

const seconds = (normally) => ({ type: 'string', default: String(normally) });
const { values: options, positionals: [port = '0'] } = parseArgs({
  allowPositionals: true,
  options: {
    'access-ttl': seconds(60),
    'refresh-ttl': seconds(3600),
    'device-ttl': seconds(600),
    'token-path': { type: 'string', default: '/token' },
    'keep-refresh-token': { type: 'boolean', default: false },
    'keys': { type: 'string' },
    'until-stdin-ends': { type: 'boolean', default: false },
  },
});

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const RESOURCE = 'urn:example:api';
// Without a port: a native client may listen on any.
const LOOPBACK = [
  'http://127.0.0.1/callback', 'http://localhost/callback', 'http://[::1]/callback', 'http://127.0.0.1/connect/callback',
];
const DASHBOARD = ['http://127.0.0.1/ui/login/openid/callback', 'http://localhost/ui/login/openid/callback'];

const rsa = keyPair('rsa', { modulusLength: 2048 }, 'RS256');
const ec = keyPair('ec', { namedCurve: 'P-256' }, 'ES256');
if (options.keys) {
  writeFileSync(join(options.keys, 'rs256.pem'), rsa.pem, { mode: 0o600 });
  writeFileSync(join(options.keys, 'es256.pem'), ec.pem, { mode: 0o600 });
}

const server = createServer();
server.listen(Number(port), '127.0.0.1', () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(base, configuration());
  const control = new Control(provider, new Memory('RefreshToken'));
  const answer = provider.callback();
  server.on('request', (request, response) => control.pass(request, response, answer));
  console.log(`ready ${base}`);
});

if (options['until-stdin-ends']) {
  // Whoever started us is gone, however it ended.
  process.stdin.resume().on('end', () => process.exit()).on('error', () => process.exit());
}

function configuration() {
  const access = Number(options['access-ttl']);
  return {
    adapter: Memory,
    claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['groups'] },
    clients: clients(),
    clockTolerance: 0,
    // What people are shown by is in the ID token, as most providers have it.
    conformIdTokenClaims: false,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    expiresWithSession: () => false,
    findAccount: (_, id) => ({ accountId: id, claims: () => claimsOf(id) }),
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    jwks: { keys: [keyPair('rsa', { modulusLength: 2048 }, 'RS256').private] },
    pkce: { required: (_, client) => client.clientAuthMethod === 'none' },
    rotateRefreshToken: !options['keep-refresh-token'],
    routes: { token: options['token-path'] },
    scopes: ['openid', 'profile', 'groups', 'offline_access', 'api:read', 'api:write'],
    ttl: {
      AccessToken: access,
      ClientCredentials: access,
      RefreshToken: Number(options['refresh-ttl']),
      DeviceCode: Number(options['device-ttl']),
      AuthorizationCode: 60,
      Grant: 86400,
      IdToken: 3600,
      Interaction: 3600,
      Session: 86400,
    },
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer, useGrantedResource: () => true },
    },
  };
}

// `ann.operators` is in the group `operators`.
function claimsOf(id) {
  return { sub: id, preferred_username: id, groups: id.split('.').slice(1) };
}

function clients() {
  const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
  const person = {
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: LOOPBACK,
    response_types: ['code'],
  };
  return [
    { client_id: 'svc', client_secret: 'svc-secret', ...machine },
    { client_id: 'post', client_secret: 'post-secret', token_endpoint_auth_method: 'client_secret_post', ...machine },
    { client_id: 'jwt', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [rsa.public, ec.public] }, ...machine },
    { client_id: 'web', client_secret: 'web-secret', ...person },
    { client_id: 'dashboard', client_secret: 'dashboard-secret', ...person, grant_types: ['authorization_code'], redirect_uris: DASHBOARD },
    { client_id: 'public', token_endpoint_auth_method: 'none', ...person },
    {
      client_id: 'dev',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: [DEVICE, 'refresh_token'],
      redirect_uris: [],
      response_types: [],
    },
  ];
}

// Opaque tokens: a JWT could be neither introspected nor revoked here.
function resourceServer(_, resource) {
  if (resource !== RESOURCE) throw new errors.InvalidTarget();
  return { audience: resource, scope: 'api:read api:write', accessTokenFormat: 'opaque' };
}

function keyPair(kind, parameters, alg) {
  const { publicKey, privateKey } = generateKeyPairSync(kind, parameters);
  const marks = { alg, use: 'sig', kid: alg.toLowerCase() };
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    private: { ...privateKey.export({ format: 'jwk' }), ...marks },
    public: { ...publicKey.export({ format: 'jwk' }), ...marks },
  };
}
