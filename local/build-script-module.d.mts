export function buildScriptModule(): Promise<{ wasm: Buffer } | { missing: string }>
export function sha256(bytes: Uint8Array): string
