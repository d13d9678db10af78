// How Postgres values arrive from the driver: 64-bit integers as text, instants as Date.
import { z } from 'zod'

/** bigint columns; what they hold stays within safe integers by construction. */
export const bigintSchema = z.coerce.number().int()

export const instantSchema = z.date().transform((date) => date.toISOString())

/** For statements whose rows nobody reads. */
export const ignoredRowSchema = z.unknown()
