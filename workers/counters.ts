// Counters of this isolate. Cloudflare runs many isolates and starts and ends them as it likes, so these say what this one did, no more;
// the metrics carry that in their names.

/** A label value that strangers choose would grow the map; ours are closed sets far below this. */
const seriesMax = 500

export class Counters {
  readonly #values = new Map<string, number>()

  add(name: string, labels: Record<string, string> = {}, amount = 1): void {
    let pairs = ''
    for (const label in labels) pairs += `${pairs === '' ? '' : ','}${label}=${JSON.stringify(labels[label])}`
    const series = pairs === '' ? `bounty_isolate_${name}` : `bounty_isolate_${name}{${pairs}}`
    const value = this.#values.get(series)
    if (value === undefined && this.#values.size >= seriesMax) return
    this.#values.set(series, (value ?? 0) + amount)
  }

  /** Prometheus text. */
  text(): string {
    const lines: string[] = []
    let family = ''
    for (const [series, value] of [...this.#values].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const name = series.split('{', 1)[0] ?? series
      if (name !== family) lines.push(`# HELP ${name} Of the isolate that answered.`, `# TYPE ${name} counter`)
      family = name
      lines.push(`${series} ${value}`)
    }
    return lines.join('\n')
  }
}
