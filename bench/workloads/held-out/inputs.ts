// What the held-out programs are given: texts of packages that the lock file pins, and tables made from a fixed seed. The same bytes on
// every machine.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/** `start` and `end` cut what is longer than a run should take. */
export function packageText(packageName: string, file: string, start = 0, end?: number): string {
  const directory = dirname(require.resolve(`${packageName}/package.json`))
  return readFileSync(join(directory, file), 'utf8').slice(start, end)
}

export type Order = { id: number; name: string; city: string; amount: number; tags: string[]; note: string }

/** @returns numbers from 0 to 2^31 - 2, by Lehmer's generator */
export function numbers(count: number, seed = 1): number[] {
  let state = seed
  return Array.from({ length: count }, () => (state = (state * 16_807) % 2_147_483_647))
}

const given = ['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald', 'Tony', 'Leslie', 'Frances', 'Ken']
const family = ['Lovelace', 'Hopper', 'Turing', 'Dijkstra', 'Liskov', 'Knuth', 'Hoare', 'Lamport', 'Allen', 'Thompson']
const cities = ['Zürich', 'Lisbon', 'Oslo', 'Nairobi', 'Lima', 'Kyoto', 'Austin', 'Pune']
const tags = ['new', 'late', 'gift', 'bulk', 'fragile', 'paid']

export function orders(count: number): Order[] {
  const random = numbers(count * 6, 7)
  const pick = (list: string[], number = 0) => list[number % list.length] ?? ''
  return Array.from({ length: count }, (_, i) => {
    const [a = 0, b, c, d = 0, e = 0, f] = random.slice(i * 6)
    return {
      id: i + 1,
      name: `${pick(given, a)} ${pick(family, b)}`,
      city: pick(cities, c),
      amount: (d % 100_000) / 100,
      tags: tags.slice(e % 4, (e % 4) + (a % 3)),
      note: f === undefined || f % 5 > 0 ? '' : `says "${pick(tags, f)}", twice`,
    }
  })
}

export function csv(count: number): string {
  const cell = (value: string | number) => (/[",]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : value)
  const rows = orders(count).map(({ id, name, city, amount, tags: its, note }) => [id, name, city, amount, its.join(' '), note])
  return [['id', 'name', 'city', 'amount', 'tags', 'note'], ...rows].map((row) => row.map(cell).join(',')).join('\n')
}

export function xml(count: number): string {
  const escape = (text: string) => text.replaceAll('"', '&quot;')
  const rows = orders(count).map(
    ({ id, name, city, amount, tags: its, note }) =>
      `<order id="${id}" city="${city}"><name>${name}</name><amount>${amount}</amount>${its.map((tag) => `<tag>${tag}</tag>`).join('')}<note>${escape(note)}</note></order>`,
  )
  return `<?xml version="1.0"?>\n<orders>\n${rows.join('\n')}\n</orders>`
}

export function yaml(count: number): string {
  const rows = orders(count).map(
    ({ id, name, city, amount, tags: its, note }) =>
      `  - id: ${id}\n    name: ${name}\n    city: ${city}\n    amount: ${amount}\n    tags: [${its.join(', ')}]\n    note: |\n      ${note || 'none'}\n      second line`,
  )
  return `# orders\nversion: 1\norders:\n${rows.join('\n')}\n`
}

export function toml(count: number): string {
  const rows = orders(count).map(
    ({ id, name, city, amount, tags: its, note }) =>
      `[[orders]]\nid = ${id}\nname = "${name}"\ncity = '${city}'\namount = ${amount.toFixed(2)}\ntags = [${its.map((tag) => `"${tag}"`).join(', ')}]\nnote = ${JSON.stringify(note)}\n`,
  )
  return `title = "orders"\n\n${rows.join('\n')}`
}

/** `text` with some of its lines gone, doubled or in capitals. */
export function edited(text: string): string {
  const lines = text.split('\n')
  const random = numbers(lines.length, 3)
  return lines
    .flatMap((line, i) => {
      const kind = (random[i] ?? 0) % 20
      return kind === 0 ? [] : kind === 1 ? [line, line] : kind === 2 ? [line.toUpperCase()] : [line]
    })
    .join('\n')
}
