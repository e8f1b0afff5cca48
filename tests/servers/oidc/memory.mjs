// What oidc-provider keeps, in a map. Its own store forgets the oldest of 1000 things, which a long test
// would take for a revoked grant, and it forgets a device code in the moment it expires, so that nobody
// ever sees `expired_token`. This one forgets nothing until the process ends.

const kept = new Map();

export class Memory {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload) {
    kept.set(`${this.model}:${id}`, payload);
  }

  async find(id) {
    return kept.get(`${this.model}:${id}`);
  }

  async findByUid(uid) {
    return this.#first((payload) => payload.uid === uid);
  }

  async findByUserCode(code) {
    return this.#first((payload) => payload.userCode === code);
  }

  async consume(id) {
    kept.get(`${this.model}:${id}`).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    kept.delete(`${this.model}:${id}`);
  }

  async revokeByGrantId(grant) {
    for (const payload of this.all()) {
      if (payload.grantId === grant) kept.delete(`${this.model}:${payload.jti}`);
    }
  }

  all() {
    return [...kept].filter(([key]) => key.startsWith(`${this.model}:`)).map(([, payload]) => payload);
  }

  #first(matches) {
    return this.all().find(matches);
  }
}
