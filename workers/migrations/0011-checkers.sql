-- Checkers: a version of an agent of the bounty's own account that judges outputs in the place of JSON equality (shared/checker.ts).
alter table agents add constraint agents_of_account unique (id, account_id);

alter table bounties
  add column checker_agent_id text collate "C",
  add column checker_version integer,
  add constraint bounties_checker_version foreign key (checker_agent_id, checker_version) references agent_versions (agent_id, version),
  add constraint bounties_checker_of_owner foreign key (checker_agent_id, account_id) references agents (id, account_id),
  add constraint bounties_checker_whole check ((checker_agent_id is null) = (checker_version is null));

-- Whoever submits is judged by what stood there.
create function bounty_keep_checker() returns trigger language plpgsql as $$
begin
  raise exception 'the checker of bounty % never changes', old.id using errcode = 'integrity_constraint_violation';
end $$;
create trigger bounties_keep_checker before update on bounties
  for each row when ((new.checker_agent_id, new.checker_version) is distinct from (old.checker_agent_id, old.checker_version))
  execute function bounty_keep_checker();

-- What the checker says about a public case; checkerMessageCharsMax of shared/checker.ts.
alter table verdicts
  add column message text,
  add constraint verdicts_message_length check (char_length(message) <= 500);

-- verdictStatuses of shared/execution.ts.
alter table verdicts add constraint verdicts_status_known check (status in ('accepted', 'wrong-answer', 'checker-failed', 'threw', 'trapped',
  'out-of-fuel', 'deadline', 'memory-limit', 'output-limit', 'invalid-program'));
