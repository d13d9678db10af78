import { sweepSchema, sweepStepSchema } from '../../shared/sweep.ts'
import { limits } from '../../shared/tiers.ts'
import { sweepStep } from '../flows/sweep-storage.ts'
import type { Router } from '../router.ts'
import type { Services } from '../services.ts'

export function addSweepRoutes(router: Router, services: Services): void {
  router.add(
    {
      method: 'post',
      path: '/api/admin/sweeps',
      summary: 'One step of the clean-up of storage: deletes what is kept no longer, or tells what it would delete',
      access: 'admin',
      body: { schema: sweepSchema, bytesMax: limits.bodyBytesMax },
      answers: { 200: { description: 'What the step did', schema: sweepStepSchema } },
    },
    async ({ c, body }) => c.json(await sweepStep(services, body), 200),
  )
}
