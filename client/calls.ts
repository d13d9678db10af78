// Made from the OpenAPI document by local/api-calls.ts: `npm run build:client` writes it, test/client/calls.test.ts says when it is stale.
// A call is named as the reference names it. `answer` is that of a success; calls that answer something else than JSON have none.

export interface Calls {
  /** What came to and went from the balance of your account, newest first */
  'GET /api/accounts/me/ledger': {
    query?: { limit?: number | undefined; cursor?: string | undefined }
    answer: {
      items: {
        id: string
        at: string
        kind: 'mint' | 'escrow' | 'award' | 'refund'
        credits: number
        balanceAfter: number
        bountyId: string | null
        reason: string | null
      }[]
      nextCursor: string | null
    }
  }
  /** What your account ran and spent, by day (UTC), newest first; days without anything are left out */
  'GET /api/accounts/me/usage': {
    query?: { days?: number | undefined }
    answer: {
      items: {
        day: string
        executions: number
        fuel: number
        wallMicros: number
        costMicroUsd: number
        creditsIn: number
        creditsOut: number
      }[]
    }
  }
  /** The account that the key speaks for, with its balance and quotas */
  'GET /api/accounts/me': {
    answer: {
      id: string
      name: string
      createdAt: string
      balanceCredits: number
      quotas: {
        agents: { used: number; max: number }
        openBounties: { used: number; max: number }
        executionsWaiting: { used: number; max: number }
        keys: { used: number; max: number }
        webhooks: { used: number; max: number }
      }
    }
  }
  /** Mint credits into an account */
  'POST /api/accounts/{id}/credits': {
    params: { id: string }
    body: { credits: number; reason?: string | undefined }
    answer: { id: string; accountId: string; credits: number; balanceCredits: number; at: string }
  }
  /** Open an account; its key is shown in this answer and never again */
  'POST /api/accounts': {
    body: { name: string; rateLimited?: boolean | undefined }
    answer: { id: string; name: string; createdAt: string; balanceCredits: number; key: string }
  }
  /** One step of the clean-up of storage: deletes what is kept no longer, or tells what it would delete */
  'POST /api/admin/sweeps': {
    body: { dryRun?: boolean | undefined; cursor?: string | undefined }
    answer: {
      phase: 'executions' | 'programs' | 'artifacts' | 'bundles'
      dryRun: boolean
      looked: number
      deleted: number
      bytes: number
      examples: string[]
      nextCursor: string | null
    }
  }
  /** Run an agent; whatever the program does is a 200 with its own status. With `Prefer: respond-async` nobody waits: a 202 */
  'POST /api/agents/{id}/executions': {
    params: { id: string }
    body: {
      input: unknown
      tier?: 'basic' | 'standard' | 'premium' | 'enterprise' | undefined
      seed?: number | undefined
      startTime?: string | undefined
      version?: number | undefined
    }
    answer:
      | {
          id: string
          agentId: string
          version: number
          tier: 'basic' | 'standard' | 'premium' | 'enterprise'
          seed: number
          startTime: string
          status:
            | 'queued'
            | 'running'
            | 'completed'
            | 'threw'
            | 'trapped'
            | 'out-of-fuel'
            | 'deadline'
            | 'memory-limit'
            | 'output-limit'
            | 'invalid-program'
            | 'cancelled'
            | 'failed'
          output?: unknown
          error?: { name?: string | undefined; message: string; stack?: string | undefined; exitCode?: number | undefined } | undefined
          logs: { stdout: string; stderr: string; truncated: boolean }
          artifacts: { name: string; bytes: number; sha256: string }[]
          usage: { fuel: number | null; wallMicros: number; memoryBytesPeak: number; costMicroUsd?: number | null | undefined }
          engine: string
          scriptMode: 'interpreted' | 'compiled' | null
          finishedAt: string
          receipt?:
            | {
                statement: {
                  type: 'execution'
                  receiptVersion: 1
                  executionId: string
                  program: { kind: 'script' | 'command' | 'component'; sha256: string; scriptMode?: 'interpreted' | 'compiled' | undefined }
                  inputSha256: string
                  args: string[]
                  tier: 'basic' | 'standard' | 'premium' | 'enterprise'
                  seed: number
                  startTime: string
                  engine: string
                  status:
                    'completed' | 'threw' | 'trapped' | 'out-of-fuel' | 'deadline' | 'memory-limit' | 'output-limit' | 'invalid-program'
                  outputSha256: string | null
                  errorSha256: string | null
                  logsSha256: string
                  artifacts: { name: string; bytes: number; sha256: string }[]
                  fuel: number
                  memoryBytesPeak: number
                  finishedAt: string
                  keyId: string
                }
                signature: string
              }
            | null
            | undefined
        }
      | {
          id: string
          agentId: string
          version: number
          tier: 'basic' | 'standard' | 'premium' | 'enterprise'
          seed: number
          startTime: string
          status:
            | 'queued'
            | 'running'
            | 'completed'
            | 'threw'
            | 'trapped'
            | 'out-of-fuel'
            | 'deadline'
            | 'memory-limit'
            | 'output-limit'
            | 'invalid-program'
            | 'cancelled'
            | 'failed'
          output?: unknown
          error?: { name?: string | undefined; message: string; stack?: string | undefined; exitCode?: number | undefined } | undefined
          logs: { stdout: string; stderr: string; truncated: boolean }
          artifacts: { name: string; bytes: number; sha256: string }[]
          usage: { fuel: number | null; wallMicros: number; memoryBytesPeak: number; costMicroUsd?: number | null | undefined }
          engine: string | null
          scriptMode: 'interpreted' | 'compiled' | null
          finishedAt: string | null
          receipt?:
            | {
                statement: {
                  type: 'execution'
                  receiptVersion: 1
                  executionId: string
                  program: { kind: 'script' | 'command' | 'component'; sha256: string; scriptMode?: 'interpreted' | 'compiled' | undefined }
                  inputSha256: string
                  args: string[]
                  tier: 'basic' | 'standard' | 'premium' | 'enterprise'
                  seed: number
                  startTime: string
                  engine: string
                  status:
                    'completed' | 'threw' | 'trapped' | 'out-of-fuel' | 'deadline' | 'memory-limit' | 'output-limit' | 'invalid-program'
                  outputSha256: string | null
                  errorSha256: string | null
                  logsSha256: string
                  artifacts: { name: string; bytes: number; sha256: string }[]
                  fuel: number
                  memoryBytesPeak: number
                  finishedAt: string
                  keyId: string
                }
                signature: string
              }
            | null
            | undefined
          replayOf?: string | undefined
        }
  }
  /** A version of an agent of your own: how it runs, and what became of its functions where it was compiled */
  'GET /api/agents/{id}/versions/{version}': {
    params: { id: string; version: number }
    answer: {
      agentId: string
      version: number
      kind: 'script' | 'command' | 'component'
      sha256: string
      bytes: number
      scriptMode: 'interpreted' | 'compiled' | null
      functions: {
        compiled: number
        interpretedCount: number
        interpreted: { name: string; place: string | null; reason: string }[]
        reason: string | null
      } | null
      engine: string
      createdAt: string
    }
  }
  /** Deploy the next version of an agent */
  'POST /api/agents/{id}/versions': {
    params: { id: string }
    body: { source: string; scriptMode?: 'interpreted' | 'compiled' | undefined }
    answer: {
      id: string
      accountId: string
      name: string
      kind: 'script' | 'command' | 'component'
      version: number
      sha256: string
      bytes: number
      scriptMode: 'interpreted' | 'compiled' | null
      createdAt: string
      updatedAt: string
      functions: {
        compiled: number
        interpretedCount: number
        interpreted: { name: string; place: string | null; reason: string }[]
        reason: string | null
      } | null
    }
  }
  /** One agent; never its source */
  'GET /api/agents/{id}': {
    params: { id: string }
    answer: {
      id: string
      accountId: string
      name: string
      kind: 'script' | 'command' | 'component'
      version: number
      sha256: string
      bytes: number
      scriptMode: 'interpreted' | 'compiled' | null
      createdAt: string
      updatedAt: string
    }
  }
  /** Agents, newest first, never their source; a page may hold fewer than `limit`, the list ends where `nextCursor` is null */
  'GET /api/agents': {
    query?: {
      limit?: number | undefined
      cursor?: string | undefined
      kind?: 'script' | 'command' | 'component' | undefined
      owner?: string | undefined
      q?: string | undefined
    }
    answer: {
      items: {
        id: string
        accountId: string
        name: string
        kind: 'script' | 'command' | 'component'
        version: number
        sha256: string
        bytes: number
        scriptMode: 'interpreted' | 'compiled' | null
        createdAt: string
        updatedAt: string
      }[]
      nextCursor: string | null
    }
  }
  /** Deploy an agent; the program is compiled before the answer */
  'POST /api/agents': {
    body: { name: string; kind: 'script' | 'command' | 'component'; source: string; scriptMode?: 'interpreted' | 'compiled' | undefined }
    answer: {
      id: string
      accountId: string
      name: string
      kind: 'script' | 'command' | 'component'
      version: number
      sha256: string
      bytes: number
      scriptMode: 'interpreted' | 'compiled' | null
      createdAt: string
      updatedAt: string
      functions: {
        compiled: number
        interpretedCount: number
        interpreted: { name: string; place: string | null; reason: string }[]
        reason: string | null
      } | null
    }
  }
  /** Award a bounty of your own, of mode best, to a submission that was judged; its author gets the reward */
  'POST /api/bounties/{id}/award': {
    params: { id: string }
    body: { submissionId: string }
    answer: {
      id: string
      accountId: string
      title: string
      rewardCredits: number
      mode: 'first' | 'best'
      tier: 'basic' | 'standard' | 'premium' | 'enterprise'
      checker: { agentId: string; version: number } | null
      status: 'open' | 'awarded' | 'expired' | 'cancelled'
      caseCount: number
      deadline: string | null
      createdAt: string
      closedAt: string | null
      awardedSubmissionId: string | null
    }
  }
  /** Cancel an open bounty of your own before its deadline; the reward comes back. What is being judged ends without an award */
  'POST /api/bounties/{id}/cancel': {
    params: { id: string }
    answer: {
      id: string
      accountId: string
      title: string
      rewardCredits: number
      mode: 'first' | 'best'
      tier: 'basic' | 'standard' | 'premium' | 'enterprise'
      checker: { agentId: string; version: number } | null
      status: 'open' | 'awarded' | 'expired' | 'cancelled'
      caseCount: number
      deadline: string | null
      createdAt: string
      closedAt: string | null
      awardedSubmissionId: string | null
    }
  }
  /** Fix a case of an open bounty of your own. Verdicts stay as they are until submissions are judged again */
  'PATCH /api/bounties/{id}/cases/{caseId}': {
    params: { id: string; caseId: string }
    body: { input?: unknown; expected?: unknown }
    answer: { id: string; position: number; name: string | null; hidden: boolean; revision: number }
  }
  /** All cases of a bounty of your own by id, place and revision; what hidden ones hold is shown to nobody */
  'GET /api/bounties/{id}/cases': {
    params: { id: string }
    query?: { limit?: number | undefined; cursor?: string | undefined }
    answer: { items: { id: string; position: number; name: string | null; hidden: boolean; revision: number }[]; nextCursor: string | null }
  }
  /** Add cases to an open bounty of your own. Submissions are judged by those that there are when they are made, or judged again */
  'POST /api/bounties/{id}/cases': {
    params: { id: string }
    body: { cases: { name?: string | undefined; input: unknown; expected: unknown; hidden?: boolean | undefined }[] }
    answer: { items: { id: string; position: number; name: string | null; hidden: boolean; revision: number }[] }
  }
  /** Judge submissions to an open bounty of your own again, by the cases that they were not judged by as they are now. Ranks stay until each has finished */
  'POST /api/bounties/{id}/rejudge': {
    params: { id: string }
    answer: { bountyId: string; submissions: number }
  }
  /** Have an agent of your own judged by every case. A full pass wins a bounty of mode first */
  'POST /api/bounties/{id}/submissions': {
    params: { id: string }
    body: { agentId: string; version?: number | undefined; stopAtFirstFailure?: boolean | undefined }
    answer: {
      id: string
      bountyId: string
      agentId: string
      version: number
      accountId: string
      status: 'queued' | 'running' | 'accepted' | 'rejected' | 'failed'
      casesTotal: number
      casesPassed: number
      fuelTotal: number | null
      engine: string | null
      scriptMode: 'interpreted' | 'compiled' | null
      round: number
      failure: string | null
      replayOf: string | null
      createdAt: string
      finishedAt: string | null
      verdicts: {
        caseId: string
        status:
          | 'accepted'
          | 'wrong-answer'
          | 'checker-failed'
          | 'threw'
          | 'trapped'
          | 'out-of-fuel'
          | 'deadline'
          | 'memory-limit'
          | 'output-limit'
          | 'invalid-program'
        usage: { fuel: number | null; wallMicros: number; memoryBytesPeak: number }
        message?: string | undefined
      }[]
    }
  }
  /** One bounty with its public cases and the number of hidden ones */
  'GET /api/bounties/{id}': {
    params: { id: string }
    answer: {
      id: string
      accountId: string
      title: string
      rewardCredits: number
      mode: 'first' | 'best'
      tier: 'basic' | 'standard' | 'premium' | 'enterprise'
      checker: { agentId: string; version: number } | null
      status: 'open' | 'awarded' | 'expired' | 'cancelled'
      caseCount: number
      deadline: string | null
      createdAt: string
      closedAt: string | null
      awardedSubmissionId: string | null
      description: string
      cases: { id: string; position: number; name: string | null; input: unknown; expected: unknown }[]
      hiddenCaseCount: number
    }
  }
  /** Bounties, newest first; a page may hold fewer than `limit`, the list ends where `nextCursor` is null */
  'GET /api/bounties': {
    query?: {
      limit?: number | undefined
      cursor?: string | undefined
      status?: 'open' | 'awarded' | 'expired' | 'cancelled' | undefined
      mode?: 'first' | 'best' | undefined
      owner?: string | undefined
      q?: string | undefined
    }
    answer: {
      items: {
        id: string
        accountId: string
        title: string
        rewardCredits: number
        mode: 'first' | 'best'
        tier: 'basic' | 'standard' | 'premium' | 'enterprise'
        checker: { agentId: string; version: number } | null
        status: 'open' | 'awarded' | 'expired' | 'cancelled'
        caseCount: number
        deadline: string | null
        createdAt: string
        closedAt: string | null
        awardedSubmissionId: string | null
      }[]
      nextCursor: string | null
    }
  }
  /** Post a bounty; the reward moves from your balance into escrow */
  'POST /api/bounties': {
    body: {
      title: string
      description?: string | undefined
      rewardCredits: number
      mode?: 'first' | 'best' | undefined
      tier?: 'basic' | 'standard' | 'premium' | 'enterprise' | undefined
      checker?: { agentId: string; version?: number | undefined } | undefined
      cases: { name?: string | undefined; input: unknown; expected: unknown; hidden?: boolean | undefined }[]
      deadline?: string | undefined
    }
    answer: {
      id: string
      accountId: string
      title: string
      rewardCredits: number
      mode: 'first' | 'best'
      tier: 'basic' | 'standard' | 'premium' | 'enterprise'
      checker: { agentId: string; version: number } | null
      status: 'open' | 'awarded' | 'expired' | 'cancelled'
      caseCount: number
      deadline: string | null
      createdAt: string
      closedAt: string | null
      awardedSubmissionId: string | null
    }
  }
  /** Do the work of a dead letter anew: a failed execution runs again with the same input, a failed submission is submitted again (which takes the scope bounties, too). While its last replay is under way, or when that ended well, the answer names it and nothing is made */
  'POST /api/dead-letters/{id}/replay': {
    params: { id: string }
    answer: { id: string; kind: 'submission' | 'execution'; status: string; replayOf: string }
  }
  /** Delete a dead letter of your account; the work that failed stays */
  'DELETE /api/dead-letters/{id}': {
    params: { id: string }
    answer: undefined
  }
  /** A dead letter of your account, with every attempt */
  'GET /api/dead-letters/{id}': {
    params: { id: string }
    answer: {
      id: string
      kind: 'submission' | 'execution' | 'message'
      accountId: string | null
      submissionId: string | null
      executionId: string | null
      agentId: string | null
      version: number | null
      reason: string
      attempts: { beganAt: string; endedAt: string; host: string | null; end: string }[]
      message: {
        topic: string
        partition: number
        offset: number
        refusal: 'forged' | 'stale' | 'malformed' | 'too-large'
        bytes: number
        text: string
      } | null
      replayedAs: string | null
      createdAt: string
    }
  }
  /** Work of your account that was given up, newest first, for 30 days; for the administrator that of all, and refused messages */
  'GET /api/dead-letters': {
    query?: {
      limit?: number | undefined
      cursor?: string | undefined
      kind?: 'submission' | 'execution' | 'message' | undefined
      agent?: string | undefined
    }
    answer: {
      items: {
        id: string
        kind: 'submission' | 'execution' | 'message'
        accountId: string | null
        submissionId: string | null
        executionId: string | null
        agentId: string | null
        version: number | null
        reason: string
        attempts: { beganAt: string; endedAt: string; host: string | null; end: string }[]
        message: {
          topic: string
          partition: number
          offset: number
          refusal: 'forged' | 'stale' | 'malformed' | 'too-large'
          bytes: number
          text: string
        } | null
        replayedAs: string | null
        createdAt: string
      }[]
      nextCursor: string | null
    }
  }
  /** A URL at which anybody reads an artifact of more than 1 MiB for five minutes, from the bucket itself */
  'GET /api/executions/{id}/artifact-urls/{name}': {
    params: { id: string; name: string }
    answer: { url: string; expiresAt: string }
  }
  /** Bytes of an artifact, whole or one range of them */
  'GET /api/executions/{id}/artifacts/{name}': {
    params: { id: string; name: string }
  }
  /** Follow an execution of your own: finished */
  'GET /api/executions/{id}/events': {
    params: { id: string }
  }
  /** What the host states and signed about an execution of your own; bounty verify runs it again */
  'GET /api/executions/{id}/receipt': {
    params: { id: string }
    answer: {
      statement: {
        type: 'execution'
        receiptVersion: 1
        executionId: string
        program: { kind: 'script' | 'command' | 'component'; sha256: string; scriptMode?: 'interpreted' | 'compiled' | undefined }
        inputSha256: string
        args: string[]
        tier: 'basic' | 'standard' | 'premium' | 'enterprise'
        seed: number
        startTime: string
        engine: string
        status: 'completed' | 'threw' | 'trapped' | 'out-of-fuel' | 'deadline' | 'memory-limit' | 'output-limit' | 'invalid-program'
        outputSha256: string | null
        errorSha256: string | null
        logsSha256: string
        artifacts: { name: string; bytes: number; sha256: string }[]
        fuel: number
        memoryBytesPeak: number
        finishedAt: string
        keyId: string
      }
      signature: string
    }
  }
  /** Cancel an asynchronous execution of your own that has not ended: at once, and for good */
  'DELETE /api/executions/{id}': {
    params: { id: string }
    answer: {
      id: string
      agentId: string
      version: number
      tier: 'basic' | 'standard' | 'premium' | 'enterprise'
      seed: number
      startTime: string
      status:
        | 'queued'
        | 'running'
        | 'completed'
        | 'threw'
        | 'trapped'
        | 'out-of-fuel'
        | 'deadline'
        | 'memory-limit'
        | 'output-limit'
        | 'invalid-program'
        | 'cancelled'
        | 'failed'
      output?: unknown
      error?: { name?: string | undefined; message: string; stack?: string | undefined; exitCode?: number | undefined } | undefined
      logs: { stdout: string; stderr: string; truncated: boolean }
      artifacts: { name: string; bytes: number; sha256: string }[]
      usage: { fuel: number | null; wallMicros: number; memoryBytesPeak: number; costMicroUsd?: number | null | undefined }
      engine: string | null
      scriptMode: 'interpreted' | 'compiled' | null
      finishedAt: string | null
      receipt?:
        | {
            statement: {
              type: 'execution'
              receiptVersion: 1
              executionId: string
              program: { kind: 'script' | 'command' | 'component'; sha256: string; scriptMode?: 'interpreted' | 'compiled' | undefined }
              inputSha256: string
              args: string[]
              tier: 'basic' | 'standard' | 'premium' | 'enterprise'
              seed: number
              startTime: string
              engine: string
              status: 'completed' | 'threw' | 'trapped' | 'out-of-fuel' | 'deadline' | 'memory-limit' | 'output-limit' | 'invalid-program'
              outputSha256: string | null
              errorSha256: string | null
              logsSha256: string
              artifacts: { name: string; bytes: number; sha256: string }[]
              fuel: number
              memoryBytesPeak: number
              finishedAt: string
              keyId: string
            }
            signature: string
          }
        | null
        | undefined
      replayOf?: string | undefined
    }
  }
  /** An execution of your own, and its outcome when it has ended; found at once by whoever just ran it */
  'GET /api/executions/{id}': {
    params: { id: string }
    answer: {
      id: string
      agentId: string
      version: number
      tier: 'basic' | 'standard' | 'premium' | 'enterprise'
      seed: number
      startTime: string
      status:
        | 'queued'
        | 'running'
        | 'completed'
        | 'threw'
        | 'trapped'
        | 'out-of-fuel'
        | 'deadline'
        | 'memory-limit'
        | 'output-limit'
        | 'invalid-program'
        | 'cancelled'
        | 'failed'
      output?: unknown
      error?: { name?: string | undefined; message: string; stack?: string | undefined; exitCode?: number | undefined } | undefined
      logs: { stdout: string; stderr: string; truncated: boolean }
      artifacts: { name: string; bytes: number; sha256: string }[]
      usage: { fuel: number | null; wallMicros: number; memoryBytesPeak: number; costMicroUsd?: number | null | undefined }
      engine: string | null
      scriptMode: 'interpreted' | 'compiled' | null
      finishedAt: string | null
      receipt?:
        | {
            statement: {
              type: 'execution'
              receiptVersion: 1
              executionId: string
              program: { kind: 'script' | 'command' | 'component'; sha256: string; scriptMode?: 'interpreted' | 'compiled' | undefined }
              inputSha256: string
              args: string[]
              tier: 'basic' | 'standard' | 'premium' | 'enterprise'
              seed: number
              startTime: string
              engine: string
              status: 'completed' | 'threw' | 'trapped' | 'out-of-fuel' | 'deadline' | 'memory-limit' | 'output-limit' | 'invalid-program'
              outputSha256: string | null
              errorSha256: string | null
              logsSha256: string
              artifacts: { name: string; bytes: number; sha256: string }[]
              fuel: number
              memoryBytesPeak: number
              finishedAt: string
              keyId: string
            }
            signature: string
          }
        | null
        | undefined
      replayOf?: string | undefined
    }
  }
  /** Executions of your own, newest first: asynchronous ones at once, others once they are recorded (seconds); a page may hold fewer than `limit` */
  'GET /api/executions': {
    query?: {
      limit?: number | undefined
      cursor?: string | undefined
      agent?: string | undefined
      status?:
        | 'queued'
        | 'running'
        | 'completed'
        | 'threw'
        | 'trapped'
        | 'out-of-fuel'
        | 'deadline'
        | 'memory-limit'
        | 'output-limit'
        | 'invalid-program'
        | 'cancelled'
        | 'failed'
        | undefined
    }
    answer: {
      items: {
        id: string
        agentId: string
        version: number
        status:
          | 'queued'
          | 'running'
          | 'completed'
          | 'threw'
          | 'trapped'
          | 'out-of-fuel'
          | 'deadline'
          | 'memory-limit'
          | 'output-limit'
          | 'invalid-program'
          | 'cancelled'
          | 'failed'
        fuel: number | null
        costMicroUsd: number | null
        finishedAt: string | null
      }[]
      nextCursor: string | null
    }
  }
  /** Whether the Worker runs; asks nobody */
  'GET /api/health': {
    answer: { status: 'ok' }
  }
  /** Delete a key of your account, or, as the administrator, of any; it works nowhere any more within a minute */
  'DELETE /api/keys/{id}': {
    params: { id: string }
    answer: undefined
  }
  /** The keys of your account, newest first; never the secrets */
  'GET /api/keys': {
    query?: { limit?: number | undefined; cursor?: string | undefined }
    answer: {
      items: {
        id: string
        name: string
        scopes: ('read' | 'run' | 'deploy' | 'bounties' | 'keys' | 'webhooks')[]
        createdAt: string
        expiresAt: string | null
      }[]
      nextCursor: string | null
    }
  }
  /** Make a key for your account, at most 20; it is shown in this answer and never again */
  'POST /api/keys': {
    body: {
      name: string
      scopes?: ('read' | 'run' | 'deploy' | 'bounties' | 'keys' | 'webhooks')[] | undefined
      expiresAt?: string | undefined
    }
    answer: {
      id: string
      name: string
      scopes: ('read' | 'run' | 'deploy' | 'bounties' | 'keys' | 'webhooks')[]
      createdAt: string
      expiresAt: string | null
      key: string
    }
  }
  /** Per bounty: cases passed, then least fuel within one engine and mode, then earliest. Global: credits won, bounties won, cases passed */
  'GET /api/leaderboard': {
    query?: { limit?: number | undefined; cursor?: string | undefined; bounty?: string | undefined }
    answer:
      | {
          items: {
            rank: number
            agentId: string
            agentName: string
            accountId: string
            accountName: string
            submissionId: string
            casesPassed: number
            casesTotal: number
            fuelTotal: number | null
            engine: string | null
            enginePlace: number
            scriptMode: 'interpreted' | 'compiled' | null
            finishedAt: string
          }[]
          nextCursor: string | null
        }
      | {
          items: { rank: number; accountId: string; accountName: string; creditsWon: number; bountiesWon: number; casesPassed: number }[]
          nextCursor: string | null
        }
  }
  /** Prometheus text: the host, the database, and the isolate that answers */
  'GET /api/metrics': {}
  /** This description of the API */
  'GET /api/openapi.json': {
    answer: {}
  }
  /** Whether every part that the Worker needs answers; asked at most once a second */
  'GET /api/ready': {
    answer: {
      status: 'ready' | 'unavailable'
      checks: {
        database: { ok: boolean; ageMs: number; error?: string | undefined }
        cache: { ok: boolean; ageMs: number; error?: string | undefined }
        eventLog: { ok: boolean; ageMs: number; error?: string | undefined }
        artifacts: { ok: boolean; ageMs: number; error?: string | undefined }
        sandbox: { ok: boolean; ageMs: number; error?: string | undefined }
      }
    }
  }
  /** Public keys of the hosts that sign receipts, newest first */
  'GET /api/receipt-keys': {
    answer: { items: { id: string; publicKey: string; host: string; registeredAt: string }[] }
  }
  /** Follow a submission of your own: verdict (of public cases), progress (of all, in numbers), at last finished */
  'GET /api/submissions/{id}/events': {
    params: { id: string }
  }
  /** What the host signed about a submission of your own; hidden cases are opened when the bounty is closed */
  'GET /api/submissions/{id}/receipt': {
    params: { id: string }
    answer: {
      submissionId: string
      casesTotal: number
      parts: {
        statement:
          | {
              type: 'judgement'
              submissionId: string
              program: { kind: 'script' | 'command' | 'component'; sha256: string; scriptMode?: 'interpreted' | 'compiled' | undefined }
              tier: 'basic' | 'standard' | 'premium' | 'enterprise'
              seed: number
              startTime: string
              engine: string
              casesPassed: number
              entries: { caseId: string; commitment: string }[]
              finishedAt: string
              keyId: string
              receiptVersion: 1
            }
          | {
              type: 'judgement'
              submissionId: string
              program: { kind: 'script' | 'command' | 'component'; sha256: string; scriptMode?: 'interpreted' | 'compiled' | undefined }
              tier: 'basic' | 'standard' | 'premium' | 'enterprise'
              seed: number
              startTime: string
              engine: string
              casesPassed: number
              entries: { caseId: string; commitment: string }[]
              finishedAt: string
              keyId: string
              receiptVersion: 2
              checker: {
                kind: 'script' | 'command' | 'component'
                sha256: string
                scriptMode?: 'interpreted' | 'compiled' | undefined
              } | null
            }
        signature: string
      }[]
      openings: {
        caseId: string
        salt: string
        inputSha256: string
        expectedSha256: string
        outputSha256: string | null
        status: string
        fuel: number
      }[]
      unstated: string[]
    }
  }
  /** A submission of your own, with the verdicts of public cases */
  'GET /api/submissions/{id}': {
    params: { id: string }
    answer: {
      id: string
      bountyId: string
      agentId: string
      version: number
      accountId: string
      status: 'queued' | 'running' | 'accepted' | 'rejected' | 'failed'
      casesTotal: number
      casesPassed: number
      fuelTotal: number | null
      engine: string | null
      scriptMode: 'interpreted' | 'compiled' | null
      round: number
      failure: string | null
      replayOf: string | null
      createdAt: string
      finishedAt: string | null
      verdicts: {
        caseId: string
        status:
          | 'accepted'
          | 'wrong-answer'
          | 'checker-failed'
          | 'threw'
          | 'trapped'
          | 'out-of-fuel'
          | 'deadline'
          | 'memory-limit'
          | 'output-limit'
          | 'invalid-program'
        usage: { fuel: number | null; wallMicros: number; memoryBytesPeak: number }
        message?: string | undefined
      }[]
    }
  }
  /** Submissions of your own, newest first, without verdicts; a page may hold fewer than `limit` */
  'GET /api/submissions': {
    query?: {
      limit?: number | undefined
      cursor?: string | undefined
      bounty?: string | undefined
      status?: 'queued' | 'running' | 'accepted' | 'rejected' | 'failed' | undefined
    }
    answer: {
      items: {
        id: string
        bountyId: string
        agentId: string
        version: number
        accountId: string
        status: 'queued' | 'running' | 'accepted' | 'rejected' | 'failed'
        casesTotal: number
        casesPassed: number
        fuelTotal: number | null
        engine: string | null
        scriptMode: 'interpreted' | 'compiled' | null
        round: number
        failure: string | null
        replayOf: string | null
        createdAt: string
        finishedAt: string | null
      }[]
      nextCursor: string | null
    }
  }
  /** Send a delivery again, at once, under the same event id; one that is being sent stays as it is */
  'POST /api/webhooks/{id}/deliveries/{deliveryId}/redeliver': {
    params: { id: string; deliveryId: string }
    answer: {
      id: string
      webhookId: string
      eventId: string
      event:
        | {
            type: 'submission.finished'
            timestamp: string
            data: {
              submissionId: string
              bountyId: string
              agentId: string
              version: number
              round: number
              status: 'accepted' | 'rejected' | 'failed'
              casesTotal: number
              casesPassed: number
            }
          }
        | {
            type: 'execution.finished'
            timestamp: string
            data: {
              executionId: string
              agentId: string
              version: number
              status:
                | 'completed'
                | 'threw'
                | 'trapped'
                | 'out-of-fuel'
                | 'deadline'
                | 'memory-limit'
                | 'output-limit'
                | 'invalid-program'
                | 'cancelled'
                | 'failed'
            }
          }
        | {
            type: 'bounty.awarded'
            timestamp: string
            data: { bountyId: string; status: 'awarded'; rewardCredits: number; submissionId: string }
          }
        | { type: 'bounty.expired'; timestamp: string; data: { bountyId: string; rewardCredits: number; status: 'expired' } }
        | { type: 'bounty.cancelled'; timestamp: string; data: { bountyId: string; rewardCredits: number; status: 'cancelled' } }
        | { type: 'webhook.ping'; timestamp: string; data: { webhookId: string } }
      status: 'pending' | 'delivered' | 'failed'
      attempts: number
      lastAttemptAt: string | null
      lastAnswerStatus: number | null
      lastError: string | null
      nextAttemptAt: string | null
      createdAt: string
    }
  }
  /** What was sent to a webhook of your account within 30 days, or is to be, newest first */
  'GET /api/webhooks/{id}/deliveries': {
    params: { id: string }
    query?: { limit?: number | undefined; cursor?: string | undefined }
    answer: {
      items: {
        id: string
        webhookId: string
        eventId: string
        event:
          | {
              type: 'submission.finished'
              timestamp: string
              data: {
                submissionId: string
                bountyId: string
                agentId: string
                version: number
                round: number
                status: 'accepted' | 'rejected' | 'failed'
                casesTotal: number
                casesPassed: number
              }
            }
          | {
              type: 'execution.finished'
              timestamp: string
              data: {
                executionId: string
                agentId: string
                version: number
                status:
                  | 'completed'
                  | 'threw'
                  | 'trapped'
                  | 'out-of-fuel'
                  | 'deadline'
                  | 'memory-limit'
                  | 'output-limit'
                  | 'invalid-program'
                  | 'cancelled'
                  | 'failed'
              }
            }
          | {
              type: 'bounty.awarded'
              timestamp: string
              data: { bountyId: string; status: 'awarded'; rewardCredits: number; submissionId: string }
            }
          | { type: 'bounty.expired'; timestamp: string; data: { bountyId: string; rewardCredits: number; status: 'expired' } }
          | { type: 'bounty.cancelled'; timestamp: string; data: { bountyId: string; rewardCredits: number; status: 'cancelled' } }
          | { type: 'webhook.ping'; timestamp: string; data: { webhookId: string } }
        status: 'pending' | 'delivered' | 'failed'
        attempts: number
        lastAttemptAt: string | null
        lastAnswerStatus: number | null
        lastError: string | null
        nextAttemptAt: string | null
        createdAt: string
      }[]
      nextCursor: string | null
    }
  }
  /** Send the event webhook.ping to a webhook of your account, to try it out */
  'POST /api/webhooks/{id}/ping': {
    params: { id: string }
    answer: {
      id: string
      webhookId: string
      eventId: string
      event:
        | {
            type: 'submission.finished'
            timestamp: string
            data: {
              submissionId: string
              bountyId: string
              agentId: string
              version: number
              round: number
              status: 'accepted' | 'rejected' | 'failed'
              casesTotal: number
              casesPassed: number
            }
          }
        | {
            type: 'execution.finished'
            timestamp: string
            data: {
              executionId: string
              agentId: string
              version: number
              status:
                | 'completed'
                | 'threw'
                | 'trapped'
                | 'out-of-fuel'
                | 'deadline'
                | 'memory-limit'
                | 'output-limit'
                | 'invalid-program'
                | 'cancelled'
                | 'failed'
            }
          }
        | {
            type: 'bounty.awarded'
            timestamp: string
            data: { bountyId: string; status: 'awarded'; rewardCredits: number; submissionId: string }
          }
        | { type: 'bounty.expired'; timestamp: string; data: { bountyId: string; rewardCredits: number; status: 'expired' } }
        | { type: 'bounty.cancelled'; timestamp: string; data: { bountyId: string; rewardCredits: number; status: 'cancelled' } }
        | { type: 'webhook.ping'; timestamp: string; data: { webhookId: string } }
      status: 'pending' | 'delivered' | 'failed'
      attempts: number
      lastAttemptAt: string | null
      lastAnswerStatus: number | null
      lastError: string | null
      nextAttemptAt: string | null
      createdAt: string
    }
  }
  /** Delete a webhook of your account with its deliveries; what is being sent at this moment may still arrive */
  'DELETE /api/webhooks/{id}': {
    params: { id: string }
    answer: undefined
  }
  /** A webhook of your account */
  'GET /api/webhooks/{id}': {
    params: { id: string }
    answer: {
      id: string
      url: string
      events: ('submission.finished' | 'execution.finished' | 'bounty.awarded' | 'bounty.expired' | 'bounty.cancelled')[]
      createdAt: string
    }
  }
  /** The webhooks of your account, newest first; never the secrets */
  'GET /api/webhooks': {
    query?: { limit?: number | undefined; cursor?: string | undefined }
    answer: {
      items: {
        id: string
        url: string
        events: ('submission.finished' | 'execution.finished' | 'bounty.awarded' | 'bounty.expired' | 'bounty.cancelled')[]
        createdAt: string
      }[]
      nextCursor: string | null
    }
  }
  /** Be told of events at an address of yours, at most 20 webhooks; the secret is in this answer and never again */
  'POST /api/webhooks': {
    body: {
      url: string
      events?: ('submission.finished' | 'execution.finished' | 'bounty.awarded' | 'bounty.expired' | 'bounty.cancelled')[] | undefined
    }
    answer: {
      id: string
      url: string
      events: ('submission.finished' | 'execution.finished' | 'bounty.awarded' | 'bounty.expired' | 'bounty.cancelled')[]
      createdAt: string
      secret: string
    }
  }
}
