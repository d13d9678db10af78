-- The whole schema of the first version. Migrations only go forward: what is in here is never edited after it has run anywhere.
-- Identifiers are sortable text compared byte by byte (collate "C"), so keyset pages run on primary keys.

create table accounts (
  id text collate "C" primary key,
  name text not null unique,
  created_at timestamptz(3) not null
);

-- Only the hash of a key is kept: whoever reads this table cannot speak for anybody.
create table api_keys (
  id text collate "C" primary key,
  account_id text collate "C" not null references accounts (id),
  sha256 text not null unique check (sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz(3) not null
);
create index api_keys_by_account on api_keys (account_id);

-- `version`, `sha256` and `bytes` are of the latest version, so that a list needs no join.
create table agents (
  id text collate "C" primary key,
  account_id text collate "C" not null references accounts (id),
  name text not null,
  kind text not null check (kind in ('script', 'command')),
  version integer not null check (version > 0),
  sha256 text not null,
  bytes integer not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  unique (account_id, name)
);

create table agent_versions (
  agent_id text collate "C" not null references agents (id),
  version integer not null check (version > 0),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  bytes integer not null,
  -- Engine that prepared it at deploy.
  engine text not null,
  created_at timestamptz(3) not null,
  primary key (agent_id, version)
);

create table bounties (
  id text collate "C" primary key,
  account_id text collate "C" not null references accounts (id),
  title text not null,
  description text not null,
  reward_credits bigint not null check (reward_credits >= 0),
  mode text not null check (mode in ('first', 'best')),
  tier text not null,
  status text not null default 'open' check (status in ('open', 'awarded', 'expired', 'cancelled')),
  case_count integer not null check (case_count > 0),
  deadline timestamptz(3),
  created_at timestamptz(3) not null
);
create index bounties_by_status on bounties (status, id desc);

-- json, not jsonb: keys keep their order and numbers their digits, so an agent sees the input that was posted.
create table cases (
  id text collate "C" primary key,
  bounty_id text collate "C" not null references bounties (id),
  position integer not null,
  name text,
  input json not null,
  expected json not null,
  hidden boolean not null,
  unique (bounty_id, position)
);

create table submissions (
  id text collate "C" primary key,
  bounty_id text collate "C" not null references bounties (id),
  account_id text collate "C" not null references accounts (id),
  agent_id text collate "C" not null,
  version integer not null,
  status text not null check (status in ('queued', 'running', 'accepted', 'rejected', 'failed')),
  cases_total integer not null,
  cases_passed integer not null default 0,
  -- Null once any verdict came without fuel (the fallback engine).
  fuel_total bigint default 0,
  engine text,
  created_at timestamptz(3) not null,
  finished_at timestamptz(3),
  foreign key (agent_id, version) references agent_versions (agent_id, version),
  check ((finished_at is not null) = (status in ('accepted', 'rejected', 'failed')))
);
create index submissions_by_account on submissions (account_id, id desc);
create index submissions_unfinished on submissions (id) where status in ('queued', 'running');

create table verdicts (
  submission_id text collate "C" not null references submissions (id),
  case_id text collate "C" not null references cases (id),
  status text not null,
  fuel bigint,
  wall_micros bigint not null,
  memory_bytes_peak bigint not null,
  primary key (submission_id, case_id)
);

-- The best submission of each agent. `fuel_order` is the fuel, and the largest safe integer where it was not metered.
create table agent_ranks (
  bounty_id text collate "C" not null references bounties (id),
  agent_id text collate "C" not null references agents (id),
  account_id text collate "C" not null references accounts (id),
  submission_id text collate "C" not null references submissions (id),
  cases_passed integer not null,
  fuel_order bigint not null,
  finished_at timestamptz(3) not null,
  primary key (bounty_id, agent_id)
);
create index agent_ranks_in_order on agent_ranks (bounty_id, (-cases_passed), fuel_order, finished_at, submission_id);
create index agent_ranks_by_account on agent_ranks (account_id);

-- Credits and bounties stay 0 until there is a ledger.
create table account_ranks (
  account_id text collate "C" primary key references accounts (id),
  credits_won bigint not null default 0,
  bounties_won integer not null default 0,
  cases_passed bigint not null default 0
);
create index account_ranks_in_order on account_ranks ((-credits_won), (-bounties_won), (-cases_passed), account_id);

-- `record` is what the host journaled, byte for byte; the columns beside it are what is looked up or counted by.
create table executions (
  id text collate "C" primary key,
  account_id text collate "C" not null references accounts (id),
  agent_id text collate "C" not null,
  version integer not null,
  status text not null,
  fuel bigint,
  finished_at timestamptz(3) not null,
  recorded_at timestamptz(3) not null default now(),
  record json not null,
  foreign key (agent_id, version) references agent_versions (agent_id, version)
);
create index executions_by_account on executions (account_id, id desc);

-- Records of the host that fit no account or agent, or not the schema: acknowledged, so that they hold up nothing, and kept.
create table rejected_outcomes (
  host text not null,
  id text collate "C" not null,
  reason text not null,
  record json not null,
  received_at timestamptz(3) not null default now(),
  primary key (host, id)
);
