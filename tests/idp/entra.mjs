// What Microsoft does in its own way: authorities for many tenants, its discovery documents, its keys, its errors.
import { adminConsent } from './adminconsent.mjs'
import { entraClaims } from './claims.mjs'
import { sendJson, sendPage } from './http.mjs'
import { interact } from './interaction.mjs'
import { publicKeys } from './keys.mjs'
import { stopPage } from './pages.mjs'
import { open } from './provider.mjs'
import { tokenRequest, toProvider } from './relay.mjs'
import { world } from './world.mjs'

const LOBBIES = ['organizations', 'common']
export const places = {}

export function openEntra(base) {
  const of = (authority) => ({ family: 'entra', mount: `/entra/${authority}/v2.0`, claims: entraClaims })
  for (const lobby of LOBBIES) places[lobby] = open(base, { ...places[lobby], ...of(lobby), lobby })
  for (const [tenant, { id }] of Object.entries(world.tenants)) places[id] = open(base, { ...places[id], ...of(id), tenant })
}

export async function entra(req, res, base) {
  const [, , authority, ...rest] = req.path.split('/')
  const name = authority === 'consumers' ? world.tenants.personal.id : authority
  const path = `/${rest.join('/')}`
  const place = places[name] ?? places[byDomain(name)]
  if (!place) return sendJson(res, error(90002, 'invalid_tenant', `Tenant '${name}' not found.`), 400)
  if (path === '/v2.0/.well-known/openid-configuration') return sendJson(res, discovery(base, authority, place))
  if (path === '/discovery/v2.0/keys') return sendJson(res, { keys: keysOf(base) })
  if (path === '/oauth2/v2.0/authorize') return toProvider(place, '/authorize', req, res)
  if (path === '/oauth2/v2.0/token') return token(place, req, res)
  if (path === '/oauth2/v2.0/logout') return toProvider(place, '/logout', req, res)
  if (path === '/v2.0/adminconsent') return adminConsent(place, req, res)
  if (path.startsWith('/v2.0/interaction/')) return interact(place, req, res)
  if (path.startsWith('/v2.0/')) return toProvider(place, path.slice('/v2.0'.length), req, res)
  return sendPage(res, stopPage('AADSTS900144', 'There is nothing here.'), 404)
}

const byDomain = (name) => Object.values(world.tenants).find((tenant) => tenant.domain && tenant.domain === name)?.id

// A code that came by way of the lobby was made by the tenant's own provider: the one that has it answers.
async function token(place, req, res) {
  const form = await tokenRequest(req)
  const model = form.refresh_token ? 'RefreshToken' : 'AuthorizationCode'
  const has = (one) => one.tenant && one.rows.has(`${model}:${form.refresh_token ?? form.code}`)
  const owner = place.lobby ? Object.values(places).find(has) ?? places[world.tenants.cedar.id] : place
  return toProvider(owner, '/token', req, res, asMicrosoftSays)
}

const SAYINGS = {
  invalid_client: [7000215, 'Invalid client secret provided.'],
  invalid_grant: [54005, 'OAuth2 Authorization code was already redeemed, please retry with a new valid code '
    + 'or use an existing refresh token.'],
}
function asMicrosoftSays(told) {
  if (!told.error) return told
  const [code, sentence] = SAYINGS[told.error] ?? [9002313, 'Invalid request. Request is malformed or invalid.']
  return error(code, told.error, sentence)
}

function error(code, name, sentence) {
  const at = new Date(Date.now()).toISOString().slice(0, 19).replace('T', ' ')
  const [trace, correlation] = [crypto.randomUUID(), crypto.randomUUID()]
  return {
    error: name,
    error_description: `AADSTS${code}: ${sentence} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${at}Z`,
    error_codes: [code], timestamp: `${at}Z`, trace_id: trace, correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  }
}

// Every key says whose it is: here one set for all tenants, as Microsoft's template issuer has it. No `alg`.
const keysOf = (base) => publicKeys('entra')
  .map(({ alg, ...key }) => ({ ...key, x5t: key.kid, issuer: `${base}/entra/{tenantid}/v2.0` }))

function discovery(base, authority, place) {
  const at = `${base}/entra/${authority}`
  return {
    token_endpoint: `${at}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${at}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: place.lobby ? `${base}/entra/{tenantid}/v2.0` : `${base}/entra/${world.tenants[place.tenant].id}/v2.0`,
    request_uri_parameter_supported: false,
    userinfo_endpoint: `${base}/graph/oidc/userinfo`,
    authorization_endpoint: `${at}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${at}/oauth2/v2.0/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${at}/oauth2/v2.0/logout`,
    claims_supported: ['sub', 'iss', 'cloud_instance_name', 'cloud_instance_host_name', 'cloud_graph_host_name', 'msgraph_host', 'aud',
      'exp', 'iat', 'auth_time', 'acr', 'nonce', 'preferred_username', 'name', 'tid', 'ver', 'at_hash', 'c_hash', 'email'],
    kerberos_endpoint: `${at}/kerberos`,
    tenant_region_scope: null,
    cloud_instance_name: 'microsoftonline.com',
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: 'graph.microsoft.com',
    rbac_url: 'https://pas.windows.net',
  }
}

// The access token's owner: {key, scope}, or nothing when no tenant gave such a token.
export async function bearer(token) {
  for (const place of Object.values(places)) {
    const found = place.tenant && await place.provider.AccessToken.find(token)
    if (found && !found.isExpired) return { key: found.accountId, scope: found.scope, clientId: found.clientId }
  }
  return undefined
}

