// One Prometheus text from several that have the same families: each is declared once, with the samples of all behind it, as the format asks.
// https://prometheus.io/docs/instrumenting/exposition_formats/

/** @param texts whose samples differ by a label */
export function mergeMetrics(texts: readonly string[]): string {
  const families = new Map<string, { head: string[]; samples: string[] }>()
  for (const text of texts) {
    let name = ''
    for (const line of text.split('\n')) {
      const declared = /^# (HELP|TYPE) (\S+)/.exec(line)
      if (declared) name = declared[2] ?? ''
      if (line === '' || (line.startsWith('#') && !declared)) continue
      const family = families.get(name) ?? { head: [], samples: [] }
      families.set(name, family)
      if (!declared) family.samples.push(line)
      else if (!family.head.some((known) => known.startsWith(declared[0]))) family.head.push(line)
    }
  }
  return [...families.values()].flatMap(({ head, samples }) => [...head, ...samples]).join('\n')
}
