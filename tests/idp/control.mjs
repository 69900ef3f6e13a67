// What a test may do to the stand-ins: POST /control with some of these, all in one go.
import { bodyOf, sendJson } from './http.mjs'
import { rotate } from './keys.mjs'
import { reset, setClock, world } from './world.mjs'

/*
  reset:   true                                 everything as in people.json, nothing counted
  now:     1772438400                           what the clock says
  people:  {"entra/tom": {"mail": "…", "claims": {"roles": null}}}   changed member by member; who is not there is added
  tenants: {"birch": {"consented": ["User.Read"]}}                   likewise
  apps:    {"google": {"auth_time": "always"}}  likewise: how an application is registered
  faults:  {"entra.keys": {"delay": 2, "status": 500, "body": …, "size": 3000000, "hang_up": true, "times": 1}}; null ends one
  rotate:  {"entra": "keep"} or {"entra": "drop"}                    a new signing key; the old one is still shown, or gone
*/
export async function control(req, res, reopen) {
  if (req.path === '/control/counts') {
    if (req.method === 'DELETE') world.counts = {}
    return sendJson(res, world.counts)
  }
  const told = JSON.parse(await bodyOf(req))
  if (told.reset) reset()
  if (told.now !== undefined) setClock(told.now)
  merge(world.people, told.people)
  merge(world.tenants, told.tenants)
  merge(world.clients, told.apps)
  for (const [endpoint, fault] of Object.entries(told.faults ?? {})) world.faults[endpoint] = fault
  for (const [family, old] of Object.entries(told.rotate ?? {})) await rotate(family, old === 'keep')
  for (const family of Object.keys(told.rotate ?? {})) reopen(family)
  return sendJson(res, { people: world.people, tenants: world.tenants })
}

function merge(all, changes = {}) {
  for (const [name, { claims, ...change }] of Object.entries(changes)) {
    const old = all[name] ?? { claims: {} }
    all[name] = { ...old, ...change, ...(old.claims && { claims: { ...old.claims, ...claims } }) }
  }
}
