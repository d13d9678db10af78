export type SetUpEngineResult = { engine: 'native' } | { engine: 'fallback'; reason: string; output: string[] }
export function setUpEngine(options: { root: string; report: (line: string) => void }): Promise<SetUpEngineResult>
export function buildAdvice(output: string[]): string
export function sourceHash(directory: string): Promise<string>
