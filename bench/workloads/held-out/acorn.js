import { parse, tokenizer } from 'acorn'

export default ({ source }) => {
  const options = { ecmaVersion: 2024, sourceType: 'module' }
  const counts = {}
  const visit = (node) => {
    if (typeof node.type === 'string') counts[node.type] = (counts[node.type] ?? 0) + 1
    for (const key in node) {
      const value = node[key]
      if (value !== null && typeof value === 'object') visit(value)
    }
  }
  visit(parse(source, options))
  return [counts, [...tokenizer(source, options)].length]
}
