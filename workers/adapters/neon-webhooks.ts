// Webhooks, events and deliveries in Postgres. Events of bounties and submissions are written by triggers (migrations/0008-webhooks.sql).
import { z } from 'zod'
import { eventTypeSchema, webhookEventSchema } from '../../shared/events.ts'
import type { WebhookStore } from '../../shared/webhook-ports.ts'
import { deliveryStatusSchema, sendingPerWebhookMax, webhooksPerAccountMax } from '../../shared/webhook.ts'
import { behindAll, keysetPage, ownFilters } from './keyset-page.ts'
import type { Database } from './neon.ts'
import { ignoredRowSchema, instantSchema } from './neon-rows.ts'

const webhookColumns = 'id, url, to_json(events) as events, created_at'

const webhookRowSchema = z
  .object({ id: z.string(), url: z.string(), events: z.array(eventTypeSchema), created_at: instantSchema })
  .transform(({ created_at, ...rest }) => ({ ...rest, createdAt: created_at }))

const deliveryColumns = `d.id, d.webhook_id, d.event_id, e.body, d.status, d.attempts, d.last_attempt_at, d.last_answer_status,
  d.last_error, d.due_at, d.created_at`

const deliveryRowSchema = z
  .object({
    id: z.string(),
    webhook_id: z.string(),
    event_id: z.string(),
    body: webhookEventSchema,
    status: deliveryStatusSchema,
    attempts: z.number(),
    last_attempt_at: instantSchema.nullable(),
    last_answer_status: z.number().nullable(),
    last_error: z.string().nullable(),
    due_at: instantSchema.nullable(),
    created_at: instantSchema,
  })
  .transform((row) => ({
    id: row.id,
    webhookId: row.webhook_id,
    eventId: row.event_id,
    event: row.body,
    status: row.status,
    attempts: row.attempts,
    lastAttemptAt: row.last_attempt_at,
    lastAnswerStatus: row.last_answer_status,
    lastError: row.last_error,
    nextAttemptAt: row.due_at,
    createdAt: row.created_at,
  }))

const claimedRowSchema = z
  .object({
    id: z.string(),
    webhook_id: z.string(),
    event_id: z.string(),
    attempts: z.number(),
    url: z.string(),
    sealed_secret: z.string(),
    text: z.string(),
  })
  .transform(({ webhook_id, event_id, sealed_secret, text, ...rest }) => ({
    ...rest,
    webhookId: webhook_id,
    eventId: event_id,
    sealedSecret: sealed_secret,
    body: text,
  }))

/**
 * Webhooks that deliveries are pending for are found one by one in the index, however many deliveries there are, and the first due delivery of
 * each is a candidate. Two claims at once pass over each other's rows, so several candidates are looked at.
 */
const claimText = `
  with recursive waiting (webhook_id) as (
    (select webhook_id from webhook_deliveries where due_at is not null order by webhook_id limit 1)
    union all
    select (select d.webhook_id from webhook_deliveries d where d.due_at is not null and d.webhook_id > w.webhook_id
      order by d.webhook_id limit 1)
    from waiting w where w.webhook_id is not null
  ), candidates as (
    select next.id from waiting w
    cross join lateral (
      select id, attempts, due_at from webhook_deliveries d
      where d.webhook_id = w.webhook_id and d.due_at <= $1::timestamptz order by due_at limit 2
    ) next
    where (
      select count(*) from webhook_deliveries d
      where d.webhook_id = w.webhook_id and d.due_at > $1::timestamptz and d.claim is not null
    ) < ${sendingPerWebhookMax}
    order by next.attempts, next.due_at limit 16
  ), claimed as (
    update webhook_deliveries set claim = $2, attempts = attempts + 1, last_attempt_at = $1::timestamptz,
      due_at = $1::timestamptz + $3::integer * interval '1 millisecond'
    where id = (
      select d.id from webhook_deliveries d where d.id in (select id from candidates) and d.due_at <= $1::timestamptz
      order by d.attempts, d.due_at limit 1 for update skip locked
    )
    returning *
  )
  select c.id, c.webhook_id, c.event_id, c.attempts, w.url, w.sealed_secret, e.body::text as text
  from claimed c join webhooks w on w.id = c.webhook_id join webhook_events e on e.id = c.event_id`

export function neonWebhookStore(database: Database): WebhookStore {
  return {
    async create(accountId, { id, url, sealedSecret, events, createdAt }) {
      await database.transaction([
        // Webhooks of one account are made one after the other, or two at once could both find the last place.
        { text: 'select 1 from accounts where id = $1 for update', parameters: [accountId] },
        {
          text: `insert into webhooks (id, account_id, url, sealed_secret, events, created_at)
            select $1, $2, $3, $4, array(select json_array_elements_text($5::json)), $6::timestamptz
            where (select count(*) from webhooks where account_id = $2) < ${webhooksPerAccountMax}`,
          parameters: [id, accountId, url, sealedSecret, JSON.stringify(events), createdAt],
        },
      ])
      const made = await database.query(ignoredRowSchema, { text: 'select 1 from webhooks where id = $1', parameters: [id] })
      return made.length > 0
    },

    async find(id, accountId) {
      const [row] = await database.query(webhookRowSchema, {
        text: `select ${webhookColumns} from webhooks where id = $1 and account_id = $2`,
        parameters: [id, accountId],
      })
      return row
    },

    async list(accountId, { limit, after }) {
      const filters = ownFilters('webhooks', accountId, {})
      return (await keysetPage(database, { row: webhookRowSchema, table: 'webhooks', columns: webhookColumns, filters, limit, after }))
        .items
    },

    async remove(id, accountId) {
      const removed = await database.query(ignoredRowSchema, {
        text: 'delete from webhooks where id = $1 and account_id = $2 returning id',
        parameters: [id, accountId],
      })
      return removed.length > 0
    },

    async ping(webhookId, { accountId, eventId, deliveryId, at }) {
      await database.query(ignoredRowSchema, {
        text: `with heard as (
            select id from webhooks where id = $1 and account_id = $2 for key share
          ), emitted as (
            insert into webhook_events (id, body, created_at)
            select $3, json_build_object('type', 'webhook.ping', 'timestamp', json_instant($5::timestamptz),
              'data', json_build_object('webhookId', id)), $5::timestamptz
            from heard on conflict (id) do nothing returning id
          )
          insert into webhook_deliveries (id, webhook_id, event_id, due_at, created_at)
          select $4, heard.id, emitted.id, $5::timestamptz, $5::timestamptz from heard, emitted`,
        parameters: [webhookId, accountId, eventId, deliveryId, at],
      })
      const [row] = await database.query(deliveryRowSchema, {
        text: `select ${deliveryColumns} from webhook_deliveries d join webhook_events e on e.id = d.event_id
          where d.id = $1 and d.webhook_id = $2`,
        parameters: [deliveryId, webhookId],
      })
      return row
    },

    async deliveries(webhookId, { limit, after = behindAll }) {
      return database.query(deliveryRowSchema, {
        text: `select ${deliveryColumns} from webhook_deliveries d join webhook_events e on e.id = d.event_id
          where (d.webhook_id, d.id) < ($1, $3) and d.webhook_id >= $1 order by d.webhook_id desc, d.id desc limit $2`,
        parameters: [webhookId, limit, after],
      })
    },

    async redeliver(id, { webhookId, accountId, at }) {
      await database.query(ignoredRowSchema, {
        text: `update webhook_deliveries d set status = 'pending', due_at = $4::timestamptz, claim = null,
            attempts = case when d.status = 'pending' then d.attempts else 0 end
          from webhooks w
          where d.id = $1 and d.webhook_id = $2 and w.id = d.webhook_id and w.account_id = $3
            and (d.claim is null or d.due_at <= $4::timestamptz)`,
        parameters: [id, webhookId, accountId, at],
      })
      const [row] = await database.query(deliveryRowSchema, {
        text: `select ${deliveryColumns} from webhook_deliveries d join webhook_events e on e.id = d.event_id
          join webhooks w on w.id = d.webhook_id where d.id = $1 and d.webhook_id = $2 and w.account_id = $3`,
        parameters: [id, webhookId, accountId],
      })
      return row
    },

    async claimDelivery({ claim, at, leaseMs }) {
      const [row] = await database.query(claimedRowSchema, { text: claimText, parameters: [at, claim, leaseMs] })
      return row
    },

    async endAttempt({ id, claim }, { status, dueAt, answerStatus, error }) {
      await database.query(ignoredRowSchema, {
        text: `update webhook_deliveries set status = $3, due_at = $4::timestamptz, claim = null, last_answer_status = $5::integer, last_error = $6
          where id = $1 and claim = $2`,
        parameters: [id, claim, status, dueAt === null ? null : new Date(dueAt).toISOString(), answerStatus, error],
      })
    },

    async forgetOld({ before, limit }) {
      const forgotten = await database.query(ignoredRowSchema, {
        text: `delete from webhook_events where id in (
            select id from webhook_events where created_at < $1::timestamptz order by created_at limit $2
          ) returning id`,
        parameters: [before, limit],
      })
      return forgotten.length
    },
  }
}
