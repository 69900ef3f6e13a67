// Who there is and what is wrong with the house today: everything that a test may change, and how it is put back.
import { readFileSync } from 'node:fs'

const written = readFileSync(new URL('people.json', import.meta.url), 'utf8')
const realNow = Date.now

export const world = { stores: [] }

export function reset() {
  Object.assign(world, JSON.parse(written), { faults: {}, counts: {}, clockAhead: 0 })
  for (const rows of world.stores) rows.clear()
}

// Tests live on a Monday in March; tokens must be dated as their clock says.
Date.now = () => realNow() + world.clockAhead
export const setClock = (seconds) => { world.clockAhead = seconds * 1000 - realNow() }
export const seconds = () => Math.floor(Date.now() / 1000)

export const person = (key) => world.people[key]

// Who signs in here with this name: a login name, or the key that the person has in people.json.
export function whoIs(family, login, tenant) {
  const typed = login.trim().toLowerCase()
  const found = Object.entries(world.people).filter(([key, one]) =>
    key.startsWith(`${family}/`) && (key === `${family}/${typed}` || one.login === typed))
  const here = found.filter(([, one]) => !tenant || one.tenant === tenant)
  // Without a tenant a guest is who he is at home, as at Microsoft.
  return (here.find(([, one]) => !one.claims.idp) ?? here[0])?.[0]
}

export function clientsOf(family, tenant) {
  return Object.values(world.clients).filter((client) =>
    client.family === family && (!client.tenant || client.tenant === tenant))
}

const LOCAL = ['127.0.0.1', 'localhost', 'testserver']
export function redirectAllowed(address) {
  const uri = URL.canParse(address) ? new URL(address) : null
  return Boolean(uri) && LOCAL.includes(uri.hostname) && /^https?:$/.test(uri.protocol) && !uri.hash
}

reset()
