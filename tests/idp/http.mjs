// What every handler needs: to read a request and to answer it.
import { setTimeout as wait } from 'node:timers/promises'
import { world } from './world.mjs'

export async function bodyOf(req) {
  let text = ''
  for await (const chunk of req) text += chunk
  return text
}

export async function formOf(req) {
  return Object.fromEntries(new URLSearchParams(await bodyOf(req)))
}

// A huge answer is a good one with a tail of spaces: nothing but its size is wrong with it.
export function sendJson(res, body, status = 200, headers = {}) {
  const text = (typeof body === 'string' ? body : JSON.stringify(body)) + ' '.repeat(res.padding ?? 0)
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers }).end(text)
}

export function sendPage(res, html, status = 200) {
  res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(html)
}

export function redirect(res, address, parameters = {}) {
  const uri = new URL(address)
  for (const [name, value] of Object.entries(parameters)) if (value != null) uri.searchParams.set(name, value)
  res.writeHead(303, { location: uri.href }).end()
}

export function cookieOf(req, name) {
  const found = (req.headers.cookie ?? '').split('; ').find((pair) => pair.startsWith(`${name}=`))
  return found && decodeURIComponent(found.slice(name.length + 1))
}

export function setCookie(res, name, value) {
  const line = `${name}=${encodeURIComponent(value)}; Path=/; HttpOnly; SameSite=Lax`
  res.appendHeader('set-cookie', value ? line : `${line}; Max-Age=0`)
}

// Does what a test asked to go wrong at this endpoint. Says whether the request is answered by that.
export async function stumble(endpoint, req, res) {
  const fault = world.faults[endpoint]
  if (!fault || (fault.times !== undefined && fault.times-- <= 0)) return false
  if (fault.delay) await wait(fault.delay * 1000)
  if (fault.hang_up) return Boolean(req.socket.destroy())
  res.padding = fault.size
  if (!fault.status && fault.body === undefined) return false
  sendJson(res, fault.body ?? { error: 'server_error' }, fault.status ?? 200, fault.headers)
  return true
}
