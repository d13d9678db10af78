// Date on the fallback engine: the same virtual clock that the native engine gives to QuickJS through WASI.
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
})
