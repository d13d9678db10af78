import { FluidField } from './octane/navier-stokes.js'

export default ({ size, frames, iterations }) => {
  const solver = new FluidField(null)
  solver.setResolution(size, size)
  solver.setIterations(iterations)
  solver.setDisplayFunction(() => {})
  solver.setUICallback((field) => {
    for (let i = 1; i < size; i++) {
      field.setVelocity(i, i, size, size)
      field.setDensity(i, i, 5)
      field.setDensity(i, size - i, 20)
    }
  })
  solver.reset()
  for (let frame = 0; frame < frames; frame++) solver.update()
  return solver.getDens().map((density) => Math.trunc(density * 1000))
}
