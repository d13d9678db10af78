// What a script sees on the fallback engine; evaluated before it, in the same realm. Returns the functions by which the worker thread
// drives it. Built-ins are captured first, so that a script that changes them harms only itself.
;(function (hostLog, hostArtifact) {
  'use strict'
  const { stringify, parse } = JSON
  const RealDate = Date
  const then = Promise.prototype.then
  const apply = Reflect.apply
  let now = 0
  let timers = []
  let timerIds = 0
  let state = { state: 'pending' }
  let entry

  // sfc32, seeded through splitmix32: small, fast, and good enough for programs that must not depend on its quality.
  let a = 0, b = 0, c = 0, d = 0
  function random32() {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  Math.random = () => (random32() * 2 ** 21 + (random32() >>> 11)) / 2 ** 53
  globalThis.crypto = {
    getRandomValues(view) {
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
      for (let i = 0; i < bytes.length; i++) bytes[i] = random32()
      return view
    },
  }

  globalThis.Date = class Date extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(now)
      else super(...args)
    }
    static now() {
      return now
    }
  }
  RealDate.prototype.constructor = globalThis.Date
  globalThis.performance = { now: () => now - started, timeOrigin: 0 }
  let started = 0

  function show(value) {
    if (typeof value === 'string') return value
    if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : String(value)
    if (typeof value === 'object' && value !== null) {
      try {
        return stringify(value) ?? String(value)
      } catch {
        return Object.prototype.toString.call(value)
      }
    }
    return typeof value === 'bigint' ? `${value}n` : String(value)
  }
  const logTo = (stream) => (...args) => hostLog(stream, args.map(show).join(' '))
  globalThis.console = {
    log: logTo('stdout'), info: logTo('stdout'), debug: logTo('stdout'), warn: logTo('stderr'), error: logTo('stderr'), trace: logTo('stderr'),
  }

  function addTimer(callback, delay, args, every) {
    const id = ++timerIds
    timers.push({ id, callback, args, every, at: now + Math.max(every ? 1 : 0, Number(delay) || 0) })
    return id
  }
  globalThis.setTimeout = (callback, delay, ...args) => addTimer(callback, delay, args, undefined)
  globalThis.setInterval = (callback, delay, ...args) => addTimer(callback, delay, args, Math.max(1, Number(delay) || 0))
  globalThis.clearTimeout = globalThis.clearInterval = (id) => {
    timers = timers.filter((timer) => timer.id !== id)
  }
  globalThis.queueMicrotask ??= (callback) => void apply(then, Promise.resolve(), [callback])

  globalThis.TextEncoder ??= class TextEncoder {
    encode(text = '') {
      const escaped = unescape(encodeURIComponent(String(text).toWellFormed()))
      return Uint8Array.from(escaped, (char) => char.charCodeAt(0))
    }
  }
  globalThis.TextDecoder ??= class TextDecoder {
    decode(view = new Uint8Array()) {
      const bytes = ArrayBuffer.isView(view) ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array(view)
      let text = ''
      for (const byte of bytes) text += String.fromCharCode(byte)
      return decodeURIComponent(escape(text))
    }
  }
  globalThis.structuredClone ??= (value) => parse(stringify(value))
  const encoder = new TextEncoder()
  const encode = encoder.encode

  function errorOf(thrown) {
    if (!(thrown instanceof Error)) return { message: show(thrown) }
    return { name: String(thrown.name), message: String(thrown.message), stack: String(thrown.stack ?? '') }
  }
  function fail(thrown) {
    state = { state: 'failed', error: errorOf(thrown) }
  }

  return {
    begin(seed, startTimeMs) {
      started = now = startTimeMs
      timers = []
      let mix = (seed % 2 ** 32) ^ Math.floor(seed / 2 ** 32)
      const next = () => {
        mix = (mix + 0x9e3779b9) | 0
        let z = mix
        z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
        z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
        return z ^ (z >>> 15)
      }
      a = next()
      b = next()
      c = next()
      d = 1
      state = { state: 'pending' }
    },
    load(evaluated) {
      const loaded = (namespace) => {
        entry = namespace.default
        if (typeof entry === 'function') state = { state: 'loaded' }
        else state = { state: 'invalid', error: { message: `the default export must be a function (input, context) => output; it is ${entry === undefined ? 'missing' : typeof entry}` } }
      }
      if (evaluated instanceof Promise) apply(then, evaluated, [loaded, fail])
      else loaded(evaluated)
    },
    call(input, seed) {
      const context = {
        seed,
        artifact(name, content) {
          if (typeof name !== 'string' || name === '') throw new TypeError('artifact: name must be a string that is not empty')
          const bytes = typeof content === 'string' ? apply(encode, encoder, [content]) : content
          if (!ArrayBuffer.isView(bytes) && !(bytes instanceof ArrayBuffer)) throw new TypeError('artifact: bytes must be a string or bytes')
          const view = ArrayBuffer.isView(bytes) ? bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) : bytes
          hostArtifact(name, view)
        },
      }
      const returned = (output) => {
        try {
          state = { state: 'returned', output: (stringify(output) ?? 'null').toWellFormed() }
        } catch (thrown) {
          fail(thrown)
        }
      }
      try {
        const output = entry(parse(input), context)
        if (output !== null && typeof output === 'object' && typeof output.then === 'function') apply(then, Promise.resolve(output), [returned, fail])
        else returned(output)
      } catch (thrown) {
        fail(thrown)
      }
    },
    /** Runs the next timer, unless the result is there. True when it did. */
    advance() {
      if (state.state !== 'pending' || timers.length === 0) return false
      let next = timers[0]
      for (const timer of timers) if (timer.at < next.at || (timer.at === next.at && timer.id < next.id)) next = timer
      now = Math.max(now, next.at)
      if (next.every) next.at = now + next.every
      else timers = timers.filter((timer) => timer !== next)
      try {
        apply(next.callback, undefined, next.args)
      } catch (thrown) {
        hostLog('stderr', `Uncaught in a timer: ${show(thrown)}`)
      }
      return true
    },
    result: () => state,
  }
})
