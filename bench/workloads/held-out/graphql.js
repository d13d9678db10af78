import { buildSchema, parse, print, printSchema, validate } from 'graphql'

// Its execution wants AbortController, which no bare engine has.
export default ({ schemaText, queries }) => {
  const schema = buildSchema(schemaText)
  return [
    printSchema(schema),
    queries.map(parse).map((document) => [print(document), validate(schema, document).map(({ message }) => message)]),
  ]
}
