// After a write that may have closed a bounty or moved its leaderboard: whatever public read says how it stands is forgotten.
import type { Services } from '../services.ts'

export async function forgetBounty({ reads }: Services, bountyId: string): Promise<void> {
  await reads.forget('bounties', `bounty:${bountyId}`, `leaderboard:${bountyId}`, 'leaderboard')
}
