// Nested loops: three deep, integer work inside.
export default ({ n }) => {
  let count = 0
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) {
        count += (i ^ j ^ k) & 1
      }
    }
  }
  return count
}
