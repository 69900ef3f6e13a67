// One real oidc-provider for each issuer; what is made here is only its settings and its way to write claims.
import { Provider, interactionPolicy } from 'oidc-provider'
import { privateKeys } from './keys.mjs'
import { stopPage } from './pages.mjs'
import { scopesOf, sortOut } from './scopes.mjs'
import { adapterOf, newStore } from './store.mjs'
import { clientsOf, person, redirectAllowed, world } from './world.mjs'

const ROUTES = { authorization: '/authorize', token: '/token', jwks: '/keys', userinfo: '/userinfo', end_session: '/logout' }
const PLACEHOLDER = 'http://127.0.0.1/' // what is allowed in truth is said by redirectAllowed

/* A place where one signs in: {family, mount, tenant, claims, routes, discovery}; `lobby` has no issuer of its own. */
export function open(base, place) {
  place.rows ??= newStore()
  place.base = base
  const provider = new Provider(base + place.mount, settings(place))
  provider.Client.prototype.redirectUriAllowed = redirectAllowed
  writeClaims(provider, place)
  place.provider = provider
  place.handle = provider.callback()
  return place
}

function settings(place) {
  const policy = interactionPolicy.base()
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0)
  return {
    adapter: adapterOf(place.rows),
    clients: clientsOf(place.family, place.tenant).map(({ id, secret }) => ({
      client_id: id, client_secret: secret, redirect_uris: [PLACEHOLDER], token_endpoint_auth_method: 'client_secret_post',
      grant_types: place.family === 'google' ? ['authorization_code'] : ['authorization_code', 'refresh_token'],
    })),
    jwks: { keys: privateKeys(place.family) },
    routes: { ...ROUTES, ...place.routes },
    scopes: scopesOf(place.family),
    claims: { openid: ['sub', 'auth_time'], email: ['email', 'email_verified'], profile: ['name', 'given_name', 'family_name', 'picture'] },
    discovery: place.discovery ?? {},
    pkce: { required: () => true },
    conformIdTokenClaims: false,
    expiresWithSession: () => false,
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    interactions: { policy, url: (_ctx, interaction) => `${place.mount}/interaction/${interaction.uid}` },
    cookies: { keys: ['only-for-tests'], names: cookieNames(place.mount) },
    ttl: { AuthorizationCode: 600, AccessToken: 3600, IdToken: 3600, Interaction: 3600, Session: 86400, Grant: 86400 },
    findAccount: (_ctx, key) => person(key) && { accountId: key, claims: () => ({ sub: key }) },
    loadExistingGrant,
    renderError: (ctx, out) => { ctx.type = 'html'; ctx.body = stopPage(out.error, out.error_description) },
  }
}

// Issuers share one host here, so each needs cookies with a name of its own.
function cookieNames(mount) {
  const name = mount.replaceAll(/[^a-z0-9]+/g, '_')
  return { session: `session${name}`, interaction: `interaction${name}`, resume: `resume${name}` }
}

// Consent is given in advance to all that needs no admin's or that an admin has given it to.
async function loadExistingGrant(ctx) {
  const { provider, client, session, requestParamOIDCScopes } = ctx.oidc
  const { refused, waiting } = sortOut(session.accountId, [...requestParamOIDCScopes])
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope([...requestParamOIDCScopes].filter((scope) => !waiting.includes(scope)).join(' '))
  if (refused.length) grant.rejectOIDCScope(refused.join(' '))
  await grant.save()
  return grant
}

// Claims of one's own choice, where oidc-provider would leave out those it was not told of.
function writeClaims(provider, place) {
  provider.Claims.prototype.scope = function scope(value = '') {
    this.scopes = new Set(value.split(' '))
    return this
  }
  provider.Claims.prototype.result = function result() {
    const { oidc } = this.ctx
    const { clientId } = this.client
    const use = oidc.route === 'userinfo' ? 'userinfo' : 'id_token'
    const token = oidc.entities.AccessToken?.jti // hashed for at_hash when the id_token is signed
    const told = place.claims(this.available.sub, { clientId, scopes: this.scopes, base: place.base, use, token })
    return tellsAuthTime(clientId, this.filter) && use === 'id_token' ? { auth_time: this.available.auth_time, ...told } : told
  }
  if (place.family !== 'entra') return
  // Microsoft does not name itself in the answer (RFC 9207).
  provider.on('authorization.success', (_ctx, out) => { delete out.iss; out.session_state = crypto.randomUUID() })
}

// With Microsoft and Google that is a matter of how the application is registered, whatever it asks for.
function tellsAuthTime(clientId, filter) {
  const { auth_time: when } = Object.values(world.clients).find(({ id }) => id === clientId)
  return when === 'always' || (when === 'asked' && 'auth_time' in filter)
}
