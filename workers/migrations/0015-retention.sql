-- What is kept how long, and who may delete it (workers/flows/sweep-storage.ts).

-- The bundle that holds artifacts of the execution; all of them lie in one. Null where there is none. Within JSON text the quotes of a
-- stranger's text are escaped, so that none of it fits the pattern.
alter table executions add column bundle text collate "C";
update executions set bundle = substring(record::text from '"bundle":"([a-z0-9][a-z0-9-]{0,62}/[0-9]{12})"');
create index executions_by_bundle on executions (bundle, finished_at) where bundle is not null;
create index executions_by_end on executions (finished_at, id);
create index rejected_outcomes_by_age on rejected_outcomes (received_at);

-- Who has a word over the bytes of a program until when: a deploy, which found them in the bucket or put them there and has no row yet that
-- names them, or a sweep, which is about to delete them. One of them has it at a time.
create table program_claims (
  sha256 text collate "C" primary key,
  holder text not null check (holder in ('deploy', 'sweep')),
  until timestamptz(3) not null
);
create index program_claims_by_end on program_claims (until);

-- How far the sweep has come, and when its next step is due. One row.
create table storage_sweep (
  is_only boolean primary key default true check (is_only),
  cursor text,
  due_at timestamptz(3) not null default '-infinity'
);
insert into storage_sweep default values;
