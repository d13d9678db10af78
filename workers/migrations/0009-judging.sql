-- Judging beside the request, by whoever has the turn. A submission that is not finished is always owed to somebody: `turn` names whose it is,
-- and `due_at` is when that is over unless it says that it still works. A message holds the turn that it stands for, so each is good for one
-- taking, and every write of a judge names its turn: one that is late, doubled or believed dead changes nothing.
--
--   queued ─take─▶ running ─┬─▶ accepted, rejected, failed ─re-judging─▶ queued (the next round)
--      ▲          (turn + 1)│
--      └──── put back ◀─────┘   with turn + 1: a judge goes on in another message, waits for the host, or was not heard of until `due_at`
--
-- Locks: as in 0005-ledger.sql, then the submission.

-- What judging goes by: a case that was fixed has the next revision, and what is in the one before is kept, for the receipts that state it.
alter table cases add column revision integer not null default 1 check (revision > 0);

create table case_revisions (
  case_id text collate "C" not null references cases (id),
  revision integer not null,
  input json not null,
  expected json not null,
  salt text not null,
  primary key (case_id, revision)
);

create function case_keep_revision() returns trigger language plpgsql as $$
begin
  if (new.id, new.bounty_id, new.position, new.hidden) is distinct from (old.id, old.bounty_id, old.position, old.hidden) then
    raise exception 'place and visibility of case % never change', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if (new.input::text, new.expected::text, new.salt) is distinct from (old.input::text, old.expected::text, old.salt) then
    if new.revision <> old.revision + 1 then
      raise exception 'case % is changed within revision %', old.id, old.revision using errcode = 'integrity_constraint_violation';
    end if;
    insert into case_revisions values (old.id, old.revision, old.input, old.expected, old.salt);
  end if;
  return new;
end $$;
create trigger cases_keep_revision before update on cases for each row execute function case_keep_revision();

-- Verdicts are only ever added: the one of the highest revision counts. Their numbers go on over all of them.
alter table verdicts add column revision integer not null default 1;
alter table verdicts drop constraint verdicts_pkey, add primary key (submission_id, case_id, revision);

create function verdict_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'verdicts never change' using errcode = 'integrity_constraint_violation';
end $$;
create trigger verdicts_never_change before update or delete on verdicts for each row execute function verdict_refuse_change();

-- A part of a receipt is known by its first case, as it was then.
alter table judgement_receipts add column first_revision integer not null default 1;
alter table judgement_receipts drop constraint judgement_receipts_pkey, add primary key (submission_id, first_case_id, first_revision);

alter table submissions
  add column stop_at_first_failure boolean not null default false,
  -- Of judging: 1, and one more each time that it is judged again.
  add column round integer not null default 1 check (round > 0),
  add column turn integer not null default 1 check (turn > 0),
  add column due_at timestamptz(3),
  -- Turns that were taken since the last verdict came.
  add column attempts integer not null default 0 check (attempts >= 0),
  -- How often in a row the host was not there, or full, and since when.
  add column waits integer not null default 0 check (waits >= 0),
  add column waiting_since timestamptz(3),
  -- Why it failed, in words for its author.
  add column failure text check (length(failure) <= 1000);
-- What an earlier version of the Worker left behind is gone on with.
update submissions set due_at = now() where finished_at is null;
alter table submissions
  add constraint submissions_due_until_finished check ((due_at is null) = (finished_at is not null)),
  add constraint submissions_failure_of_failed check (failure is null or status = 'failed');
create index submissions_due on submissions (due_at) where due_at is not null;
create index submissions_of_agent on submissions (bounty_id, agent_id);

create function submission_require_legal_change() returns trigger language plpgsql as $$
declare
  steps constant json := '{"queued": 0, "running": 1, "accepted": 2, "rejected": 2, "failed": 2}';
begin
  if new.turn < old.turn then
    raise exception 'turn % of submission % is over', new.turn, old.id using errcode = 'integrity_constraint_violation';
  end if;
  if new.round = old.round + 1 and old.status in ('accepted', 'rejected') and new.status = 'queued' then
    return new;
  end if;
  if new.round <> old.round
    or new.status <> old.status and (old.finished_at is not null or (steps ->> new.status)::integer <= (steps ->> old.status)::integer) then
    raise exception 'submission % cannot go from % to %', old.id, old.status, new.status using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger submissions_require_legal_change before update on submissions
  for each row execute function submission_require_legal_change();

-- The sums of a submission are those of its verdicts, whoever adds them; and whoever adds some makes progress.
create function verdict_add_up() returns trigger language plpgsql as $$
begin
  update submissions s
  set cases_passed = sums.passed, fuel_total = sums.fuel, attempts = 0, waits = 0, waiting_since = null
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
create trigger verdicts_add_up after insert on verdicts referencing new table as added
  for each statement execute function verdict_add_up();

-- A submission that is judged again finishes again, and is told of again: `round` says which time it is.
create or replace function submission_emit_finished() returns trigger language plpgsql as $$
begin
  perform webhook_emit('submission.finished', new.finished_at,
    json_build_object('submissionId', new.id, 'bountyId', new.bounty_id, 'agentId', new.agent_id, 'version', new.version, 'round', new.round,
      'status', new.status, 'casesTotal', new.cases_total, 'casesPassed', new.cases_passed),
    array[new.account_id, (select account_id from bounties where id = new.bounty_id)]);
  return null;
end $$;
