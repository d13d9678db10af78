// Bodies of multipart/form-data for tests, part by part, so that they can be wrong in any place.
const boundary = 'a-boundary-of-tests'

/** `file`: the part has a filename. */
export type Part = { name?: string; text: string | Uint8Array; file?: string }

export function multipartBody(
  parts: Part[],
  { end = `--${boundary}--\r\n`, type = `multipart/form-data; boundary=${boundary}` } = {},
): {
  raw: Uint8Array<ArrayBuffer>
  headers: Record<string, string>
} {
  const pieces = parts.flatMap(({ name, text, file }) => {
    const named = name === undefined ? '' : `; name="${name}"`
    const filed = file === undefined ? '' : `; filename="${file}"\r\nContent-Type: application/octet-stream`
    return [Buffer.from(`--${boundary}\r\nContent-Disposition: form-data${named}${filed}\r\n\r\n`), Buffer.from(text), Buffer.from('\r\n')]
  })
  return { raw: new Uint8Array(Buffer.concat([...pieces, Buffer.from(end)])), headers: { 'content-type': type } }
}

/** A script as its author uploads it. */
export function upload(source: string | Uint8Array, { name = 'uploaded', kind = 'script' } = {}): Part[] {
  return [
    { name: 'name', text: name },
    { name: 'kind', text: kind },
    { name: 'source', text: source, file: 'program' },
  ]
}
