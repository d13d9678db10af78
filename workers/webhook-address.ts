// Which addresses a webhook may have. The Worker calls them with its own reach, so a stranger's address must not lead it anywhere that the
// stranger could not go alone: https on its usual port, names and addresses of the public internet only.
import ipaddr from 'ipaddr.js'

/**
 * Names that are no public ones, and everything below them.
 * https://www.iana.org/assignments/special-use-domain-names, and what networks at home and in offices use.
 */
const privateSuffixes = [
  'localhost',
  'local',
  'internal',
  'intranet',
  'private',
  'lan',
  'home',
  'corp',
  'home.arpa',
  'test',
  'invalid',
  'onion',
  'alt',
]

/** What the IPv6 registry hands out for the public internet: https://www.iana.org/assignments/ipv6-address-space */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/** @param address IPv4 in four decimal parts, or IPv6 without brackets */
export function isPublicAddress(address: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return ipaddr.IPv4.parse(address).range() === 'unicast'
  if (!ipaddr.IPv6.isValid(address)) return false
  const parsed = ipaddr.IPv6.parse(address)
  // Whatever wraps an IPv4 address (mapped, 6to4, NAT64, Teredo) is a range of its own, and none of them is unicast.
  return parsed.range() === 'unicast' && parsed.match(globalUnicast)
}

/** What a name or an address in a URL is. */
export type UrlHost = { name: string } | { address: string }

/** @param hostname as URL gives it: in lower case, IPv4 in four decimal parts whatever it was written as, IPv6 in brackets */
export function hostOf({ hostname }: URL): UrlHost {
  if (hostname.startsWith('[')) return { address: hostname.slice(1, -1) }
  return ipaddr.IPv4.isValidFourPartDecimal(hostname) ? { address: hostname } : { name: hostname.replace(/\.$/, '') }
}

/** @returns what is wrong with it as the address of a webhook, as `must …`; undefined when nothing is, before its name is looked up */
export function webhookUrlFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL such as https://example.com/hooks/bounty'
  const url = new URL(text)
  if (url.protocol !== 'https:') return 'must begin with https://'
  if (url.username !== '' || url.password !== '') return 'must have no name or password in it: deliveries are signed'
  if (url.port !== '') return 'must have no port but 443'
  if (url.hash !== '') return 'must have no fragment: it is not sent'
  const host = hostOf(url)
  if ('address' in host) return isPublicAddress(host.address) ? undefined : 'must be at a public address'
  const isPrivate = !host.name.includes('.') || privateSuffixes.some((suffix) => host.name.endsWith(`.${suffix}`))
  return isPrivate ? 'must be at a public name: with a dot, and not of a private network' : undefined
}

/** For a developer's machine: whatever can be called from there. */
export function localUrlFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL such as http://127.0.0.1:3000/hook'
  const { protocol, username, password } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with http:// or https://'
  return username === '' && password === '' ? undefined : 'must have no name or password in it: deliveries are signed'
}
