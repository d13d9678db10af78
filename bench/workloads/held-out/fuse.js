import Fuse from 'fuse.js'

export default ({ records, queries }) => {
  const fuse = new Fuse(records, { keys: ['name', 'city'], threshold: 0.4, includeScore: true })
  return queries.map((query) => fuse.search(query, { limit: 5 }).map(({ refIndex, score }) => [refIndex, score.toFixed(6)]))
}
