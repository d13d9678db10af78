// What the fallback's QuickJS lacks to be the world that the native engine's prelude is evaluated in: a Date on the virtual clock, and
// a way out for text that its strings do not survive. Returns a function that wraps host functions.
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

  const { apply } = Reflect
  // Methods are taken as they are now and always called through `apply`.
  // oxlint-disable-next-line typescript/unbound-method
  const { charCodeAt, indexOf, isWellFormed } = String.prototype

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
