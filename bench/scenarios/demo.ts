// The demo, timed through the API: bundle, deploy and judge four libraries over every CommonMark example.
import { loadDemo } from '../../local/demo.ts'
import { demoCases } from '../../local/demo-cases.ts'
import { demoLibraries } from '../../local/demo-agents.ts'
import { withLocalCloud } from '../local-cloud.ts'
import type { ScenarioResult } from '../scenario.ts'

export async function demo(): Promise<ScenarioResult> {
  return withLocalCloud(async (cloud) => {
    const lines: string[] = []
    const started = performance.now()
    const { ranking } = await loadDemo({ ...cloud, report: (line) => lines.push(line) })
    const seconds = (performance.now() - started) / 1000
    console.log(ranking)
    return {
      figures: [
        { name: `demo: ${demoLibraries.length} libraries x ${demoCases.length} cases, deploy and judging, s`, value: seconds },
        { name: 'demo: cases judged per second', value: (demoLibraries.length * demoCases.length) / seconds },
      ],
      raw: { lines, ranking: ranking.split('\n') },
    }
  })
}
