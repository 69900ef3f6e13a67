// Where an oidc-provider keeps its codes, tokens and sessions: in a Map that outlives a change of its keys.
import { seconds, world } from './world.mjs'

export function newStore() {
  const rows = new Map()
  world.stores.push(rows)
  return rows
}

export const adapterOf = (rows) => class {
  constructor(model) { this.model = model }

  async upsert(id, payload) {
    rows.set(`${this.model}:${id}`, payload)
    if (this.model === 'Session') rows.set(`uid:${payload.uid}`, payload)
  }

  async find(id) { return rows.get(`${this.model}:${id}`) }

  async findByUid(uid) { return rows.get(`uid:${uid}`) }

  async consume(id) { rows.get(`${this.model}:${id}`).consumed = seconds() }

  async destroy(id) { rows.delete(`${this.model}:${id}`) }

  async revokeByGrantId(grantId) {
    for (const [key, payload] of rows) if (payload.grantId === grantId) rows.delete(key)
  }
}
