// Simple arithmetic: integer and floating-point operations in one loop.
export default ({ n }) => {
  let sum = 0
  let x = 1
  for (let i = 0; i < n; i++) {
    sum = (sum + i * 3 - (i >> 1)) % 1000003
    x = (x * 16807) % 2147483647
    sum += x & 15
  }
  return sum
}
