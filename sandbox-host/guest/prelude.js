// What a script agent finds in its world, evaluated once into the engine's image (`engine/src/script_image.rs`). It is called
// with the host's functions and returns what the engine's driver calls. It keeps private copies of what it needs, because agents may
// change every built-in they can reach; whatever they do to it stays inside their own run.
;(function (hostOut, hostErr, hostArtifact, hostSeed, hostElapsedMs, hostSleepUntilMs) {
  'use strict'
  const global = globalThis
  const { apply } = Reflect
  const { parse, stringify } = JSON
  const settledPromise = Promise.resolve()
  const promiseThen = Promise.prototype.then
  const promiseResolve = Promise.resolve
  const PromiseNative = Promise
  const ErrorNative = Error
  const TypeErrorNative = TypeError
  const RangeErrorNative = RangeError
  const StringNative = String
  const NumberNative = Number
  const MapNative = Map
  const mapGet = Map.prototype.get
  const mapSet = Map.prototype.set
  const mapHas = Map.prototype.has
  const mapDelete = Map.prototype.delete
  const mapForEach = Map.prototype.forEach
  const setForEach = Set.prototype.forEach
  const { defineProperty, getPrototypeOf } = Object
  const hasOwn = Object.hasOwn
  const isArray = Array.isArray
  const arrayPush = Array.prototype.push
  const arrayJoin = Array.prototype.join
  const arraySplice = Array.prototype.splice
  const charCodeAt = String.prototype.charCodeAt
  const indexOf = String.prototype.indexOf
  const slice = String.prototype.slice
  const fromCharCode = String.fromCharCode
  const isView = ArrayBuffer.isView
  const bufferSlice = ArrayBuffer.prototype.slice
  const toISOString = Date.prototype.toISOString
  const floor = Math.floor
  const imul = Math.imul
  const Uint8 = Uint8Array
  const typedProto = getPrototypeOf(Uint8Array.prototype)
  const getter = (proto, name) => Object.getOwnPropertyDescriptor(proto, name).get
  const typedBuffer = getter(typedProto, 'buffer')
  const typedOffset = getter(typedProto, 'byteOffset')
  const typedLength = getter(typedProto, 'byteLength')
  const typedTag = getter(typedProto, Symbol.toStringTag)
  const dataViewBuffer = getter(DataView.prototype, 'buffer')
  const dataViewOffset = getter(DataView.prototype, 'byteOffset')
  const dataViewLength = getter(DataView.prototype, 'byteLength')
  const bufferLength = getter(ArrayBuffer.prototype, 'byteLength')

  function define(target, name, value) {
    defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true })
  }

  // ---- randomness: xoshiro128** seeded by SplitMix32 from both halves of the seed ----
  let r0 = 0,
    r1 = 0,
    r2 = 0,
    r3 = 0

  function seedRandom(seed) {
    let state = ((seed >>> 0) ^ imul(floor(seed / 4294967296), 0x9e3779b1)) >>> 0
    const next = () => {
      state = (state + 0x9e3779b9) | 0
      let t = state ^ (state >>> 16)
      t = imul(t, 0x21f0aaad)
      t ^= t >>> 15
      t = imul(t, 0x735a2d97)
      return t ^ (t >>> 15)
    }
    r0 = next()
    r1 = next()
    r2 = next()
    r3 = next() | 1
  }

  function random32() {
    const m = imul(r1, 5)
    const result = imul((m << 7) | (m >>> 25), 9)
    const t = r1 << 9
    r2 ^= r0
    r3 ^= r1
    r1 ^= r2
    r0 ^= r3
    r2 ^= t
    r3 = (r3 << 11) | (r3 >>> 21)
    return result >>> 0
  }

  define(Math, 'random', function random() {
    return ((random32() >>> 5) * 67108864 + (random32() >>> 6)) / 9007199254740992
  })

  function bytesOf(view) {
    if (apply(typedTag, view, []) !== undefined)
      return new Uint8(apply(typedBuffer, view, []), apply(typedOffset, view, []), apply(typedLength, view, []))
    return new Uint8(apply(dataViewBuffer, view, []), apply(dataViewOffset, view, []), apply(dataViewLength, view, []))
  }

  const RANDOM_BYTES_MAX = 65536
  const hex = '0123456789abcdef'
  define(global, 'crypto', {
    getRandomValues(view) {
      const tag = isView(view) ? apply(typedTag, view, []) : undefined
      if (tag === undefined || tag === 'Float32Array' || tag === 'Float64Array' || tag === 'Float16Array')
        throw new TypeErrorNative('crypto.getRandomValues needs an integer typed array')
      const bytes = bytesOf(view)
      const length = apply(typedLength, bytes, [])
      if (length > RANDOM_BYTES_MAX) throw new RangeErrorNative('crypto.getRandomValues fills at most 65536 bytes, not ' + length)
      for (let i = 0; i < length; i++) bytes[i] = random32() >>> 24
      return view
    },
    randomUUID() {
      let text = ''
      for (let i = 0; i < 32; i++) {
        if (i === 8 || i === 12 || i === 16 || i === 20) text += '-'
        const digit = random32() >>> 28
        text += i === 12 ? '4' : hex[i === 16 ? (digit & 3) | 8 : digit]
      }
      return text
    },
  })

  // ---- time: virtual, and moving only when nothing else is left to do ----
  define(global, 'performance', { now: () => hostElapsedMs(), timeOrigin: 0 })

  const timers = [] // sorted by time, then by age
  let timerCount = 0
  const TIMERS_MAX = 100000

  function addTimer(callback, delay, args, repeat) {
    if (typeof callback !== 'function') throw new TypeErrorNative('a timer needs a function, not ' + typeof callback)
    if (timers.length >= TIMERS_MAX) throw new RangeErrorNative('more than ' + TIMERS_MAX + ' timers')
    let wait = NumberNative(delay)
    if (!(wait >= 1)) wait = 1
    if (wait > 2147483647) wait = 1
    const id = ++timerCount
    placeTimer({ __proto__: null, id, at: hostElapsedMs() + wait, callback, args, every: repeat ? wait : 0 })
    return id
  }

  function placeTimer(timer) {
    let low = 0,
      high = timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (timers[middle].at <= timer.at) low = middle + 1
      else high = middle
    }
    apply(arraySplice, timers, [low, 0, timer])
  }

  function clearTimer(id) {
    for (let i = 0; i < timers.length; i++) {
      if (timers[i].id === id) {
        apply(arraySplice, timers, [i, 1])
        return
      }
    }
    if (running !== null && running.id === id) running.every = 0
  }

  let running = null
  define(global, 'setTimeout', function setTimeout(callback, delay, ...args) {
    return addTimer(callback, delay, args, false)
  })
  define(global, 'setInterval', function setInterval(callback, delay, ...args) {
    return addTimer(callback, delay, args, true)
  })
  define(global, 'setImmediate', function setImmediate(callback, ...args) {
    return addTimer(callback, 0, args, false)
  })
  define(global, 'clearTimeout', function clearTimeout(id) {
    clearTimer(id)
  })
  define(global, 'clearInterval', function clearInterval(id) {
    clearTimer(id)
  })
  define(global, 'clearImmediate', function clearImmediate(id) {
    clearTimer(id)
  })
  define(global, 'queueMicrotask', function queueMicrotask(callback) {
    if (typeof callback !== 'function') throw new TypeErrorNative('queueMicrotask needs a function, not ' + typeof callback)
    apply(promiseThen, settledPromise, [
      () => {
        try {
          callback()
        } catch (error) {
          fail(error)
        }
      },
    ])
  })

  // ---- console ----
  const DEPTH_MAX = 4
  const ITEMS_MAX = 100

  function show(value, depth, seen) {
    switch (typeof value) {
      case 'string':
        return depth === 0 ? value : stringify(value)
      case 'function':
        return '[Function: ' + (value.name || 'anonymous') + ']'
      case 'bigint':
        return StringNative(value) + 'n'
      case 'object':
        return value === null ? 'null' : showObject(value, depth, seen)
      default:
        return isMinusZero(value) ? '-0' : StringNative(value)
    }
  }

  function isMinusZero(value) {
    return value === 0 && 1 / value < 0
  }

  function showObject(value, depth, seen) {
    if (value instanceof ErrorNative) return StringNative(value.stack ? value.name + ': ' + value.message + '\n' + value.stack : value)
    if (value instanceof Date) return isNaN(value) ? 'Invalid Date' : apply(toISOString, value, [])
    if (value instanceof RegExp) return StringNative(value)
    if (apply(mapHas, seen, [value])) return '[Circular]'
    if (depth > DEPTH_MAX) return isArray(value) ? '[Array]' : '[Object]'
    apply(mapSet, seen, [value, true])
    const text = showParts(value, depth, seen)
    apply(mapDelete, seen, [value])
    return text
  }

  function showParts(value, depth, seen) {
    const parts = []
    const add = (text) => {
      if (parts.length < ITEMS_MAX) apply(arrayPush, parts, [text])
      else if (parts.length === ITEMS_MAX) apply(arrayPush, parts, ['…'])
    }
    if (isArray(value) || (isView(value) && apply(typedTag, value, []) !== undefined)) {
      const length = value.length
      for (let i = 0; i < length && i <= ITEMS_MAX; i++) add(show(value[i], depth + 1, seen))
      return (isArray(value) ? '' : apply(typedTag, value, []) + ' ') + '[' + apply(arrayJoin, parts, [', ']) + ']'
    }
    if (value instanceof MapNative) {
      apply(mapForEach, value, [(item, key) => add(show(key, depth + 1, seen) + ' => ' + show(item, depth + 1, seen))])
      return 'Map {' + apply(arrayJoin, parts, [', ']) + '}'
    }
    if (value instanceof Set) {
      apply(setForEach, value, [(item) => add(show(item, depth + 1, seen))])
      return 'Set {' + apply(arrayJoin, parts, [', ']) + '}'
    }
    if (value instanceof PromiseNative) return 'Promise {}'
    for (const key in value) if (hasOwn(value, key)) add(key + ': ' + show(value[key], depth + 1, seen))
    const proto = getPrototypeOf(value)
    const name =
      proto === null ? '[null] ' : proto !== Object.prototype && typeof proto.constructor === 'function' ? proto.constructor.name + ' ' : ''
    return name + (parts.length === 0 ? '{}' : '{ ' + apply(arrayJoin, parts, [', ']) + ' }')
  }

  function writer(host) {
    return (...values) => {
      let line = ''
      for (let i = 0; i < values.length; i++) {
        if (i > 0) line += ' '
        try {
          line += show(values[i], 0, new MapNative())
        } catch {
          line += '[unprintable]'
        }
      }
      host(line + '\n')
    }
  }

  const toOut = writer(hostOut)
  const toErr = writer(hostErr)
  define(global, 'console', {
    log: toOut,
    info: toOut,
    debug: toOut,
    dir: toOut,
    table: toOut,
    group: toOut,
    groupEnd() {},
    time() {},
    timeEnd() {},
    timeLog() {},
    count() {},
    warn: toErr,
    error: toErr,
    trace: toErr,
    assert(condition, ...values) {
      if (!condition) toErr('Assertion failed', ...values)
    },
  })

  // ---- text ----
  function encodeUtf8(text) {
    const length = text.length
    const bytes = []
    let count = 0
    for (let i = 0; i < length; i++) {
      let code = apply(charCodeAt, text, [i])
      if (code < 0x80) {
        bytes[count++] = code
        continue
      }
      if (code >= 0xd800 && code < 0xe000) {
        const low = code < 0xdc00 && i + 1 < length ? apply(charCodeAt, text, [i + 1]) : 0
        if (low >= 0xdc00 && low < 0xe000) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
          i++
        } else code = 0xfffd
      }
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
    return new Uint8(bytes)
  }

  class TextEncoder {
    get encoding() {
      return 'utf-8'
    }
    encode(text = '') {
      return encodeUtf8(StringNative(text))
    }
    encodeInto(text, target) {
      let read = 0,
        written = 0
      text = StringNative(text)
      while (read < text.length) {
        const code = apply(charCodeAt, text, [read])
        const next = code >= 0xd800 && code < 0xdc00 && read + 1 < text.length ? apply(charCodeAt, text, [read + 1]) : 0
        const units = next >= 0xdc00 && next < 0xe000 ? 2 : 1
        const part = encodeUtf8(apply(slice, text, [read, read + units]))
        if (written + part.length > target.length) break
        for (let i = 0; i < part.length; i++) target[written++] = part[i]
        read += units
      }
      return { read, written }
    }
  }

  function decodeUtf8(bytes, fatal) {
    const length = bytes.length
    let text = ''
    let chunk = []
    const put = (code) => {
      if (code > 0xffff) {
        chunk[chunk.length] = 0xd800 + ((code - 0x10000) >> 10)
        chunk[chunk.length] = 0xdc00 + ((code - 0x10000) & 0x3ff)
      } else chunk[chunk.length] = code
      if (chunk.length >= 4096) {
        text += apply(fromCharCode, null, chunk)
        chunk = []
      }
    }
    for (let i = 0; i < length;) {
      const first = bytes[i++]
      if (first < 0x80) {
        put(first)
        continue
      }
      const more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 0
      let low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
      let high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
      let code = more === 1 ? first & 31 : more === 2 ? first & 15 : first & 7
      let left = more
      while (left > 0 && i < length && bytes[i] >= low && bytes[i] <= high) {
        code = (code << 6) | (bytes[i++] & 63)
        low = 0x80
        high = 0xbf
        left--
      }
      if (more === 0 || left > 0) {
        if (fatal) throw new TypeErrorNative('The encoded data was not valid for encoding utf-8')
        put(0xfffd)
      } else put(code)
    }
    return text + apply(fromCharCode, null, chunk)
  }

  class TextDecoder {
    #fatal
    #keepMark
    constructor(label = 'utf-8', options = {}) {
      const name = StringNative(label).trim().toLowerCase()
      if (name !== 'utf-8' && name !== 'utf8') throw new RangeErrorNative('TextDecoder knows utf-8 only, not ' + name)
      this.#fatal = !!options.fatal
      this.#keepMark = !!options.ignoreBOM
    }
    get encoding() {
      return 'utf-8'
    }
    get fatal() {
      return this.#fatal
    }
    get ignoreBOM() {
      return this.#keepMark
    }
    decode(input = new Uint8(0)) {
      const bytes = isView(input) ? bytesOf(input) : new Uint8(input)
      const hasMark = !this.#keepMark && bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
      return decodeUtf8(hasMark ? bytes.subarray(3) : bytes, this.#fatal)
    }
  }
  define(global, 'TextEncoder', TextEncoder)
  define(global, 'TextDecoder', TextDecoder)

  define(global, 'structuredClone', function structuredClone(value) {
    const seen = new MapNative()
    const clone = (from) => {
      if (typeof from === 'function' || typeof from === 'symbol') throw new TypeErrorNative('a ' + typeof from + ' cannot be cloned')
      if (from === null || typeof from !== 'object') return from
      if (apply(mapHas, seen, [from])) return apply(mapGet, seen, [from])
      const keep = (to) => {
        apply(mapSet, seen, [from, to])
        return to
      }
      if (isArray(from)) {
        const to = keep([])
        to.length = from.length
        for (const key in from) if (hasOwn(from, key)) to[key] = clone(from[key])
        return to
      }
      if (from instanceof Date) return keep(new Date(+from))
      if (from instanceof RegExp) return keep(new RegExp(from.source, from.flags))
      if (from instanceof MapNative) {
        const to = keep(new MapNative())
        apply(mapForEach, from, [(item, key) => apply(mapSet, to, [clone(key), clone(item)])])
        return to
      }
      if (from instanceof Set) {
        const to = keep(new Set())
        apply(setForEach, from, [(item) => to.add(clone(item))])
        return to
      }
      if (from instanceof ArrayBuffer) return keep(apply(bufferSlice, from, [0]))
      if (isView(from)) {
        const buffer = clone(from.buffer)
        return keep(new from.constructor(buffer, from.byteOffset, from instanceof DataView ? from.byteLength : from.length))
      }
      if (from instanceof ErrorNative) {
        const to = keep(new ErrorNative(from.message))
        if (from.name !== 'Error') define(to, 'name', from.name)
        return to
      }
      const to = keep({})
      for (const key in from) if (hasOwn(from, key)) to[key] = clone(from[key])
      return to
    }
    return clone(value)
  })
  // ---- base64, and the errors that it throws ----
  const domErrorCodes = {
    __proto__: null,
    InvalidCharacterError: 5,
    NotSupportedError: 9,
    AbortError: 20,
    QuotaExceededError: 22,
    DataCloneError: 25,
  }
  class DOMException extends ErrorNative {
    #name
    constructor(message = '', name = 'Error') {
      super(message)
      this.#name = StringNative(name)
    }
    get name() {
      return this.#name
    }
    get code() {
      return domErrorCodes[this.#name] ?? 0
    }
  }
  define(global, 'DOMException', DOMException)

  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const refuse = (message) => {
    throw new DOMException(message, 'InvalidCharacterError')
  }

  define(global, 'btoa', function btoa(data) {
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

  define(global, 'atob', function atob(data) {
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

  define(global, 'self', global)

  // ---- the run ----
  // `answer` is what the driver hands to the host: a letter (see script.rs) and text.
  let answer
  let main
  let context
  let isLoading = false
  let unhandled = new MapNative()
  const MESSAGE_CHARS_MAX = 4096
  const STACK_CHARS_MAX = 8192

  function textOf(value, charsMax) {
    const text = StringNative(value)
    return text.length > charsMax ? apply(slice, text, [0, charsMax]) + '…' : text
  }

  function describe(error) {
    const told = { __proto__: null, message: 'something was thrown that cannot be shown' }
    try {
      if (error !== null && typeof error === 'object' && 'message' in error) {
        // The message first: accessors of the others may throw.
        told.message = textOf(error.message, MESSAGE_CHARS_MAX)
        told.name = textOf(error.name, 256)
        if (typeof error.stack === 'string') told.stack = textOf(error.stack, STACK_CHARS_MAX)
      } else told.message = 'thrown: ' + textOf(show(error, 1, new MapNative()), MESSAGE_CHARS_MAX)
    } catch {
      // Its own accessors throw; what was told so far stands.
    }
    return told
  }

  function fail(error) {
    if (answer === undefined) answer = 'T' + stringify(describe(error))
  }

  function failWith(name, message) {
    if (answer === undefined) answer = 'T' + stringify({ __proto__: null, name, message })
  }

  function finish(result) {
    if (answer !== undefined) return
    let text
    try {
      text = stringify(result)
    } catch (error) {
      failWith('TypeError', 'the output cannot be written as JSON: ' + describe(error).message)
      return
    }
    answer = 'C' + (text === undefined ? 'null' : text)
  }

  function rejected(promise, ...reasons) {
    if (reasons.length === 0) apply(mapDelete, unhandled, [promise])
    else apply(mapSet, unhandled, [promise, reasons[0]])
  }

  function tellUnhandled() {
    if (unhandled.size === 0) return
    const all = unhandled
    unhandled = new MapNative()
    apply(mapForEach, all, [(reason) => toErr('Unhandled rejection:', reason)])
  }

  function settle(value, then) {
    apply(promiseThen, apply(promiseResolve, PromiseNative, [value]), [then, fail])
  }

  function makeContext() {
    return {
      seed: hostSeed(),
      artifact(name, bytes) {
        if (typeof name !== 'string') throw new TypeErrorNative('context.artifact needs a name, not ' + typeof name)
        let data = bytes
        if (isView(data)) {
          const view = bytesOf(data)
          const start = apply(typedOffset, view, [])
          data = apply(bufferSlice, apply(typedBuffer, view, []), [start, start + apply(typedLength, view, [])])
        } else if (data instanceof ArrayBuffer) apply(bufferLength, data, [])
        else if (typeof data !== 'string')
          throw new TypeErrorNative('context.artifact needs a string, an ArrayBuffer or a typed array, not ' + typeof data)
        if (hostArtifact(name, data) !== 0) {
          throw new TypeErrorNative(
            'the artifact name ' + stringify(name) + ' is not a relative path of at most 255 bytes without . and .. segments',
          )
        }
      },
    }
  }

  return {
    agent_start(text) {
      answer = undefined
      seedRandom(hostSeed())
      context = makeContext()
      try {
        const result = main(parse(text), context)
        if (result !== null && (typeof result === 'object' || typeof result === 'function') && typeof result.then === 'function') {
          settle(result, finish)
        } else finish(result)
      } catch (error) {
        fail(error)
      }
      return answer
    },

    // Called when no job is left: ends the run, or lets time pass until the next timer.
    agent_step() {
      tellUnhandled()
      if (answer !== undefined) return answer
      const timer = timers.length > 0 ? apply(arraySplice, timers, [0, 1])[0] : undefined
      if (timer === undefined) {
        const what = isLoading ? 'the top level of the module awaits' : 'the agent returned'
        failWith('Error', what + ' a promise that can never settle: no job and no timer is left')
        return answer
      }
      hostSleepUntilMs(StringNative(timer.at))
      running = timer
      try {
        apply(timer.callback, undefined, timer.args)
      } catch (error) {
        fail(error)
      }
      running = null
      if (timer.every > 0) {
        timer.at += timer.every
        placeTimer(timer)
      }
      return undefined
    },

    agent_load(loading) {
      isLoading = true
      settle(loading, (module) => {
        isLoading = false
        main = module.default
        if (typeof main === 'function') answer = 'L'
        else
          failWith(
            'TypeError',
            'the module must have a default export that is a function (input, context) => output; it is ' +
              (main === undefined ? 'missing' : 'of type ' + typeof main),
          )
      })
      return undefined
    },

    agent_load_failed(error) {
      fail(error)
      return answer
    },

    agent_rejected: rejected,
  }
})
