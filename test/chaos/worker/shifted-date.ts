// The clock of this process, as far as `Date` tells it, moved by whoever imports this: before everything else, or it is not the one that
// others keep.
const TrueDate = Date
let offsetMs = 0

/** Before it was moved. */
export function trueNow(): number {
  return TrueDate.now()
}

export function moveClock(byMs: number): void {
  offsetMs = byMs
}

const now = () => TrueDate.now() + offsetMs

// A proxy: what the platform makes by itself is still an instance of it.
globalThis.Date = new Proxy(TrueDate, {
  construct: (target, parameters, newTarget) =>
    Reflect.construct(target, parameters.length === 0 ? [now()] : parameters, newTarget) as Date,
  get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
})
