// Text that people write and that is kept in columns of the database, which can hold neither the character U+0000 nor half of a surrogate
// pair.
import { z } from 'zod'

export function textSchema(charactersMax: number) {
  return (
    z
      .string()
      .max(charactersMax)
      // As a pattern, which the OpenAPI document can say, too.
      .regex(/^[^\0]*$/, 'must not contain the character U+0000')
      .refine((text) => text.isWellFormed(), 'must be Unicode: it contains half of a surrogate pair')
  )
}
