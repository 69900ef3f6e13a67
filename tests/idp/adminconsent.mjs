// Microsoft's admin consent endpoint: an admin signs in and says yes or no for the whole tenant.
import { formOf, redirect, sendPage } from './http.mjs'
import { consentPage, loginPage, stopPage } from './pages.mjs'
import { consentFor, isAdmin } from './scopes.mjs'
import { clientsOf, person, redirectAllowed, whoIs, world } from './world.mjs'

export async function adminConsent(place, req, res) {
  const asked = Object.fromEntries(new URLSearchParams(req.search))
  const no = refusal(place, asked)
  if (no) return sendPage(res, stopPage(...no), 400)
  if (req.method !== 'POST') return sendPage(res, loginPage('Microsoft'))
  const form = await formOf(req)
  if (form.answer) return answer(asked, form, res)
  const key = whoIs('entra', form.login ?? '', place.tenant)
  if (!key || form.password !== world.password) {
    return sendPage(res, loginPage('Microsoft', { login: form.login, problem: 'Your account or password is incorrect.' }))
  }
  if (!isAdmin(person(key))) return sendPage(res, stopPage('AADSTS90094', 'The grant requires admin permission.'), 403)
  return sendPage(res, consentPage(asked.scope.split(' '), { admin: key }))
}

function refusal(place, asked) {
  if (place.lobby === 'common') return ['AADSTS50059', 'Do not use “common” for admin consent.']
  if (!clientsOf('entra', place.tenant).some((client) => client.id === asked.client_id)) {
    return ['AADSTS700016', `Application with identifier '${asked.client_id}' was not found in the directory.`]
  }
  if (!redirectAllowed(asked.redirect_uri)) return ['AADSTS50011', 'The redirect URI does not match those of the application.']
  return asked.scope ? undefined : ['AADSTS900144', "The request must contain the following parameter: 'scope'."]
}

function answer(asked, form, res) {
  const { tenant } = person(form.admin)
  const told = { admin_consent: 'True', state: asked.state }
  if (form.answer !== 'Accept') {
    return redirect(res, asked.redirect_uri, {
      ...told, error: 'access_denied',
      error_description: 'AADSTS65004: The resource owner or authorization server denied the request.',
    })
  }
  consentFor(tenant, asked.scope.split(' '))
  return redirect(res, asked.redirect_uri, { ...told, tenant: world.tenants[tenant].id, scope: asked.scope })
}
