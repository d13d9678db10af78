// Reads the body of a request: at most so many bytes, of the right type, real UTF-8, real JSON that does not nest absurdly.
import { jsonDepthMax, nestsTooDeep } from '../shared/json-value.ts'
import { ProblemError } from '../shared/problem.ts'
import { invalidRequest } from './request-issues.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** @throws ProblemError `body-too-large`, `unsupported-media-type`, `malformed-json`, `invalid-request` */
export async function readJson(request: Request, { bytesMax, orForm = false }: { bytesMax: number; orForm?: boolean }): Promise<unknown> {
  requireJson(request, orForm ? 'application/json or multipart/form-data' : 'application/json')
  return parseJson(await readBytes(request, bytesMax))
}

/** @throws ProblemError `unsupported-media-type` */
function requireJson(request: Request, allowed: string): void {
  const type = request.headers.get('content-type')
  if (type && /^application\/json\s*(;|$)/i.test(type)) return
  const given = type ? `is ${JSON.stringify(type.slice(0, 64))}` : 'is missing'
  throw new ProblemError('unsupported-media-type', { detail: `the header Content-Type ${given}; it must be ${allowed}` })
}

/** @throws ProblemError `malformed-json`, `invalid-request` */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw new ProblemError('malformed-json', { detail: `the body of ${bytes.length} bytes is not UTF-8` })
  }
  if (nestsTooDeep(text)) throw invalidRequest([{ field: 'body', message: `nests too deep; at most ${jsonDepthMax} levels are allowed` }])
  try {
    return JSON.parse(text)
  } catch (error) {
    const place = /position (\d+)/.exec(String(error))?.[1]
    const where =
      bytes.length === 0
        ? 'is empty; it must be JSON'
        : `of ${bytes.length} bytes is not JSON${place ? `; it breaks at character ${place}` : ''}`
    throw new ProblemError('malformed-json', { detail: `the body ${where}` })
  }
}

/** Counts what arrives, whatever was declared. @throws ProblemError `body-too-large` */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const declared = request.headers.get('content-length')
  if (declared !== null) {
    if (Number(declared) > bytesMax) throw tooLarge(`is ${declared} bytes`, bytesMax)
    // The platform ends a body at its declared length.
    return new Uint8Array(await request.arrayBuffer())
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.length
    if (length > bytesMax) throw tooLarge('is longer', bytesMax)
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

function tooLarge(is: string, bytesMax: number): ProblemError {
  return new ProblemError('body-too-large', { detail: `the body ${is}; at most ${bytesMax} bytes are allowed` })
}

/** Fields of a form as browsers send it. @throws ProblemError `body-too-large`, `unsupported-media-type`, `invalid-request` */
export async function readForm(request: Request, bytesMax: number): Promise<Record<string, string>> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    throw new ProblemError('unsupported-media-type', { detail: 'the form must be sent as application/x-www-form-urlencoded' })
  }
  const fields = new URLSearchParams(new TextDecoder().decode(await readBytes(request, bytesMax)))
  const twice = [...fields.keys()].find((name) => fields.getAll(name).length > 1)
  if (twice !== undefined) throw invalidRequest([{ field: twice.slice(0, 64), message: 'is given more than once' }])
  return Object.fromEntries(fields)
}
