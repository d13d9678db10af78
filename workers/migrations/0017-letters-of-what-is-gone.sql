-- Executions are kept no longer than retention says (0015-retention.sql). One that is deleted takes its dead letter along, which could not be
-- replayed any more; and what replayed it says so no longer.
alter table dead_letters
  drop constraint dead_letters_execution_id_fkey,
  add constraint dead_letters_execution_id_fkey foreign key (execution_id) references executions (id) on delete cascade;
create index dead_letters_of_execution on dead_letters (execution_id) where execution_id is not null;

alter table executions
  drop constraint executions_replay_of_fkey,
  add constraint executions_replay_of_fkey foreign key (replay_of) references executions (id) on delete set null;
create index executions_by_replayed on executions (replay_of) where replay_of is not null;
