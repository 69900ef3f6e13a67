// The signing keys: one set for each family, the newest first.
import { createHash, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'

const generate = promisify(generateKeyPair)
const keys = {}

async function newKey() {
  const { privateKey } = await generate('rsa', { modulusLength: 2048 })
  const jwk = privateKey.export({ format: 'jwk' })
  const kid = createHash('sha256').update(jwk.n).digest('base64url').slice(0, 27)
  return { ...jwk, kid, use: 'sig', alg: 'RS256' }
}

export const makeKeys = (families) => Promise.all(families.map((family) => rotate(family, false)))

export async function rotate(family, keepOld) {
  const fresh = await newKey()
  keys[family] = [fresh, ...(keepOld ? keys[family] : [])]
}

export const privateKeys = (family) => structuredClone(keys[family])
export const publicKeys = (family) => keys[family].map(({ kty, n, e, kid, use, alg }) => ({ kty, n, e, kid, use, alg }))
