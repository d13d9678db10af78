// Looks names up with DNS over HTTPS in its JSON form, because a Worker has no resolver of its own:
// https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/
import { z } from 'zod'
import type { AddressResolver } from '../../shared/webhook-ports.ts'

/** Numbers of DNS: https://www.iana.org/assignments/dns-parameters */
const types = { A: 1, AAAA: 28 } as const
const noError = 0
const noSuchName = 3

const lookupMsMax = 3_000
/** Of a name with a hundred addresses; no honest answer is larger. */
const answerBytesMax = 65_536

const answerSchema = z.object({
  Status: z.number(),
  Answer: z.array(z.object({ type: z.number(), data: z.string() })).default([]),
})

export function dnsOverHttps({ url }: { url: string }): AddressResolver {
  async function lookup(name: string, type: keyof typeof types): Promise<string[]> {
    const question = new URL(url)
    question.searchParams.set('name', name)
    question.searchParams.set('type', type)
    const response = await fetch(question, {
      headers: { accept: 'application/dns-json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(lookupMsMax),
    })
    const text = await response.text()
    if (response.status !== 200 || text.length > answerBytesMax) throw new Error(`the resolver answered ${response.status}`)
    const { Status: status, Answer: records } = answerSchema.parse(JSON.parse(text))
    if (status === noSuchName) return []
    if (status !== noError) throw new Error(`the resolver answered with the DNS status ${status}`)
    // Aliases on the way stand beside the addresses.
    return records.filter((record) => record.type === types[type]).map(({ data }) => data)
  }

  return {
    async resolve(name) {
      return (await Promise.all([lookup(name, 'A'), lookup(name, 'AAAA')])).flat()
    },
  }
}
