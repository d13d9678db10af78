import { describe, expect, test } from 'vitest'
import { isPublicAddress, localUrlFault, webhookUrlFault } from '../../workers/webhook-address.ts'

/** The first and the last of a range that is not public, and the public neighbours before and behind it, where there are any. */
const ranges: [name: string, before: string | null, first: string, last: string, behind: string | null][] = [
  ['this network', null, '0.0.0.0', '0.255.255.255', '1.0.0.0'],
  ['private, 10/8', '9.255.255.255', '10.0.0.0', '10.255.255.255', '11.0.0.0'],
  ['shared by carriers', '100.63.255.255', '100.64.0.0', '100.127.255.255', '100.128.0.0'],
  ['loopback', '126.255.255.255', '127.0.0.0', '127.255.255.255', '128.0.0.0'],
  ['link-local, with the metadata of clouds', '169.253.255.255', '169.254.0.0', '169.254.255.255', '169.255.0.0'],
  ['private, 172.16/12', '172.15.255.255', '172.16.0.0', '172.31.255.255', '172.32.0.0'],
  ['protocol assignments', '191.255.255.255', '192.0.0.0', '192.0.0.255', '192.0.1.0'],
  ['documentation 1', '192.0.1.255', '192.0.2.0', '192.0.2.255', '192.0.3.0'],
  ['relays of 6to4', '192.88.98.255', '192.88.99.0', '192.88.99.255', '192.88.100.0'],
  ['private, 192.168/16', '192.167.255.255', '192.168.0.0', '192.168.255.255', '192.169.0.0'],
  ['benchmarks', '198.17.255.255', '198.18.0.0', '198.19.255.255', '198.20.0.0'],
  ['documentation 2', '198.51.99.255', '198.51.100.0', '198.51.100.255', '198.51.101.0'],
  ['documentation 3', '203.0.112.255', '203.0.113.0', '203.0.113.255', '203.0.114.0'],
  ['multicast', '223.255.255.255', '224.0.0.0', '239.255.255.255', null],
  ['reserved', null, '240.0.0.0', '255.255.255.254', null],
  ['broadcast', null, '255.255.255.255', '255.255.255.255', null],
  ['all below global unicast', null, '::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2400::'],
  ['loopback of IPv6', null, '::1', '::1', null],
  ['IPv4-compatible', null, '::7f00:1', '::808:808', null],
  ['IPv4-mapped', null, '::ffff:0:0', '::ffff:808:808', null],
  ['NAT64', null, '64:ff9b::', '64:ff9b::808:808', null],
  ['NAT64, local', null, '64:ff9b:1::', '64:ff9b:1::1', null],
  ['protocol assignments of IPv6, with Teredo', null, '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:200::'],
  ['documentation of IPv6', '2001:db7:ffff::', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db9::'],
  ['6to4', '2001:ffff::', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2003::'],
  ['all above global unicast', '3ffe::', '4000::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', null],
  ['unique local', null, 'fc00::', 'fdff::1', null],
  ['link-local of IPv6', null, 'fe80::', 'febf::1', null],
  ['site-local', null, 'fec0::', 'feff::1', null],
  ['multicast of IPv6', null, 'ff00::', 'ff02::1', null],
]

test.each(ranges)('%s is not public, and what lies around it is', (_, before, first, last, behind) => {
  expect([first, last].map(isPublicAddress)).toEqual([false, false])
  for (const neighbour of [before, behind])
    if (neighbour !== null) expect([neighbour, isPublicAddress(neighbour)]).toEqual([neighbour, true])
})

test.each([
  [''],
  ['example.com'],
  ['1.2.3'],
  ['16843009'],
  ['0x1.1.1.1'],
  ['01.1.1.1'],
  ['[2606:4700::1111]'],
  ['fe80::1%eth0'],
  ['1.1.1.1 '],
])('%j is no address', (text) => expect(isPublicAddress(text)).toBe(false))

describe('the address of a webhook', () => {
  test.each([
    ['https://example.com'],
    ['https://example.com/hooks?x=1'],
    ['https://example.com:443/'],
    ['HTTPS://EXAMPLE.COM/'],
    ['https://example.com./'],
    ['https://localhost.example.com/'],
    ['https://bücher.example/'],
    ['https://1.1.1.1/'],
    ['https://[2606:4700:4700::1111]/'],
  ])('may be %s', (url) => expect(webhookUrlFault(url)).toBeUndefined())

  test.each([
    ['', /must be a URL/],
    ['example.com', /must be a URL/],
    ['https://', /must be a URL/],
    ['https://exa mple.com', /must be a URL/],
    ['http://example.com/', /https/],
    ['ftp://example.com/', /https/],
    ['javascript:alert(1)', /https/],
    ['file:///etc/passwd', /https/],
    ['https://me:secret@example.com/', /name or password/],
    ['https://me@example.com/', /name or password/],
    ['https://example.com:8443/', /port/],
    ['https://example.com:80/', /port/],
    ['https://example.com/#top', /fragment/],
    ['https://localhost/', /public name/],
    ['https://localhost./', /public name/],
    ['https://LOCALHOST/', /public name/],
    ['https://app.localhost/', /public name/],
    ['https://intranet/', /public name/],
    ['https://printer.local/', /public name/],
    ['https://metadata.google.internal/', /public name/],
    ['https://metadata.google.internal./', /public name/],
    ['https://router.home.arpa/', /public name/],
    ['https://x.lan/', /public name/],
    ['https://127.0.0.1/', /public address/],
    ['https://127.1/', /public address/],
    ['https://2130706433/', /public address/],
    ['https://0x7f000001/', /public address/],
    ['https://0177.0.0.1/', /public address/],
    ['https://127.0.0.1./', /public address/],
    ['https://１２７.0.0.1/', /public address/],
    ['https://169.254.169.254/latest/meta-data/', /public address/],
    ['https://[::1]/', /public address/],
    ['https://[::ffff:127.0.0.1]/', /public address/],
    ['https://[::ffff:1.1.1.1]/', /public address/],
    ['https://[fd00::1]/', /public address/],
  ])('may not be %s', (url, says) => expect(webhookUrlFault(url)).toMatch(says))

  test.each([['http://127.0.0.1:3000/hook'], ['https://localhost:8443/'], ['http://[::1]:3000/']])('may be %s on one machine', (url) => {
    expect(localUrlFault(url)).toBeUndefined()
    expect(webhookUrlFault(url)).toBeDefined()
  })

  test.each([['file:///etc/passwd'], ['hook'], ['http://me:secret@127.0.0.1/']])('may not be %s on one machine either', (url) =>
    expect(localUrlFault(url)).toMatch(/^must/),
  )
})
