// From the addresses that the world sees to the oidc-provider behind them.
import { formOf } from './http.mjs'

/* `change` may rewrite the JSON that the provider answers with. */
export function toProvider(place, path, req, res, change) {
  req.url = path + req.search
  req.originalUrl = place.mount + req.url
  if (change) rewrite(res, change)
  return place.handle(req, res)
}

function rewrite(res, change) {
  const end = res.end
  res.end = function endWithChange(text, ...rest) {
    const json = String(res.getHeader('content-type') ?? '').startsWith('application/json')
    if (!json || !text) return end.call(this, text, ...rest)
    const told = JSON.stringify(change(JSON.parse(text)))
    res.setHeader('content-length', Buffer.byteLength(told))
    return end.call(this, told, ...rest)
  }
}

// The secret may come in the form or by HTTP Basic, as Microsoft and Google let it; oidc-provider is told one way.
export async function tokenRequest(req) {
  const form = await formOf(req)
  const [scheme, told] = (req.headers.authorization ?? '').split(' ')
  if (scheme === 'Basic') {
    const [id, secret] = Buffer.from(told, 'base64').toString().split(':').map(decodeURIComponent)
    Object.assign(form, { client_id: id, client_secret: secret })
    delete req.headers.authorization
  }
  req.body = form
  return form
}
