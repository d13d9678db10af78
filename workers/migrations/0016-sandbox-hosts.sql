-- The sandbox hosts, one row for each data directory that a host ever had, by what they last said of themselves (shared/host.ts).
create table sandbox_hosts (
  id text collate "C" primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  instance text not null,
  state text not null check (state in ('up', 'draining', 'left')),
  tiers json not null,
  threads integer not null,
  load integer not null,
  -- By the host's clock: orders its beats.
  beat_at timestamptz(3) not null,
  -- By the clock of the database: says how long ago that was.
  heard_at timestamptz(3) not null default now()
);
