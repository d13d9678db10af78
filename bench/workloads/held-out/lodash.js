import _ from 'lodash'

export default ({ records }) => {
  const byCity = _(records)
    .filter(({ amount }) => amount > 100)
    .map((record) => _.assign({}, _.pick(record, ['id', 'city', 'amount']), { first: _.head(record.tags) }))
    .groupBy('city')
    .mapValues((group) => ({ count: group.length, sum: _.sumBy(group, 'amount'), best: _.maxBy(group, 'amount').id }))
    .toPairs()
    .orderBy([([, { sum }]) => sum, ([city]) => city], ['desc', 'asc'])
    .value()
  const tags = _.countBy(_.flatMap(records, 'tags'))
  const copy = _.cloneDeep(records)
  const names = _.uniq(_.map(copy, ({ name }) => _.kebabCase(name))).slice(0, 100)
  return [byCity, tags, _.isEqual(copy, records), names, _.chunk(_.sortBy(copy, ['city', 'amount']).map(_.property('id')), 50)]
}
