import Ajv from 'ajv'

export default ({ schema, records }) => {
  const validate = new Ajv({ allErrors: true, logger: false }).compile(schema)
  return records.map((record) => (validate(record) ? 0 : validate.errors.map(({ instancePath, keyword }) => `${instancePath} ${keyword}`)))
}
