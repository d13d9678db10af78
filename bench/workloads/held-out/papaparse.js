import Papa from 'papaparse'

export default ({ text }) => {
  const { data, errors, meta } = Papa.parse(text, { header: true, dynamicTyping: true, skipEmptyLines: true })
  return [errors.length, meta.fields, Papa.unparse(data, { quotes: true })]
}
