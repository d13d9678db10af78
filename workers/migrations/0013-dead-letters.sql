-- Dead letters: work that was given up, with every attempt at it. The change that ends work as failed writes its letter in the same
-- transaction, so neither is there without the other, whatever dies. What is no message of ours is a letter without an account.
--
--   submission, execution ─failed─▶ letter ─replay─▶ new work, which may fail and have a letter of its own
--   message that nobody can take ─▶ letter, for the administrator

-- Of judging, as 0012-async-executions.sql has it of executions: since when and where an attempt is under way, and those that have ended since
-- it last made progress, the first one first: {beganAt, endedAt, host, end}.
alter table submissions
  add column began_at timestamptz(3),
  add column host text check (length(host) <= 63),
  add column history jsonb not null default '[]',
  -- What it was made from again.
  add column replay_of text collate "C" references submissions (id);

alter table executions add column replay_of text collate "C" references executions (id);

-- The history with the attempt that is under way, if one is, as ended. The twenty latest: progress begins the count anew, but not always the list.
create function submission_history(s submissions, ended_at timestamptz, reason text) returns jsonb language sql stable as $$
  select case when s.began_at is null then s.history else
    case when jsonb_array_length(s.history) >= 20 then s.history - 0 else s.history end || jsonb_build_array(jsonb_build_object(
      'beganAt', json_instant(s.began_at), 'endedAt', json_instant(ended_at), 'host', s.host, 'end', reason)) end
$$;

-- As in 0009-judging.sql, and the attempts before the progress are forgotten.
create or replace function verdict_add_up() returns trigger language plpgsql as $$
begin
  update submissions s
  set cases_passed = sums.passed, fuel_total = sums.fuel, attempts = 0, waits = 0, waiting_since = null, history = '[]'
  from (
    select submission_id, count(*) filter (where status = 'accepted') as passed,
      case when bool_or(fuel is null) then null else sum(fuel) end as fuel
    from (
      select distinct on (submission_id, case_id) submission_id, status, fuel from verdicts
      where submission_id in (select submission_id from added)
      order by submission_id, case_id, revision desc
    ) as counting
    group by submission_id
  ) as sums
  where s.id = sums.submission_id;
  return null;
end $$;

-- `origin` is what it is of: the same failure, or the same message, told twice is one letter.
create table dead_letters (
  id text collate "C" primary key check (starts_with(id, 'dlt_')),
  origin text not null unique,
  kind text not null check (kind in ('submission', 'execution', 'message')),
  account_id text collate "C" references accounts (id),
  submission_id text collate "C" references submissions (id),
  execution_id text collate "C" references executions (id),
  agent_id text collate "C",
  version integer,
  reason text not null check (length(reason) <= 1000),
  attempts jsonb not null default '[]',
  message json,
  -- The work that replays it: claimed before it is made, so that of many replays at once one is.
  replayed_as text collate "C",
  -- When it was told on the topic of dead letters.
  announced_at timestamptz(3),
  created_at timestamptz(3) not null,
  check ((kind = 'submission') = (submission_id is not null)),
  check ((kind = 'execution') = (execution_id is not null)),
  check ((kind = 'message') = (message is not null)),
  check ((kind = 'message') = (account_id is null)),
  check (num_nulls(account_id, agent_id, version) in (0, 3))
);
create index dead_letters_by_kind on dead_letters (kind, id);
create index dead_letters_by_agent on dead_letters (agent_id, id);
create index dead_letters_of_account on dead_letters (account_id, id);
create index dead_letters_of_account_by_kind on dead_letters (account_id, kind, id);
create index dead_letters_of_account_by_agent on dead_letters (account_id, agent_id, id);
create index dead_letters_by_age on dead_letters (created_at);
create index dead_letters_to_announce on dead_letters (id) where announced_at is null;

create function submission_leave_letter() returns trigger language plpgsql as $$
begin
  insert into dead_letters (id, origin, kind, account_id, submission_id, agent_id, version, reason, attempts, created_at)
  values (sortable_id('dlt', new.finished_at), new.id || ' ' || new.round, 'submission', new.account_id, new.id, new.agent_id, new.version,
    coalesce(new.failure, 'it failed'), new.history, new.finished_at);
  return null;
end $$;
create trigger submissions_leave_letter after update on submissions
  for each row when (old.finished_at is null and new.finished_at is not null and new.status = 'failed')
  execute function submission_leave_letter();

create function execution_leave_letter() returns trigger language plpgsql as $$
begin
  insert into dead_letters (id, origin, kind, account_id, execution_id, agent_id, version, reason, attempts, created_at)
  values (sortable_id('dlt', new.finished_at), new.id, 'execution', new.account_id, new.id, new.agent_id, new.version, new.failure,
    new.history, new.finished_at);
  return null;
end $$;
create trigger executions_leave_letter after update on executions
  for each row when (old.finished_at is null and new.finished_at is not null and new.status = 'failed')
  execute function execution_leave_letter();
