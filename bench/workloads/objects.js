// Object manipulation: make, spread, look up, map, filter and sum small objects.
export default ({ n }) => {
  const byKey = {}
  const people = []
  for (let i = 0; i < n; i++) {
    const person = { id: i, name: 'p' + i, age: i % 90, tags: [i % 7, i % 11] }
    people.push({ ...person, adult: person.age > 17 })
    byKey[person.name] = person
  }
  const adults = people.filter((person) => person.adult).map(({ id, name, tags }) => ({ id, name, first: tags[0] }))
  let sum = 0
  for (const { name, first } of adults) sum += byKey[name].age + first
  return [adults.length, sum, Object.keys(byKey).length]
}
