// Which permissions there are, and which of them a person, a tenant or a domain has let through.
import { person, world } from './world.mjs'

const GRAPH = 'https://graph.microsoft.com/'
export const GLOBAL_ADMIN = '62e90394-69f5-4237-9190-012177145e10'
const OPENID = ['openid', 'profile', 'email', 'offline_access']
// What the application's registration lists; asked for by “.default”.
export const REGISTERED = ['User.Read', 'GroupMember.Read.All', 'EduRoster.ReadBasic']
const GRAPH_SCOPES = [...REGISTERED, 'Directory.Read.All', 'RoleManagement.Read.Directory', '.default']
const ADMINS_ONLY = new Set(GRAPH_SCOPES.filter((scope) => !['User.Read', '.default'].includes(scope)))
const GOOGLE_SCOPES = [
  'classroom.rosters.readonly', 'classroom.courses.readonly', 'classroom.profile.emails', 'admin.directory.user.readonly',
].map((name) => `https://www.googleapis.com/auth/${name}`)

export const scopesOf = (family) => ({
  entra: [...OPENID, ...GRAPH_SCOPES, ...GRAPH_SCOPES.map((scope) => GRAPH + scope)],
  google: ['openid', 'profile', 'email', ...GOOGLE_SCOPES],
  plain: OPENID,
})[family]

// Where Graph is a stand-in too, its address stands before the name.
export const short = (scope) => scope.replace(GRAPH, '').replace(/^http:.*\/graph\//, '')
export const isAdmin = (one) => (one.directory_roles ?? []).includes(GLOBAL_ADMIN)

// Of these scopes, those that still wait for a yes and those to which the person has said no.
export function sortOut(key, scopes) {
  const one = person(key)
  const consented = world.tenants[one.tenant]?.consented ?? []
  const unsure = scopes.filter((scope) => ADMINS_ONLY.has(short(scope)) && !consented.includes(short(scope)))
  if (one.tenant === 'personal') return { refused: unsure, waiting: [] } // nobody there could ever grant them
  return { refused: scopes.filter((scope) => one.refuses?.includes(scope)), waiting: unsure }
}

export function consentFor(tenant, scopes) {
  const asked = scopes.map(short).flatMap((scope) => (scope === '.default' ? REGISTERED : [scope]))
  const graph = asked.filter((scope) => GRAPH_SCOPES.includes(scope))
  world.tenants[tenant].consented = [...new Set([...world.tenants[tenant].consented, ...graph])]
}

// What an access token is good for at Graph.
export function graphScopes(one, scope) {
  const asked = scope.split(' ').map(short)
  return new Set(asked.includes('.default') ? [...asked, ...world.tenants[one.tenant].consented] : asked)
}
