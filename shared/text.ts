// Text that people write and that is kept in columns of the database, which cannot hold the character U+0000.
import { z } from 'zod'

export function textSchema(charactersMax: number) {
  return z
    .string()
    .max(charactersMax)
    .refine((text) => !text.includes('\0'), 'must not contain the character U+0000')
}
