-- A version of a script runs interpreted or compiled (shared/script-mode.ts): its deploy decides, and nothing afterwards. Fuel of the two, or of two
-- engines, does not compare, so verdicts say which engine gave them, sums are of one engine, and ranks go by engine before they go by fuel.

alter table agents add column script_mode text;
alter table agent_versions
  add column script_mode text,
  -- What became of its functions when it was compiled; shared/function-report.ts.
  add column functions json;
-- There was no compiler before.
update agents set script_mode = 'interpreted' where kind = 'script';
update agent_versions v set script_mode = 'interpreted' from agents a where a.id = v.agent_id and a.kind = 'script';
alter table agents add constraint agents_script_mode check (script_mode in ('interpreted', 'compiled'));
alter table agent_versions add constraint agent_versions_script_mode check (script_mode in ('interpreted', 'compiled'));

create function agent_version_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'version % of agent % never changes', old.version, old.agent_id using errcode = 'integrity_constraint_violation';
end $$;
create trigger agent_versions_never_change before update on agent_versions
  for each row execute function agent_version_refuse_change();

-- Of its version, so that a list needs no join.
alter table submissions add column script_mode text;
update submissions s set script_mode = v.script_mode from agent_versions v where v.agent_id = s.agent_id and v.version = s.version;
create function submission_take_mode() returns trigger language plpgsql as $$
begin
  new.script_mode := (select script_mode from agent_versions where agent_id = new.agent_id and version = new.version);
  return new;
end $$;
create trigger submissions_take_mode before insert on submissions for each row execute function submission_take_mode();

-- The engine of a submission is the one that judged last. Its verdicts count; a case that only another one has judged is open.
alter table verdicts add column engine text;
alter table verdicts disable trigger verdicts_never_change;
update verdicts v set engine = coalesce(s.engine, '') from submissions s where s.id = v.submission_id;
alter table verdicts enable trigger verdicts_never_change;
alter table verdicts drop constraint verdicts_pkey, add primary key (submission_id, case_id, revision, engine);

-- A Worker from before this migration does not say.
create function verdict_take_engine() returns trigger language plpgsql as $$
begin
  new.engine := coalesce((select engine from submissions where id = new.submission_id), '');
  return new;
end $$;
create trigger verdicts_take_engine before insert on verdicts
  for each row when (new.engine is null) execute function verdict_take_engine();

alter table judgement_receipts
  add column engine text not null generated always as (coalesce(receipt #>> '{statement,engine}', '')) stored,
  drop constraint judgement_receipts_pkey, add primary key (submission_id, first_case_id, first_revision, engine);

-- What `judged_by` says of the submission's cases, each in the highest revision that it has judged.
create function submission_sums(submission text, judged_by text, out passed integer, out fuel bigint) language sql stable as $$
  select count(*) filter (where status = 'accepted'),
    case when bool_or(fuel is null) then null else coalesce(sum(fuel), 0) end
  from (
    select distinct on (case_id) status, fuel from verdicts
    where submission_id = submission and engine = judged_by order by case_id, revision desc
  ) as counting
$$;

-- As in 0013-dead-letters.sql, of the submission's engine.
create or replace function verdict_add_up() returns trigger language plpgsql as $$
begin
  update submissions s
  set (cases_passed, fuel_total) = (select passed, fuel from submission_sums(s.id, s.engine)),
    attempts = 0, waits = 0, waiting_since = null, history = '[]'
  where s.id in (select submission_id from added);
  return null;
end $$;

-- Before verdicts of another engine come, there are those that it gave earlier, or none.
create function submission_change_engine() returns trigger language plpgsql as $$
begin
  select passed, fuel into new.cases_passed, new.fuel_total from submission_sums(new.id, new.engine);
  return new;
end $$;
create trigger submissions_change_engine before update of engine on submissions
  for each row when (new.engine is distinct from old.engine) execute function submission_change_engine();

-- The engines that judged for a bounty, in the order in which their first submission finished.
create table bounty_engines (
  bounty_id text collate "C" not null references bounties (id),
  engine text not null,
  place integer not null check (place > 0),
  primary key (bounty_id, engine),
  unique (bounty_id, place)
);
insert into bounty_engines (bounty_id, engine, place)
select bounty_id, engine, row_number() over (partition by bounty_id order by min(finished_at), engine)
from submissions where status in ('accepted', 'rejected') and engine is not null group by bounty_id, engine;

-- Engine and mode are those of the submission and of its version, for whoever reads the ranks.
alter table agent_ranks
  add column engine_place integer not null default 1,
  add column engine text,
  add column script_mode text;
update agent_ranks r set engine_place = e.place, engine = s.engine, script_mode = s.script_mode
from submissions s join bounty_engines e on e.bounty_id = s.bounty_id and e.engine = s.engine where s.id = r.submission_id;
drop index agent_ranks_in_order;
create index agent_ranks_in_order on agent_ranks (bounty_id, (-cases_passed), engine_place, fuel_order, finished_at, submission_id);
