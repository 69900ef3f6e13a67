// The pages between a request and its answer: who are you, and may the application have that?
import { cookieOf, formOf, redirect, sendPage, setCookie } from './http.mjs'
import { approvalPage, consentPage, loginPage, stopPage } from './pages.mjs'
import { consentFor, isAdmin } from './scopes.mjs'
import { person, whoIs, world } from './world.mjs'

const LAST = 'idp_last' // who signed in last at Entra, so that the lobby knows whither
const JUST = 'idp_just' // who has typed his password in the lobby a moment ago
const NAMES = { entra: 'Microsoft', google: 'Google', plain: 'your school' }

export async function interact(place, req, res) {
  let details
  try {
    details = await place.provider.interactionDetails(req, res)
  } catch {
    return sendPage(res, stopPage('AADSTS90102', 'This sign-in has expired.'), 400)
  }
  const step = details.prompt.name === 'consent' ? consent : place.lobby ? lobby : login
  return step(place, details, req, res)
}

async function login(place, details, req, res) {
  const known = cookieOf(req, JUST)
  if (known && person(known)?.tenant === place.tenant) {
    setCookie(res, JUST, '')
    return signIn(place, details, known, req, res)
  }
  const key = await identify(place, details, req, res)
  return key && signIn(place, details, key, req, res)
}

// Only whoever has said his name can be sent to his own tenant, with the request as it came.
async function lobby(place, details, req, res) {
  const last = cookieOf(req, LAST)
  const known = details.params.prompt ? undefined : last && person(last) && admits(place, last) && last
  const key = known || await identify(place, details, req, res)
  if (!key) return undefined
  if (!known) setCookie(res, JUST, key)
  setCookie(res, LAST, key)
  const tid = world.tenants[person(key).tenant].id
  return redirect(res, `${place.base}/entra/${tid}/oauth2/v2.0/authorize`, details.params)
}

const admits = (place, key) => place.lobby === 'common' || person(key).tenant !== 'personal'

async function identify(place, details, req, res) {
  const name = NAMES[place.family]
  if (req.method !== 'POST') {
    sendPage(res, loginPage(name, { login: details.params.login_hint }))
    return undefined
  }
  const form = await formOf(req)
  const key = whoIs(place.family, form.login ?? '', place.tenant)
  const problem = form.password !== world.password ? 'Your account or password is incorrect.'
    : !key ? stranger(place, form.login)
      : place.lobby && !admits(place, key) ? 'You can’t sign in here with a personal account. Use your work or school account instead.' : ''
  if (!problem) return key
  sendPage(res, loginPage(name, { login: form.login, problem }))
  return undefined
}

const stranger = (place, login) => (place.tenant && whoIs(place.family, login)
  ? `AADSTS50020: User account '${login}' does not exist in tenant '${world.tenants[place.tenant].name}'.`
  : 'We couldn’t find an account with that name.')

async function signIn(place, details, key, req, res) {
  if (details.session?.accountId && details.session.accountId !== key) await forget(place, details)
  if (place.family === 'entra') setCookie(res, LAST, key)
  return place.provider.interactionFinished(req, res, { login: { accountId: key }, select_account: {} })
}

// Another person at the same browser: the session of the first one ends here, without a page about it.
async function forget(place, details) {
  const session = await place.provider.Session.findByUid(details.session.uid)
  Object.assign(session, { accountId: undefined, authorizations: {} })
  await session.save(86400)
  details.session = undefined
  await details.persist()
}

async function consent(place, details, req, res) {
  const one = person(details.session.accountId)
  const missing = details.prompt.details.missingOIDCScope ?? []
  const helpless = missing.length > 0 && !isAdmin(one)
  if (req.method !== 'POST') return sendPage(res, helpless ? approvalPage() : consentPage(details.params.scope.split(' ')))
  const { answer } = await formOf(req)
  if (helpless || answer !== 'Accept') return decline(place, req, res)
  if (missing.length) consentFor(one.tenant, missing)
  return place.provider.interactionFinished(req, res, { consent: {} })
}

const decline = (place, req, res) => place.provider.interactionFinished(req, res, {
  error: 'access_denied',
  error_description: place.family === 'entra'
    ? 'AADSTS65004: User declined to consent to access the app.' : 'The user denied the request.',
})
