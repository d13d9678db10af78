import nacl from 'tweetnacl'

export default ({ text }) => {
  const message = Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0xff)
  const hash = nacl.hash(message)
  const sealed = nacl.secretbox(message, hash.subarray(0, 24), hash.subarray(32))
  const opened = nacl.secretbox.open(sealed, hash.subarray(0, 24), hash.subarray(32))
  const shared = nacl.scalarMult.base(hash.subarray(0, 32))
  return [[...hash], [...sealed.subarray(0, 32)], opened.length, [...shared]]
}
