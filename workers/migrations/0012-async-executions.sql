-- Asynchronous executions: a row before there is a run, whose turns are those of judgings (0009-judging.sql). An execution that has not ended
-- is owed to somebody: `turn` names whose it is, `due_at` is when that is over unless it says that it still works, and every write of whoever
-- runs it names the turn. What the host has recorded ends the row whoever's turn it is, once.
--
--   queued ─take─▶ running ─┬─▶ the status of the host's record
--      │                    ├─▶ failed: every attempt is used up, or it could not be begun for too long
--      └────────────────────┴─▶ cancelled
--
-- Rows without `turn` are executions whose caller waited: they are there once they are recorded. Locks: the executions, the usage of their
-- accounts, webhooks, and last the quotas of the accounts; of each kind in the order of the key.
alter table executions
  alter column finished_at drop not null,
  alter column record drop not null,
  add column created_at timestamptz(3),
  -- Tier, seed, start time and program.
  add column request json,
  -- Kept until it has ended, and of a failed one also then, so that it can be run again. json, not jsonb: see cases.
  add column input json,
  add column turn integer check (turn > 0),
  add column due_at timestamptz(3),
  -- Runs that were begun.
  add column attempts integer check (attempts >= 0),
  -- How often the host was not there, or full, since when nothing was begun, and, while something is, since when and where.
  add column waits integer check (waits >= 0),
  add column waiting_since timestamptz(3),
  add column began_at timestamptz(3),
  add column host text check (length(host) <= 63),
  -- Attempts that have ended, the first one first: {beganAt, endedAt, host, end}.
  add column history jsonb,
  -- Why it failed, in words for its account.
  add column failure text check (length(failure) <= 1000);
alter table executions
  add constraint executions_status_known check (status in ('queued', 'running', 'completed', 'threw', 'trapped', 'out-of-fuel', 'deadline',
    'memory-limit', 'output-limit', 'invalid-program', 'cancelled', 'failed')),
  add constraint executions_turns_whole check (num_nulls(created_at, request, turn, attempts, waits, waiting_since, history) in (0, 7)),
  add constraint executions_finished check ((finished_at is null) = (status in ('queued', 'running'))),
  add constraint executions_recorded check ((record is null) = (status in ('queued', 'running', 'cancelled', 'failed'))),
  add constraint executions_due_until_finished check ((due_at is null) = (finished_at is not null)),
  add constraint executions_input_until_finished check (finished_at is not null or input is not null),
  add constraint executions_failure_of_failed check ((failure is null) = (status <> 'failed'));
create index executions_due on executions (due_at) where due_at is not null;

create function execution_require_legal_change() returns trigger language plpgsql as $$
declare
  is_back constant boolean := old.status = 'running' and new.status = 'queued';
begin
  if new.turn < old.turn then
    raise exception 'turn % of execution % is over', new.turn, old.id using errcode = 'integrity_constraint_violation';
  end if;
  if is_back or old.finished_at is not null
    and (new.status, new.finished_at, new.record::text) is distinct from (old.status, old.finished_at, old.record::text) then
    raise exception 'execution % cannot go from % to %', old.id, old.status, new.status using errcode = 'integrity_constraint_violation';
  end if;
  if new.finished_at is not null and new.status <> 'failed' then
    new.input := null;
  end if;
  return new;
end $$;
create trigger executions_require_legal_change before update on executions
  for each row execute function execution_require_legal_change();

-- The history with the attempt that is under way, if one is, as ended.
create function execution_history(e executions, ended_at timestamptz, reason text) returns jsonb language sql stable as $$
  select case when e.began_at is null then e.history else e.history || jsonb_build_array(jsonb_build_object(
    'beganAt', json_instant(e.began_at), 'endedAt', json_instant(ended_at), 'host', e.host, 'end', reason)) end
$$;

-- executionsWaitingPerAccountMax of shared/tiers.ts: executions of an account that have not ended.
alter table account_quotas add column executions_waiting integer not null default 0;

create function execution_take_place() returns trigger language plpgsql as $$
begin
  update account_quotas set executions_waiting = executions_waiting + 1 where account_id = new.account_id and executions_waiting < 64;
  if not found then
    raise exception 'account % has 64 executions waiting', new.account_id
      using errcode = 'check_violation', constraint = 'quota_executions_waiting';
  end if;
  return null;
end $$;
create trigger executions_take_place after insert on executions
  for each row when (new.finished_at is null) execute function execution_take_place();

-- Many end at once when a host hands over what it has: their accounts' rows are held in the order of the key, or two hosts could wait for each other.
create function executions_leave_places() returns trigger language plpgsql as $$
begin
  perform 1 from account_quotas where account_id in (
    select n.account_id from changed n join former o on o.id = n.id where o.finished_at is null and n.finished_at is not null
  ) order by account_id for no key update;
  update account_quotas q set executions_waiting = q.executions_waiting - ended.count
  from (
    select n.account_id, count(*) as count from changed n join former o on o.id = n.id
    where o.finished_at is null and n.finished_at is not null group by n.account_id
  ) as ended
  where q.account_id = ended.account_id;
  return null;
end $$;
create trigger executions_leave_places after update on executions referencing old table as former new table as changed
  for each statement execute function executions_leave_places();

-- The caller of any other execution has its answer.
create function execution_emit_finished() returns trigger language plpgsql as $$
begin
  perform webhook_emit('execution.finished', new.finished_at,
    json_build_object('executionId', new.id, 'agentId', new.agent_id, 'version', new.version, 'status', new.status), array[new.account_id]);
  return null;
end $$;
create trigger executions_emit_finished after update on executions
  for each row when (old.finished_at is null and new.finished_at is not null) execute function execution_emit_finished();
