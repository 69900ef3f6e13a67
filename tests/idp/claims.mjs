// What each family says about a person in an id_token and at its UserInfo endpoint.
import { createHash } from 'node:crypto'
import { person, seconds, world } from './world.mjs'

const MOST_GROUPS = 200 // in a JWT, as Microsoft documents it
const PERSONAL = 'personal'

const names = (name) => {
  const [given, ...family] = name.split(' ')
  return { name, given_name: given, family_name: family.join(' ') }
}

// Changes of a test come last; a claim that is null is left out.
const finish = (claims, one, base) => {
  const told = JSON.stringify({ ...claims, ...one.claims })
    .replaceAll('{base}', base)
    .replaceAll(/\{(cedar|birch|personal)\}/g, (_, tenant) => world.tenants[tenant].id)
  return Object.fromEntries(Object.entries(JSON.parse(told)).filter(([, value]) => value !== null))
}

const digest = (...parts) => createHash('sha256').update(parts.join('|')).digest('base64url')

export const groupsOf = (one) => [
  ...(one.groups ?? []),
  ...Array.from({ length: one.more_groups ?? 0 }, (_, at) => `6e0ff000-0000-4000-8000-${String(at + 1).padStart(12, '0')}`),
]

function groupClaims(one, base) {
  const ids = groupsOf(one)
  if (!ids.length) return {}
  if (ids.length <= MOST_GROUPS) return { groups: ids }
  const endpoint = `${base}/graph/v1.0/users/${one.oid}/getMemberObjects`
  return { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint } } }
}

export function entraClaims(key, { clientId, scopes, base }) {
  const one = person(key)
  const tid = world.tenants[one.tenant].id
  const early = seconds() - 300 // Microsoft dates its tokens five minutes back
  return finish({
    sub: one.sub ?? digest(tid, one.oid, clientId), // another one for every application
    tid, ver: '2.0', iat: early, nbf: early,
    aio: digest('aio', one.oid, String(early)), uti: digest('uti', String(Math.random())).slice(0, 22),
    ...(scopes.has('profile') && { oid: one.oid, name: one.name, preferred_username: one.user_name ?? one.login }),
    ...(scopes.has('email') && one.mail && { email: one.mail }),
    ...(one.tenant !== PERSONAL && groupClaims(one, base)),
  }, one, base)
}

export function googleClaims(key, { clientId, scopes, base, use, token }) {
  const one = person(key)
  return finish({
    sub: one.sub,
    ...(use === 'id_token' && { azp: clientId, at_hash: token }),
    ...(scopes.has('email') && { email: one.login, email_verified: true }),
    ...(one.hd && { hd: one.hd }),
    ...(scopes.has('profile') && { ...names(one.name), picture: 'https://lh3.googleusercontent.example/a/nobody=s96-c', locale: 'en' }),
  }, one, base)
}

export function plainClaims(key, { scopes, base }) {
  const one = person(key)
  return finish({
    sub: one.sub,
    ...(scopes.has('email') && { email: one.login }),
    ...(scopes.has('profile') && { ...names(one.name), preferred_username: one.login.split('@')[0] }),
  }, one, base)
}
