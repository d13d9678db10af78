-- Lists, their filters and their search run on indexes that end in the id, so that a page costs what it shows, however much there is. Filters
-- that come together are intersected in the order of those indexes (workers/adapters/keyset-page.ts). All columns go in one direction, so that
-- rows can be compared with them as wholes.
drop index bounties_by_status, submissions_by_account, executions_by_account, api_keys_by_account, webhooks_by_account, webhook_deliveries_by_webhook;
create index bounties_by_status on bounties (status, id);
create index bounties_by_mode on bounties (mode, id);
create index bounties_by_account on bounties (account_id, id);
create index agents_by_kind on agents (kind, id);
create index agents_by_account on agents (account_id, id);
create index submissions_by_account on submissions (account_id, id);
create index submissions_by_bounty on submissions (account_id, bounty_id, id);
create index submissions_by_status on submissions (account_id, status, id);
create index executions_by_account on executions (account_id, id);
create index executions_by_agent on executions (account_id, agent_id, id);
create index executions_by_status on executions (account_id, status, id);
create index api_keys_by_account on api_keys (account_id, id);
create index webhooks_by_account on webhooks (account_id, id);
create index webhook_deliveries_by_webhook on webhook_deliveries (webhook_id, id);
create index receipt_keys_by_age on receipt_keys (registered_at desc, id);

-- The words of what can be searched, as shared/search-words.ts has them. A GIN index would give all matches, and they would have to be sorted;
-- these primary keys give them in the order of the list.
create table bounty_words (
  word text collate "C" not null,
  bounty_id text collate "C" not null references bounties (id),
  primary key (word, bounty_id)
);
create table agent_words (
  word text collate "C" not null,
  agent_id text collate "C" not null references agents (id),
  primary key (word, agent_id)
);
-- What was there before is found by the words that need no knowledge of Unicode.
insert into bounty_words (word, bounty_id)
select left(word, 32), id from bounties, regexp_split_to_table(lower(title || ' ' || description), '[^a-z0-9]+') word where word <> ''
on conflict do nothing;
insert into agent_words (word, agent_id)
select left(word, 32), id from agents, regexp_split_to_table(name, '[^a-z0-9]+') word where word <> ''
on conflict do nothing;

-- What an account has of what it may have. The numbers are agentsPerAccountMax and openBountiesPerAccountMax of shared/tiers.ts. The row is the
-- last lock that a transaction takes (see 0005-ledger.sql), and it takes one. Whoever has more than that from before may keep it.
create table account_quotas (
  account_id text collate "C" primary key references accounts (id),
  agents integer not null default 0,
  open_bounties integer not null default 0
);
insert into account_quotas (account_id, agents, open_bounties)
select id, (select count(*) from agents where account_id = a.id), (select count(*) from bounties where account_id = a.id and status = 'open')
from accounts a;

create function account_open_quotas() returns trigger language plpgsql as $$
begin
  insert into account_quotas (account_id) values (new.id);
  return null;
end $$;
create trigger accounts_open_quotas after insert on accounts for each row execute function account_open_quotas();

create function agent_take_place() returns trigger language plpgsql as $$
begin
  update account_quotas set agents = agents + 1 where account_id = new.account_id and agents < 1000;
  if not found then
    raise exception 'account % has 1000 agents', new.account_id using errcode = 'check_violation', constraint = 'quota_agents';
  end if;
  return null;
end $$;
create trigger agents_take_place after insert on agents for each row execute function agent_take_place();

create function bounty_take_place() returns trigger language plpgsql as $$
begin
  update account_quotas set open_bounties = open_bounties + 1 where account_id = new.account_id and open_bounties < 1000;
  if not found then
    raise exception 'account % has 1000 open bounties', new.account_id using errcode = 'check_violation', constraint = 'quota_open_bounties';
  end if;
  return null;
end $$;
-- Triggers run in the order of their names: this one behind those that move credits.
create trigger bounties_take_place after insert on bounties for each row execute function bounty_take_place();

create function bounty_leave_place() returns trigger language plpgsql as $$
begin
  update account_quotas set open_bounties = open_bounties - 1 where account_id = new.account_id;
  return null;
end $$;
create trigger bounties_z_leave_place after update on bounties
  for each row when (old.status = 'open' and new.status <> 'open') execute function bounty_leave_place();

-- What came to and went from accounts, by UTC day: an account may have any number of entries a day. Written while the holder is locked by the
-- transfer that writes the entry.
create table ledger_days (
  holder_id text collate "C" not null references ledger_holders (id),
  day date not null,
  came bigint not null,
  went bigint not null,
  primary key (holder_id, day)
);
insert into ledger_days (holder_id, day, came, went)
select holder_id, (at at time zone 'UTC')::date, coalesce(sum(credits) filter (where credits > 0), 0), coalesce(-sum(credits) filter (where credits < 0), 0)
from ledger_entries where starts_with(holder_id, 'acc_') group by 1, 2;

create function ledger_count_day() returns trigger language plpgsql as $$
begin
  insert into ledger_days as held (holder_id, day, came, went)
  values (new.holder_id, (new.at at time zone 'UTC')::date, greatest(new.credits, 0), greatest(-new.credits, 0))
  on conflict (holder_id, day) do update set came = held.came + excluded.came, went = held.went + excluded.went;
  return null;
end $$;
create trigger ledger_entries_count_day after insert on ledger_entries
  for each row when (starts_with(new.holder_id, 'acc_')) execute function ledger_count_day();
