// A set-up that cannot go on: one line that says what to do, and, where they help, the last lines of the command that failed.

export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {string[]} [output]
   */
  constructor(message, output = []) {
    super(message)
    this.name = 'SetupError'
    this.output = output
  }
}
