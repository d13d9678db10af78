import { XMLBuilder, XMLParser } from 'fast-xml-parser'

export default ({ xml }) => {
  const options = { ignoreAttributes: false }
  const parsed = new XMLParser(options).parse(xml)
  return [parsed.orders.order.length, new XMLBuilder(options).build(parsed)]
}
