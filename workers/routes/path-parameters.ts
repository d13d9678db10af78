// Parameters of paths, as every route that has them parses them.
import { z } from 'zod'
import { idSchema, type IdKind } from '../../shared/ids.ts'

export function idParameters(kind: IdKind) {
  return z.object({ id: idSchema(kind) })
}
