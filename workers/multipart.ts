// Reads a body of multipart/form-data, for calls that take a file: a program of some MB arrives as it is, without a third more of base64.
import { z } from 'zod'
import { ProblemError } from '../shared/problem.ts'
import { sha256Hex } from './hex.ts'
import { readBytes } from './request-body.ts'
import { invalidRequest } from './request-issues.ts'

/** Of one form: far above what any call takes. */
const partsMax = 20

/** What was uploaded. As JSON, which is how requests are compared, it is its hash. */
export class FilePart {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly sha256: string

  constructor(bytes: Uint8Array<ArrayBuffer>, sha256: string) {
    this.bytes = bytes
    this.sha256 = sha256
  }

  toJSON(): { sha256: string } {
    return { sha256: this.sha256 }
  }
}

/** The document has the words of JSON Schema for it. */
export const filePartSchema = z
  .custom<FilePart>((value) => value instanceof FilePart, 'must be a file: a part with a filename')
  .refine(({ bytes }) => bytes.length > 0, 'must be a file that is not empty')

export function isMultipart(request: Request): boolean {
  return /^multipart\/form-data\s*(;|$)/i.test(request.headers.get('content-type') ?? '')
}

/** @throws ProblemError `body-too-large`, `malformed-multipart`, `invalid-request` when a name comes twice */
export async function readMultipart(request: Request, bytesMax: number): Promise<Record<string, string | FilePart>> {
  const bytes = await readBytes(request, bytesMax)
  const form = await parsedForm(bytes, request.headers.get('content-type') ?? '')
  const parts = [...form]
  if (parts.length > partsMax) throw malformed(`has ${parts.length} parts; at most ${partsMax} are allowed`)
  const fields = new Map<string, string | FilePart>()
  for (const [name, value] of parts) {
    if (fields.has(name)) throw invalidRequest([{ field: name.slice(0, 64), message: 'is given more than once' }])
    fields.set(name, typeof value === 'string' ? value : await filePartOf(value))
  }
  return Object.fromEntries(fields)
}

async function filePartOf(file: Blob): Promise<FilePart> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  return new FilePart(bytes, await sha256Hex(bytes))
}

async function parsedForm(bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<FormData> {
  if (!/;\s*boundary=("[^"]+"|[^\s;"]+)/i.test(contentType)) throw malformed('has no boundary in its Content-Type')
  try {
    return await new Response(bytes, { headers: { 'content-type': contentType } }).formData()
  } catch {
    // What the platform says of it names its own parts.
    throw malformed(`of ${bytes.length} bytes is not multipart/form-data with that boundary, or breaks off`)
  }
}

function malformed(what: string): ProblemError {
  return new ProblemError('malformed-multipart', { detail: `the body ${what}` })
}
