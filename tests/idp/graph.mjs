// The parts of Microsoft Graph v1.0 that say who somebody is, in the JSON that its reference shows.
import { entraClaims, groupsOf } from './claims.mjs'
import { bearer } from './entra.mjs'
import { bodyOf, sendJson } from './http.mjs'
import { graphScopes } from './scopes.mjs'
import { person, world } from './world.mjs'

const PAGE = 100
const CONTEXT = 'https://graph.microsoft.com/v1.0/$metadata'

export async function graph(req, res, base) {
  const [scheme, token = ''] = (req.headers.authorization ?? '').split(' ')
  const who = scheme === 'Bearer' && token ? await bearer(token) : undefined
  if (!who) {
    const problem = token ? 'Lifetime validation failed, the token is expired.' : 'Access token is empty.'
    return fail(res, 401, 'InvalidAuthenticationToken', problem)
  }
  const visit = { ...who, one: person(who.key), req, res, base, scopes: graphScopes(person(who.key), who.scope) }
  const path = req.path.replace('/graph', '').replace(new RegExp(`^/v1.0/users/${visit.one.oid}`), '/v1.0/me')
  const found = ROUTES.find(([method, route]) => method === req.method && route === path)
  if (!found) return notFound(res, req.path)
  const [, , needed, answer] = found
  if (needed.length && !needed.some((scope) => visit.scopes.has(scope))) {
    return fail(res, 403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')
  }
  return answer(visit)
}

function fail(res, status, code, message) {
  const id = crypto.randomUUID()
  const date = new Date(Date.now()).toISOString().slice(0, 19)
  sendJson(res, { error: { code, message, innerError: { date, 'request-id': id, 'client-request-id': id } } }, status)
}

const notFound = (res, what) => fail(res, 404, 'Request_ResourceNotFound',
  `Resource '${what}' does not exist or one of its queried reference-property objects are not present.`)

const me = ({ one, res }) => {
  const [givenName, ...family] = one.name.split(' ')
  sendJson(res, {
    '@odata.context': `${CONTEXT}#users/$entity`, businessPhones: [], displayName: one.name, givenName, jobTitle: null,
    mail: one.mail ?? null, mobilePhone: null, officeLocation: null, preferredLanguage: null, surname: family.join(' '),
    userPrincipalName: one.user_name ?? one.login, id: one.oid,
  })
}

// Only security groups, or everything, directory roles too.
async function memberObjects({ one, req, res }) {
  const asked = JSON.parse(await bodyOf(req) || '{}')
  if (typeof asked.securityEnabledOnly !== 'boolean') {
    return fail(res, 400, 'Request_BadRequest', "A value is required for property 'securityEnabledOnly'.")
  }
  const ids = groupsOf(one).filter((id) => !asked.securityEnabledOnly || describe(id).securityEnabled)
  const value = asked.securityEnabledOnly ? ids : [...ids, ...(one.directory_roles ?? []).map(roleObject)]
  return sendJson(res, { '@odata.context': `${CONTEXT}#Collection(Edm.String)`, value })
}

const describe = (id) => world.groups.find((group) => group.id === id)
  ?? { id, displayName: `Group ${id.slice(-3)}`, securityEnabled: true }

// A directory role that is switched on in a tenant has an id of its own; the template is the same everywhere.
const roleObject = (template) => template.replace(/^.{8}/, 'd12ec702')

function groups({ one, req, res, base }) {
  const query = new URLSearchParams(req.search)
  const select = query.get('$select')?.split(',')
  const size = Math.min(Number(query.get('$top') ?? PAGE), 999)
  const from = Number(query.get('$skiptoken') ?? 0)
  const all = groupsOf(one).map(describe)
  const value = all.slice(from, from + size).map((group) => selected(group, select))
  query.set('$skiptoken', from + size)
  sendJson(res, {
    '@odata.context': `${CONTEXT}#groups${select ? `(${select})` : ''}`,
    ...(all.length > from + size && { '@odata.nextLink': `${base}${req.path}?${query}` }),
    value,
  })
}

const selected = (whole, names) => (names ? Object.fromEntries(names.map((name) => [name, whole[name] ?? null])) : whole)

// Without leave to read the directory only type and id are told; the rest is null.
function directoryRoles({ one, res, scopes }) {
  const may = scopes.has('Directory.Read.All') || scopes.has('RoleManagement.Read.Directory')
  const value = (one.directory_roles ?? []).map((template) => ({
    '@odata.type': '#microsoft.graph.directoryRole', id: roleObject(template),
    displayName: may ? 'Global Administrator' : null, roleTemplateId: may ? template : null,
  }))
  sendJson(res, { '@odata.context': `${CONTEXT}#directoryRoles`, value })
}

function education({ one, req, res }) {
  if (!one.primary_role) return notFound(res, one.oid)
  const whole = {
    id: one.oid, primaryRole: one.primary_role, displayName: one.name, userPrincipalName: one.user_name ?? one.login,
    mail: one.mail ?? null, accountEnabled: true, externalSource: 'manual',
  }
  const select = new URLSearchParams(req.search).get('$select')?.split(',')
  return sendJson(res, { '@odata.context': `${CONTEXT}#education/users/$entity`, ...selected(whole, select) })
}

function userinfo({ key, one, clientId, scope, base, res }) {
  const { sub, email } = entraClaims(key, { clientId, scopes: new Set(scope.split(' ')), base })
  const [given_name, ...family] = one.name.split(' ')
  sendJson(res, { sub, name: one.name, given_name, family_name: family.join(' '), ...(email && { email }) })
}

const READ = ['User.Read', 'Directory.Read.All']
const ROUTES = [
  ['GET', '/v1.0/me', READ, me],
  ['POST', '/v1.0/me/getMemberObjects', ['GroupMember.Read.All', 'Directory.Read.All'], memberObjects],
  ['GET', '/v1.0/me/transitiveMemberOf/microsoft.graph.group', ['GroupMember.Read.All', 'Directory.Read.All'], groups],
  ['GET', '/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole', READ, directoryRoles],
  ['GET', '/v1.0/education/me', ['EduRoster.ReadBasic'], education],
  ['GET', '/oidc/userinfo', [], userinfo],
]
