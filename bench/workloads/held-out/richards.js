import { runRichards } from './octane/richards.js'

// It throws unless its two counts are those of a right run.
export default ({ times }) => {
  for (let i = 0; i < times; i++) runRichards()
  return times
}
