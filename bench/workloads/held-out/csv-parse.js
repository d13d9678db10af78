import { parse } from 'csv-parse/browser/esm/sync'

export default ({ text }) => {
  const rows = parse(text, { columns: true, cast: true, trim: true })
  const total = rows.reduce((sum, { amount }) => sum + amount, 0)
  return [rows.length, Math.round(total), rows.at(-1)]
}
