/** Something that the machine lacks, told in one line that says what to do; not a fault of this checkout. */
export class MissingToolError extends Error {}
