import { produce } from 'immer'

export default ({ records, changes }) => {
  let state = { byId: Object.fromEntries(records.map((record) => [record.id, record])), log: [] }
  for (const { id, amount, tag } of changes) {
    state = produce(state, (draft) => {
      const record = draft.byId[id]
      record.amount += amount
      record.tags.push(tag)
      draft.log.push(id)
    })
  }
  return [JSON.stringify(state).length, Object.values(state.byId).reduce((sum, { amount }) => sum + amount, 0), state.log.length]
}
