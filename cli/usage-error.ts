/** A mistake of whoever typed the command: its message is the line to print, and the exit code is 2. */
export class UsageError extends Error {}
