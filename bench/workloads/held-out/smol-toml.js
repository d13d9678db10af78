import { parse, stringify } from 'smol-toml'

export default ({ toml }) => {
  const document = parse(toml)
  return [document.orders.length, stringify(document)]
}
