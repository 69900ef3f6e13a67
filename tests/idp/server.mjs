// node server.mjs [PORT]: stand-ins for the identity providers on 127.0.0.1, until stdin closes.
// Says where everything is in one line of JSON when it is ready.
import './quiet.mjs'
import { createServer } from 'node:http'
import { apis } from './apis.mjs'
import { control } from './control.mjs'
import { entra, openEntra } from './entra.mjs'
import { graph } from './graph.mjs'
import { sendJson, stumble } from './http.mjs'
import { makeKeys } from './keys.mjs'
import { openOther, other } from './others.mjs'
import { setClock, world } from './world.mjs'

const server = createServer(answer)
server.keepAliveTimeout = 60_000
let base = ''

const reopen = (family) => (family === 'entra' ? openEntra(base) : openOther(base, family))

const FAMILIES = { entra, google: (req, res) => other('google', req, res), plain: (req, res) => other('plain', req, res), graph, apis }

// What a test calls the endpoint at an address, to make it stumble.
const ENDPOINTS = [
  [/\/\.well-known\/openid-configuration$/, 'discovery'], [/\/(keys|certs)$/, 'keys'], [/\/token$/, 'token'],
  [/\/(authorize|auth)$/, 'authorize'], [/\/userinfo$/, 'userinfo'],
]

function endpointOf(family, path) {
  if (family === 'graph' || family === 'apis') return family
  return `${family}.${ENDPOINTS.find(([address]) => address.test(path))?.[1]}`
}

async function answer(req, res) {
  const { pathname, search } = new URL(req.url, base)
  Object.assign(req, { path: pathname, search })
  const family = pathname.split('/')[1]
  try {
    if (family === 'control') return await control(req, res, reopen)
    world.counts[pathname] = (world.counts[pathname] ?? 0) + 1
    if (req.headers['x-clock']) setClock(Number(req.headers['x-clock']))
    if (await stumble(endpointOf(family, pathname), req, res)) return undefined
    return FAMILIES[family] ? await FAMILIES[family](req, res, base) : sendJson(res, { error: 'not_found' }, 404)
  } catch (error) {
    console.error(error)
    return res.headersSent ? res.destroy() : sendJson(res, { error: 'server_error', error_description: String(error) }, 500)
  }
}

await makeKeys(['entra', 'google', 'plain'])
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  base = `http://127.0.0.1:${server.address().port}`
  for (const family of ['entra', 'google', 'plain']) reopen(family)
  const at = Object.fromEntries(['entra', 'google', 'plain', 'graph', 'apis'].map((family) => [family, `${base}/${family}`]))
  const clients = Object.fromEntries(Object.entries(world.clients).map(([name, { id, secret }]) => [name, { id, secret }]))
  const tenants = Object.fromEntries(Object.entries(world.tenants).map(([name, { id }]) => [name, id]))
  console.log(JSON.stringify({ base, ...at, clients, tenants, password: world.password }))
})

process.stdin.resume().on('end', () => process.exit(0))
