// Basic authentication (RFC 7617) against the one user there is, in time that tells nothing of how much of a guess was right.
import { createHash, timingSafeEqual } from 'node:crypto'

export type BasicAuth = (authorization: string | undefined) => boolean

export function basicAuth({ username, password }: { username: string; password: string }): BasicAuth {
  // Hashes are of one length, whatever the guess.
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const wanted = digest(Buffer.from(`${username}:${password}`).toString('base64'))
  return (authorization = '') => {
    const [, credentials = ''] = /^basic +(.*)$/i.exec(authorization) ?? []
    return timingSafeEqual(digest(credentials), wanted)
  }
}
