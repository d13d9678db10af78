// Figures as people read them, in one form on every page.

const whole = new Intl.NumberFormat('en')
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export function count(value: number): string {
  return whole.format(value)
}

/** With its noun, in the plural unless it is one: `1 case`, `652 cases`. */
export function countOf(value: number, noun: string): string {
  const plural = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`
  return `${count(value)} ${value === 1 ? noun : plural}`
}

/** Three digits that matter: `9.43 M`. */
export function scaled(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= size) return `${(value / size).toPrecision(value / size >= 1_000 ? 4 : 3)} ${unit}`
  }
  return String(value)
}

export function fuel(value: number | null): string {
  return value === null ? 'not metered' : scaled(value)
}

export function micros(value: number): string {
  if (value < 1_000) return `${value} µs`
  if (value < 1_000_000) return `${(value / 1_000).toPrecision(3)} ms`
  return `${(value / 1_000_000).toFixed(2)} s`
}

/** Of millionths of a dollar; estimates, so two digits that matter: `$0.0000024`. */
export function dollars(microUsd: number): string {
  const usd = microUsd / 1e6
  const decimals = usd === 0 ? 2 : Math.max(2, 1 - Math.floor(Math.log10(usd)))
  return `$${usd.toFixed(decimals)}`
}

export function bytes(value: number): string {
  if (value < 1_024) return `${value} B`
  if (value < 1_048_576) return `${(value / 1_024).toPrecision(3)} KiB`
  return `${(value / 1_048_576).toFixed(1)} MiB`
}

/** `24 Nov 2026, 10:02 UTC` */
export function instant(at: string): string {
  return `${day(at)}, ${at.slice(11, 16)} UTC`
}

/** `24 Nov 2026` */
export function day(at: string): string {
  return `${Number(at.slice(8, 10))} ${months[Number(at.slice(5, 7)) - 1]} ${at.slice(0, 4)}`
}
