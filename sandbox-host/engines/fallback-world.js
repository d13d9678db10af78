// What the fallback's QuickJS lacks to be the world that the native engine's prelude is evaluated in: a Date on the virtual clock, base64,
// and a way out for text that its strings do not survive. Returns a function that wraps host functions.
// oxlint-disable-next-line no-unused-expressions -- whoever evaluates this text calls its value
;(function (hostNowMs) {
  'use strict'
  const DateNative = Date
  const Virtual = function Date(...parts) {
    if (new.target === undefined) return new DateNative(hostNowMs()).toString()
    return Reflect.construct(DateNative, parts.length === 0 ? [hostNowMs()] : parts, new.target)
  }
  Object.defineProperty(Virtual, 'length', { value: 7 })
  Object.defineProperty(Virtual, 'prototype', { value: DateNative.prototype, writable: false })
  for (const name of ['parse', 'UTC']) Object.defineProperty(Virtual, name, { value: DateNative[name], writable: true, configurable: true })
  Object.defineProperty(Virtual, 'now', { value: () => hostNowMs(), writable: true, configurable: true })
  Object.defineProperty(DateNative.prototype, 'constructor', { value: Virtual, writable: true, configurable: true })
  Object.defineProperty(globalThis, 'Date', { value: Virtual, writable: true, configurable: true })

  // ---- base64, as QuickJS-ng has it from 0.13 on ----
  const { apply } = Reflect
  // Methods are taken as they are now and always called through `apply`.
  // oxlint-disable-next-line typescript/unbound-method
  const { charCodeAt, indexOf, isWellFormed } = String.prototype
  const { fromCharCode } = String
  const StringNative = String
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, enumerable: true, configurable: true })
  const refuse = (message) => {
    throw new DOMException(message, 'InvalidCharacterError')
  }

  define('btoa', function btoa(data) {
    const text = StringNative(data)
    let out = ''
    for (let i = 0; i < text.length; i += 3) {
      const left = text.length - i
      const codes = [0, 0, 0]
      for (let j = 0; j < 3 && j < left; j++) {
        codes[j] = apply(charCodeAt, text, [i + j])
        if (codes[j] > 255) refuse('String contains an invalid character')
      }
      const bits = (codes[0] << 16) | (codes[1] << 8) | codes[2]
      out += digits[bits >> 18] + digits[(bits >> 12) & 63]
      out += (left > 1 ? digits[(bits >> 6) & 63] : '=') + (left > 2 ? digits[bits & 63] : '=')
    }
    return out
  })

  define('atob', function atob(data) {
    const text = StringNative(data)
    let kept = ''
    for (let i = 0; i < text.length; i++) if (apply(indexOf, '\t\n\f\r ', [text[i]]) < 0) kept += text[i]
    let length = kept.length
    if (length % 4 === 0) for (let i = 0; i < 2 && kept[length - 1] === '='; i++) length--
    if (length % 4 === 1) refuse('The string to be decoded is not correctly encoded')
    let out = ''
    let bits = 0
    for (let i = 0; i < length; i++) {
      const digit = apply(indexOf, digits, [kept[i]])
      if (digit < 0) refuse('The string to be decoded is not correctly encoded')
      bits = ((bits << 6) | digit) & 0xffffff
      if (i % 4 > 0) out += apply(fromCharCode, null, [(bits >> (6 - 2 * (i % 4))) & 255])
    }
    return out
  })

  // ---- text on its way out ----
  // quickjs-emscripten ends a string at a NUL and knows no lone surrogates; such text goes as the bytes that QuickJS writes for it.
  function safe(value) {
    if (typeof value !== 'string' || (apply(isWellFormed, value, []) && apply(indexOf, value, ['\0']) < 0)) return value
    const bytes = []
    let count = 0
    for (let i = 0; i < value.length; i++) {
      let code = apply(charCodeAt, value, [i])
      const low = code >= 0xd800 && code < 0xdc00 && i + 1 < value.length ? apply(charCodeAt, value, [i + 1]) : 0
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        i++
      }
      if (code < 0x80) bytes[count++] = code
      else {
        if (code < 0x800) bytes[count++] = 0xc0 | (code >> 6)
        else {
          if (code < 0x10000) bytes[count++] = 0xe0 | (code >> 12)
          else {
            bytes[count++] = 0xf0 | (code >> 18)
            bytes[count++] = 0x80 | ((code >> 12) & 63)
          }
          bytes[count++] = 0x80 | ((code >> 6) & 63)
        }
        bytes[count++] = 0x80 | (code & 63)
      }
    }
    return apply(bufferOf, new Uint8(bytes), [])
  }
  const Uint8 = Uint8Array
  // oxlint-disable-next-line typescript/unbound-method
  const bufferOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'buffer').get

  return (host) => (first, second) => host(safe(first), safe(second))
})
