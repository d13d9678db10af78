import MiniSearch from 'minisearch'

export default ({ documents, queries }) => {
  const index = new MiniSearch({ fields: ['title', 'text'] })
  index.addAll(documents)
  return queries.map((query) => index.search(query, { prefix: true, fuzzy: 0.2 }).map(({ id, score }) => [id, score.toFixed(6)]))
}
