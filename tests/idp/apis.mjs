// The parts of Google's Classroom and Directory APIs that say who is a teacher and who an administrator.
import { sendJson } from './http.mjs'
import { bearer } from './others.mjs'
import { person, world } from './world.mjs'

const AUTH = 'https://www.googleapis.com/auth/'
const NO_TOKEN = 'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid '
  + 'authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.'

export async function apis(req, res) {
  const [scheme, token = ''] = (req.headers.authorization ?? '').split(' ')
  const who = scheme === 'Bearer' && token ? await bearer(token) : undefined
  if (!who) return fail(res, 401, 'UNAUTHENTICATED', NO_TOKEN)
  const path = req.path.slice('/apis'.length)
  const found = req.method === 'GET' && ROUTES.find(([start]) => path.startsWith(start))
  if (!found) return fail(res, 404, 'NOT_FOUND', 'Requested entity was not found.')
  const [start, needed, service, answer] = found
  const scopes = new Set(who.scope.split(' '))
  if (!needed.some((name) => scopes.has(AUTH + name))) return outOfScope(res, service)
  const asked = decodeURIComponent(path.slice(start.length))
  return answer({ res, scopes, one: person(who.key), asked, query: new URLSearchParams(req.search) })
}

function fail(res, code, status, message, more = {}) {
  sendJson(res, { error: { code, message, status, ...more } }, code)
}

const outOfScope = (res, service) => fail(res, 403, 'PERMISSION_DENIED', 'Request had insufficient authentication scopes.', {
  errors: [{ message: 'Insufficient Permission', domain: 'global', reason: 'insufficientPermissions' }],
  details: [{
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
    domain: 'googleapis.com', metadata: { service },
  }],
})

// The Directory API answers in an older form, without a status.
const directoryError = (res, code, message, reason) =>
  sendJson(res, { error: { code, message, errors: [{ message, domain: 'global', reason }] } }, code)

const nameOf = (one) => {
  const [givenName, ...family] = one.name.split(' ')
  return { givenName, familyName: family.join(' '), fullName: one.name }
}

// A field that is false is not sent.
function profile({ res, scopes, one, asked }) {
  if (!['me', one.sub, one.login].includes(asked)) return fail(res, 403, 'PERMISSION_DENIED', 'The caller does not have permission')
  return sendJson(res, {
    id: one.sub, name: nameOf(one),
    ...(scopes.has(`${AUTH}classroom.profile.emails`) && { emailAddress: one.login }),
    ...(one.hd && one.verified_teacher && { verifiedTeacher: true }),
  })
}

// An empty list is an empty object.
function courses({ res, one, query }) {
  const mine = query.get('teacherId') === 'me' ? one.courses ?? [] : []
  const size = Number(query.get('pageSize') ?? 100)
  const listed = mine.slice(0, size).map((name, at) => ({
    id: `77000${at}`, name, ownerId: one.sub, creationTime: '2025-08-20T07:00:00.000Z', courseState: 'ACTIVE',
  }))
  sendJson(res, listed.length ? { courses: listed, ...(mine.length > size && { nextPageToken: 'next' }) } : {})
}

function user({ res, one, asked }) {
  const may = one.hd && (one.admin || one.delegated_admin)
  if (!may) return directoryError(res, 403, 'Not Authorized to access this resource/api', 'forbidden')
  const managed = Object.entries(world.people).filter(([key, other]) => key.startsWith('google/') && other.hd)
  const wanted = managed.find(([, other]) => [other.sub, other.login].includes(asked))?.[1]
  if (!wanted) return directoryError(res, 404, 'Resource Not Found: userKey', 'notFound')
  return sendJson(res, {
    kind: 'admin#directory#user', id: wanted.sub, etag: '"stand-in"', primaryEmail: wanted.login, name: nameOf(wanted),
    isAdmin: Boolean(wanted.admin), isDelegatedAdmin: Boolean(wanted.delegated_admin), suspended: false, archived: false,
    customerId: 'C0stand1n', orgUnitPath: '/', isMailboxSetup: true,
  })
}

const ROUTES = [
  ['/v1/userProfiles/', ['classroom.rosters.readonly', 'classroom.profile.emails'], 'classroom.googleapis.com', profile],
  ['/v1/courses', ['classroom.courses.readonly'], 'classroom.googleapis.com', courses],
  ['/admin/directory/v1/users/', ['admin.directory.user.readonly'], 'admin.googleapis.com', user],
]
