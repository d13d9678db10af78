// The same work at somebody else's list prices: one run of a stranger's program, in a sandbox that nobody ran in before. Compute alone: what
// we need around a run (a request at the edge, a row, a receipt) they would need, too. Every assumption is said.
import { microUsd } from '../shared/prices.ts'

export type PeerCost = { name: string; microUsdEach: number; assumes: string }

/** Of an HTTP request and the quickest isolated start of JavaScript there (quickjs-emscripten, a module each: 4.1 ms, bench/scenarios/workloads.ts). */
const lambdaBilledMs = 5
const lambdaGb = 0.5
/** Start and first command over the network, p50 and rounded up: 0.5 s and 2.1 s (ComputeSDK, 2026-05-05). */
const e2bSeconds = 1
const containerSeconds = 3

/** @param runMs of the program itself */
export function peerCosts(runMs: number): PeerCost[] {
  const runSeconds = runMs / 1_000
  const e2bRate = 2 * microUsd('e2bCpuSecond') + 0.5 * microUsd('e2bGibSecond')
  const lambdaSeconds = (lambdaBilledMs + Math.ceil(runMs)) / 1_000
  return [
    {
      name: 'E2B',
      microUsdEach: (e2bSeconds + runSeconds) * e2bRate,
      assumes: `a sandbox of its own, 2 vCPU and 512 MiB (the default), alive for ${e2bSeconds} s and the run; without the $150 a month of the Pro plan`,
    },
    {
      name: 'AWS Lambda',
      microUsdEach: microUsd('lambdaRequest') + lambdaSeconds * lambdaGb * microUsd('lambdaGbSecond'),
      assumes: `512 MB, x86, warm, ${lambdaBilledMs} ms billed beside the run for an isolated QuickJS in it, called by a function URL; strangers share the process that holds the sandboxes`,
    },
    {
      name: 'Cloudflare Containers',
      microUsdEach:
        microUsd('workerRequest') +
        (containerSeconds + runSeconds) * (0.25 * microUsd('containerGibSecond')) +
        (containerSeconds / 16 + runSeconds) * microUsd('containerCpuSecond'),
      assumes: `a lite instance (1/16 vCPU, 256 MiB) of its own, alive for ${containerSeconds} s and the run, busy while it starts; without its Durable Object`,
    },
  ]
}
