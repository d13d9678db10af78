// Two ways to say "this cannot happen": `assert` for values, `unreachable` for the end of an exhaustive switch.

/** Throws when an invariant of ours is broken; never used for input, which is parsed by a schema instead. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}

/** Ends a `switch` over a closed union; the type checker rejects the call while a member is unhandled. */
export function unreachable(value: never): never {
  throw new Error(`unreachable value: ${JSON.stringify(value)}`)
}
