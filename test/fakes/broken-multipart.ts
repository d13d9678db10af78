// Uploads that are almost right, each with what is answered: for the parser of the process that runs the tests, and for the edge's own.
import { limits } from '../../shared/tiers.ts'
import { multipartBody, upload, type Part } from './multipart-body.ts'

const good = upload('// echo')
const [name, kind, source] = good as [Part, Part, Part]
const { programBytesMax } = limits

type Broken = [name: string, sent: () => ReturnType<typeof multipartBody>, status: number, code: string, says: RegExp]

export const brokenUploads: Broken[] = [
  ['no boundary', () => multipartBody(good, { type: 'multipart/form-data' }), 400, 'malformed-multipart', /no boundary/],
  ['an empty boundary', () => multipartBody(good, { type: 'multipart/form-data; boundary=' }), 400, 'malformed-multipart', /no boundary/],
  [
    'another boundary',
    () => multipartBody(good, { type: 'multipart/form-data; boundary=other' }),
    400,
    'malformed-multipart',
    /breaks off/,
  ],
  ['no end', () => multipartBody(good, { end: '' }), 400, 'malformed-multipart', /breaks off/],
  ['nothing', () => multipartBody([], { end: '' }), 400, 'malformed-multipart', /of 0 bytes/],
  ['no parts', () => multipartBody([]), 400, 'invalid-request', /name is missing.*source is missing/],
  ['a part without a name', () => multipartBody([...good, { text: 'x' }]), 400, 'malformed-multipart', /breaks off/],
  ['two sources', () => multipartBody([...good, source]), 400, 'invalid-request', /source is given more than once/],
  ['two names', () => multipartBody([name, ...good]), 400, 'invalid-request', /name is given more than once/],
  ['an unknown name', () => multipartBody([...good, { name: 'color', text: 'red' }]), 400, 'invalid-request', /color is not a known field/],
  ['__proto__', () => multipartBody([...good, { name: '__proto__', text: 'x' }]), 400, 'invalid-request', /__proto__|known field/],
  ['no source', () => multipartBody([name, kind]), 400, 'invalid-request', /source is missing/],
  [
    'a source that is a field',
    () => multipartBody([name, kind, { name: 'source', text: '// echo' }]),
    400,
    'invalid-request',
    /source.*must be a file/,
  ],
  ['an empty file', () => multipartBody([name, kind, { ...source, text: '' }]), 400, 'invalid-request', /source.*not empty/],
  [
    'a name that is a file',
    () => multipartBody([{ ...name, file: 'x' }, kind, source]),
    400,
    'invalid-request',
    /name is an object; must be a string/,
  ],
  ['a kind that is none', () => multipartBody([name, { ...kind, text: 'python' }, source]), 400, 'invalid-request', /kind is "python"/],
  ['a script that is no text', () => multipartBody(upload(new Uint8Array([34, 255, 34]))), 400, 'invalid-request', /source.*not UTF-8/],
  [
    'twenty-one parts',
    () => multipartBody(Array.from({ length: 21 }, (_, i) => ({ name: `p${i}`, text: 'x' }))),
    400,
    'malformed-multipart',
    /21 parts; at most 20/,
  ],
  [
    'a program over the limit',
    () => multipartBody(upload(new Uint8Array(programBytesMax + 1), { kind: 'command' })),
    413,
    'body-too-large',
    /the program is 16777217 bytes; at most 16777216/,
  ],
  [
    'a body that no program fills',
    () => multipartBody(upload(new Uint8Array(programBytesMax + 65_536), { kind: 'command' })),
    413,
    'body-too-large',
    /at most 16842752 bytes/,
  ],
]
