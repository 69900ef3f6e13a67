// Google, and a plain OpenID provider in the manner of Okta or Keycloak: one issuer each.
import { googleClaims, plainClaims } from './claims.mjs'
import { sendJson } from './http.mjs'
import { interact } from './interaction.mjs'
import { publicKeys } from './keys.mjs'
import { open } from './provider.mjs'
import { tokenRequest, toProvider } from './relay.mjs'

const SETTINGS = {
  google: {
    claims: googleClaims,
    routes: { authorization: '/o/oauth2/v2/auth', token: '/token', jwks: '/oauth2/v3/certs', userinfo: '/v1/userinfo' },
    discovery: {
      subject_types_supported: ['public'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
      claims_supported: ['aud', 'email', 'email_verified', 'exp', 'family_name', 'given_name', 'iat', 'iss', 'name', 'picture', 'sub'],
      scopes_supported: ['openid', 'email', 'profile'],
    },
  },
  plain: {
    claims: plainClaims,
    routes: {},
    discovery: { token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'] },
  },
}
export const places = {}

export function openOther(base, family) {
  places[family] = open(base, { ...places[family], family, mount: `/${family}`, ...SETTINGS[family] })
}

export async function other(family, req, res) {
  const place = places[family]
  const path = req.path.slice(place.mount.length)
  if (path === (place.routes.jwks ?? '/keys')) return sendJson(res, { keys: publicKeys(family) })
  if (path.startsWith('/interaction/')) return interact(place, req, res)
  if (path === '/token') await tokenRequest(req)
  if (family === 'google' && path === place.routes.authorization) forgetToAskAgain(req)
  return toProvider(place, path, req, res)
}

// “Google does not support Google Account re-authentication requests.”
function forgetToAskAgain(req) {
  const query = new URLSearchParams(req.search)
  query.delete('max_age')
  if (query.get('prompt') === 'login') query.delete('prompt')
  req.search = `?${query}`
}

export async function bearer(token) {
  const found = await places.google.provider.AccessToken.find(token)
  return found && !found.isExpired ? { key: found.accountId, scope: found.scope } : undefined
}
