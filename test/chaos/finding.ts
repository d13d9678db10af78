// Something that is not as it was promised. `lost`: acknowledged and not there; `doubled`: one request with two effects; `stuck`: begun and
// not ended; `wrong`: there, but other than it was told, or money that does not add up.
export const findingKinds = ['lost', 'doubled', 'stuck', 'wrong'] as const
export type FindingKind = (typeof findingKinds)[number]

export type Finding = { kind: FindingKind; what: string; ids: string[] }
