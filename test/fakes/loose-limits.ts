// Limits of admission that no test runs into by accident.
import type { AdmissionLimits } from '../../sandbox-host/admission-limits.ts'

export const looseLimits: AdmissionLimits = {
  memoryBytesBudget: 1e12,
  threads: 2,
  runningMax: 100,
  accountRunningMax: 100,
  queueMax: 1_000,
  accountQueueMax: 1_000,
  queueBytesMax: 1e9,
}
