-- Webhooks: a change that accounts want to be told of writes an event and its deliveries in its own transaction, so neither is there without
-- the other, whatever dies. Sending them is a matter of the rows below alone.
--
--   submission ends ─┬─▶ event, if anyone hears ─┬─▶ delivery ─▶ sent until it is answered or given up
--   bounty closes ───┘                           └─▶ delivery
--
-- Locks: after those of 0005-ledger.sql. Whoever holds a webhook waits for no account, bounty or submission.

create table webhooks (
  id text collate "C" primary key check (starts_with(id, 'whk_')),
  account_id text collate "C" not null references accounts (id),
  url text not null,
  -- Encrypted by the Worker, for this row alone (workers/sealed-secret.ts).
  sealed_secret text not null,
  events text[] not null check (cardinality(events) > 0),
  created_at timestamptz(3) not null
);
create index webhooks_by_account on webhooks (account_id, id desc);

-- json, not jsonb: the bytes that were written are the bytes that are signed and sent.
create table webhook_events (
  id text collate "C" primary key check (starts_with(id, 'evt_')),
  body json not null,
  created_at timestamptz(3) not null
);
create index webhook_events_by_age on webhook_events (created_at);

-- `due_at`: when it is to be sent next; null when never. While `claim` is set somebody is sending it, and who that is has until `due_at`.
create table webhook_deliveries (
  id text collate "C" primary key check (starts_with(id, 'dlv_')),
  webhook_id text collate "C" not null references webhooks (id) on delete cascade,
  event_id text collate "C" not null references webhook_events (id) on delete cascade,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0,
  due_at timestamptz(3),
  claim text,
  last_attempt_at timestamptz(3),
  last_answer_status integer,
  last_error text,
  created_at timestamptz(3) not null,
  unique (event_id, webhook_id),
  check ((status = 'pending') = (due_at is not null)),
  check (claim is null or status = 'pending')
);
create index webhook_deliveries_by_webhook on webhook_deliveries (webhook_id, id desc);
create index webhook_deliveries_due on webhook_deliveries (webhook_id, due_at) where due_at is not null;
create index webhook_deliveries_being_sent on webhook_deliveries (webhook_id, due_at) where claim is not null;

-- As shared/ids.ts makes them: 48 bits of time, 80 random ones.
create function sortable_id(prefix text, at timestamptz) returns text language sql volatile as $$
  select prefix || substr(ledger_transfer_id(at), 4)
$$;

-- As JSON has instants everywhere else.
create function json_instant(at timestamptz) returns text language sql immutable as $$
  select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- A webhook that is being deleted hears nothing any more: the lock waits for that, or holds it up, so that no delivery is left over and no
-- change fails for want of a webhook.
create function webhook_emit(type text, at timestamptz, data json, to_accounts text[]) returns void language sql as $$
  with hearing as materialized (
    select id from webhooks where account_id = any(to_accounts) and type = any(events) order by id for key share
  ), emitted as (
    insert into webhook_events (id, body, created_at)
    select sortable_id('evt', at), json_build_object('type', type, 'timestamp', json_instant(at), 'data', data), at
    where exists (select from hearing)
    returning id
  )
  insert into webhook_deliveries (id, webhook_id, event_id, due_at, created_at)
  select sortable_id('dlv', at), hearing.id, emitted.id, at, at from hearing, emitted
$$;

create function submission_emit_finished() returns trigger language plpgsql as $$
begin
  perform webhook_emit('submission.finished', new.finished_at,
    json_build_object('submissionId', new.id, 'bountyId', new.bounty_id, 'agentId', new.agent_id, 'version', new.version,
      'status', new.status, 'casesTotal', new.cases_total, 'casesPassed', new.cases_passed),
    array[new.account_id, (select account_id from bounties where id = new.bounty_id)]);
  return null;
end $$;
create trigger submissions_emit_finished after update on submissions
  for each row when (old.finished_at is null and new.finished_at is not null) execute function submission_emit_finished();

create function bounty_emit_closed() returns trigger language plpgsql as $$
declare
  winner text;
begin
  if new.status = 'awarded' then
    select account_id into strict winner from submissions where id = new.awarded_submission_id;
    perform webhook_emit('bounty.awarded', new.closed_at,
      json_build_object('bountyId', new.id, 'status', new.status, 'rewardCredits', new.reward_credits, 'submissionId', new.awarded_submission_id),
      array[new.account_id, winner]);
  else
    perform webhook_emit('bounty.' || new.status, new.closed_at,
      json_build_object('bountyId', new.id, 'status', new.status, 'rewardCredits', new.reward_credits), array[new.account_id]);
  end if;
  return null;
end $$;
create trigger bounties_emit_closed after update on bounties
  for each row when (old.status = 'open' and new.status <> 'open') execute function bounty_emit_closed();

-- Keys that may do everything go on doing so.
update api_keys set scopes = scopes || array['webhooks'] where scopes @> array['read', 'run', 'deploy', 'bounties', 'keys'];

-- Verdicts of a submission are numbered from 1 in the order in which they are committed, without gaps: whoever follows a judging goes on behind
-- the last number that is known.
alter table verdicts add column number integer;
update verdicts v set number = n.number
from (
  select v.submission_id, v.case_id, row_number() over (partition by v.submission_id order by c.position) as number
  from verdicts v join cases c on c.id = v.case_id
) n
where v.submission_id = n.submission_id and v.case_id = n.case_id;
alter table verdicts alter column number set not null;
create unique index verdicts_by_number on verdicts (submission_id, number);

create function verdict_take_number() returns trigger language plpgsql as $$
begin
  -- One writer of a submission's verdicts after the other; what follows sees what the one before has committed.
  perform 1 from submissions where id = new.submission_id for no key update;
  new.number := (select coalesce(max(number), 0) + 1 from verdicts where submission_id = new.submission_id);
  return new;
end $$;
create trigger verdicts_take_number before insert on verdicts for each row execute function verdict_take_number();
