import { SplayRun, SplaySetup, SplayTearDown, configureSplay } from './octane/splay.js'

export default ({ size, modifications, depth, runs }) => {
  // The suite's own generator.
  let seed = 49734321
  const { random } = Math
  Math.random = () => {
    seed = (seed + 0x7ed55d16 + (seed << 12)) & 0xffffffff
    seed = (seed ^ 0xc761c23c ^ (seed >>> 19)) & 0xffffffff
    seed = (seed + 0x165667b1 + (seed << 5)) & 0xffffffff
    seed = ((seed + 0xd3a2646c) ^ (seed << 9)) & 0xffffffff
    seed = (seed + 0xfd7046c5 + (seed << 3)) & 0xffffffff
    seed = (seed ^ 0xb55a4f09 ^ (seed >>> 16)) & 0xffffffff
    return (seed & 0xfffffff) / 0x10000000
  }
  configureSplay(size, modifications, depth)
  SplaySetup()
  for (let i = 0; i < runs; i++) SplayRun()
  // It throws unless the tree has its size and its keys are sorted.
  SplayTearDown()
  Math.random = random
  return seed
}
