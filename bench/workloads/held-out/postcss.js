import postcss from 'postcss'

export default ({ css }) => {
  const root = postcss.parse(css)
  const colors = new Map()
  root.walkDecls(/color|background/, (declaration) => {
    colors.set(declaration.value, (colors.get(declaration.value) ?? 0) + 1)
    declaration.value = declaration.value.toUpperCase()
  })
  root.walkRules((rule) => {
    rule.selectors = rule.selectors.map((selector) => `.page ${selector}`)
  })
  return [[...colors], root.toString()]
}
