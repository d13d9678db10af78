import { Decimal } from 'decimal.js'

// The series of e, Machin's formula and a square root by Newton's steps.
export default ({ digits }) => {
  const D = Decimal.clone({ precision: digits })
  let e = new D(1)
  let term = new D(1)
  for (let i = 1; term.e > -digits; i++) {
    term = term.div(i)
    e = e.plus(term)
  }
  const arctan = (inverse) => {
    const square = inverse * inverse
    let power = new D(1).div(inverse)
    let sum = power
    for (let i = 3; power.e > -digits; i += 2) {
      power = power.div(-square)
      sum = sum.plus(power.div(i))
    }
    return sum
  }
  const pi = arctan(5).times(16).minus(arctan(239).times(4))
  let root = new D(1.5)
  for (let i = 0; i < 8; i++) root = root.plus(new D(2).div(root)).div(2)
  return [e.toFixed(), pi.toFixed(), root.toFixed(), new D(2).sqrt().toFixed()]
}
