export const engineDirectory: string
export function cacheDirectory(): string
export function findCargo(): string | undefined
export function cargoEnvironment(cargo: string): NodeJS.ProcessEnv
export function engineCargo(args: string[]): { status: number; output: string } | undefined
