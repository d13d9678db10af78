export function setUpPackages(options: { root: string; report: (line: string) => void }): Promise<void>
export function checkNode(version: string): void
export function matchesLock(lockText: string, installedText: string): boolean
export function installAdvice(output: string[]): string
