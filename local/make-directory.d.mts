export function makeDirectory(path: string): void
