-- The ledger: double entry, in whole credits. Money moves in one way only: a row of `ledger_transfers` takes credits from one holder and gives
-- the same number to another. Triggers write both entries and both balances, so no statement can write one side, and nobody can change what
-- was written. A bounty's money moves because the bounty's row does: there is no other way to move it, so status and money cannot disagree.
--
--   mint ──mint──▶ account ──escrow──▶ bounty ──award──▶ author
--                     ▲                   └────refund──▶ owner
--
-- Locks are taken in this order everywhere: accounts, bounty, ranks, then the two holders in the order of their ids.

-- Holders: 'mint', every account, every bounty (its escrow). Only the mint may be below zero: minus all credits there are. The bounds are
-- those of safe integers in JavaScript; since all balances add up to zero, the mint's bound is also that of every other balance.
create table ledger_holders (
  id text collate "C" primary key check (id = 'mint' or starts_with(id, 'acc_') or starts_with(id, 'bty_')),
  balance bigint not null default 0,
  -- Of the holder; the number of its last entry.
  entries bigint not null default 0,
  constraint ledger_balance_not_negative check (balance >= 0 or id = 'mint'),
  constraint ledger_supply_safe check (balance >= -9007199254740991)
);

create table ledger_transfers (
  id text collate "C" primary key check (starts_with(id, 'trf_')),
  kind text not null,
  -- What it is about: the bounty, or for a mint the transfer itself. Each thing is done once.
  subject text collate "C" not null,
  from_id text collate "C" not null references ledger_holders (id),
  to_id text collate "C" not null references ledger_holders (id),
  credits bigint not null check (credits > 0),
  reason text,
  at timestamptz(3) not null,
  unique (kind, subject),
  constraint ledger_transfers_direction check (
    case kind
      when 'mint' then from_id = 'mint' and starts_with(to_id, 'acc_') and subject = id
      when 'escrow' then starts_with(from_id, 'acc_') and starts_with(to_id, 'bty_') and subject = to_id
      when 'award' then starts_with(from_id, 'bty_') and starts_with(to_id, 'acc_') and subject = from_id
      when 'refund' then starts_with(from_id, 'bty_') and starts_with(to_id, 'acc_') and subject = from_id
      else false
    end)
);
-- An escrow ends once, whichever way.
create unique index ledger_transfers_settle_once on ledger_transfers (subject) where kind in ('award', 'refund');

-- The two sides of each transfer, numbered without gaps per holder: that is the order in which the balance went from one to the next.
create table ledger_entries (
  holder_id text collate "C" not null references ledger_holders (id),
  number bigint not null check (number > 0),
  transfer_id text collate "C" not null references ledger_transfers (id),
  credits bigint not null,
  balance_after bigint not null,
  at timestamptz(3) not null,
  primary key (holder_id, number),
  unique (transfer_id, holder_id)
);
create index ledger_entries_by_time on ledger_entries (holder_id, at);

-- As shared/ids.ts makes them: 48 bits of time, 80 random ones.
create function ledger_transfer_id(at timestamptz) returns text language plpgsql as $$
declare
  alphabet constant text := '0123456789abcdefghjkmnpqrstvwxyz';
  rest bigint := floor(extract(epoch from at) * 1000);
  made text := '';
begin
  for i in 1..10 loop
    made := substr(alphabet, 1 + (rest % 32)::integer, 1) || made;
    rest := rest / 32;
  end loop;
  for i in 1..16 loop
    made := made || substr(alphabet, 1 + floor(random() * 32)::integer, 1);
  end loop;
  return 'trf_' || made;
end $$;

create function ledger_write_entries() returns trigger language plpgsql as $$
declare
  held ledger_holders;
begin
  perform 1 from ledger_holders where id in (new.from_id, new.to_id) order by id for no key update;
  update ledger_holders set balance = balance - new.credits, entries = entries + 1 where id = new.from_id returning * into strict held;
  insert into ledger_entries values (held.id, held.entries, new.id, -new.credits, held.balance, new.at);
  update ledger_holders set balance = balance + new.credits, entries = entries + 1 where id = new.to_id returning * into strict held;
  insert into ledger_entries values (held.id, held.entries, new.id, new.credits, held.balance, new.at);
  return null;
end $$;
create trigger ledger_transfers_write_entries after insert on ledger_transfers for each row execute function ledger_write_entries();

create function ledger_open_holder() returns trigger language plpgsql as $$
begin
  insert into ledger_holders (id) values (new.id);
  return null;
end $$;
create trigger accounts_open_holder after insert on accounts for each row execute function ledger_open_holder();

-- Bounties: open, and from there once to awarded, expired or cancelled.
alter table bounties add column awarded_submission_id text collate "C", add column closed_at timestamptz(3);
update bounties set closed_at = created_at where status <> 'open';
alter table submissions add constraint submissions_of_bounty unique (bounty_id, id);
alter table bounties
  add constraint bounties_awarded_to_own_submission foreign key (id, awarded_submission_id) references submissions (bounty_id, id),
  add constraint bounties_awarded_to_somebody check ((status = 'awarded') = (awarded_submission_id is not null)),
  add constraint bounties_closed_at check ((status = 'open') = (closed_at is null));
create index bounties_by_deadline on bounties (deadline) where status = 'open';
create index submissions_unfinished_of_bounty on submissions (bounty_id, created_at) where status in ('queued', 'running');

create function bounty_require_legal_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    if new.status <> 'open' then
      raise exception 'bounty % is posted as %; bounties begin open', new.id, new.status using errcode = 'integrity_constraint_violation';
    end if;
    return new;
  end if;
  if (new.id, new.account_id, new.reward_credits, new.mode) is distinct from (old.id, old.account_id, old.reward_credits, old.mode) then
    raise exception 'owner, reward and mode of bounty % never change', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if old.status <> 'open' and (new.status, new.awarded_submission_id) is distinct from (old.status, old.awarded_submission_id) then
    raise exception 'bounty % is % and stays so', old.id, old.status using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger bounties_require_legal_change before insert or update on bounties
  for each row execute function bounty_require_legal_change();

create function bounty_hold_escrow() returns trigger language plpgsql as $$
begin
  insert into ledger_holders (id) values (new.id);
  if new.reward_credits > 0 then
    insert into ledger_transfers (id, kind, subject, from_id, to_id, credits, at)
    values (ledger_transfer_id(new.created_at), 'escrow', new.id, new.account_id, new.id, new.reward_credits, new.created_at);
  end if;
  return null;
end $$;
create trigger bounties_hold_escrow after insert on bounties for each row execute function bounty_hold_escrow();

-- An award goes to the author of the submission, with the author's places on the leaderboards; all else goes back to the owner.
create function bounty_settle_escrow() returns trigger language plpgsql as $$
declare
  author text;
  is_awarded constant boolean := new.status = 'awarded';
begin
  if is_awarded then
    select account_id into author from submissions
    where id = new.awarded_submission_id and bounty_id = new.id
      and (status = 'accepted' and cases_passed = cases_total or new.mode = 'best' and status in ('accepted', 'rejected'));
    if author is null then
      raise exception 'submission % cannot win bounty %', new.awarded_submission_id, new.id using errcode = 'integrity_constraint_violation';
    end if;
    insert into account_ranks as held (account_id, credits_won, bounties_won) values (author, new.reward_credits, 1)
    on conflict (account_id) do update
    set credits_won = held.credits_won + excluded.credits_won, bounties_won = held.bounties_won + excluded.bounties_won;
  end if;
  if new.reward_credits > 0 then
    insert into ledger_transfers (id, kind, subject, from_id, to_id, credits, at)
    values (ledger_transfer_id(new.closed_at), case when is_awarded then 'award' else 'refund' end, new.id, new.id,
      case when is_awarded then author else new.account_id end, new.reward_credits, new.closed_at);
  end if;
  return null;
end $$;
create trigger bounties_settle_escrow after update on bounties
  for each row when (old.status = 'open' and new.status <> 'open') execute function bounty_settle_escrow();

-- What was there before: open bounties get the escrow that they promised, from credits minted to their owners for just that.
insert into ledger_holders (id) select 'mint' union all select id from accounts union all select id from bounties;
with posted as (
  select *, ledger_transfer_id(created_at) as transfer_id from bounties where status = 'open' and reward_credits > 0
)
insert into ledger_transfers (id, kind, subject, from_id, to_id, credits, reason, at)
select transfer_id, 'mint', transfer_id, 'mint', account_id, reward_credits, 'reward of ' || id || ', posted before the ledger', created_at
from posted;
insert into ledger_transfers (id, kind, subject, from_id, to_id, credits, at)
select ledger_transfer_id(created_at), 'escrow', id, account_id, id, reward_credits, created_at
from bounties where status = 'open' and reward_credits > 0;

-- From here on entries and balances are written by the triggers above alone, and a bounty's transfers by the bounty's.
create function ledger_refuse() returns trigger language plpgsql as $$
begin
  raise exception '% of % is not a way to move credits', tg_op, tg_table_name using errcode = 'integrity_constraint_violation';
end $$;
create trigger ledger_transfers_never_change before update or delete on ledger_transfers for each row execute function ledger_refuse();
create trigger ledger_entries_never_change before update or delete on ledger_entries for each row execute function ledger_refuse();
create trigger ledger_holders_never_go before delete on ledger_holders for each row execute function ledger_refuse();
create trigger ledger_transfers_never_empty before truncate on ledger_transfers execute function ledger_refuse();
create trigger ledger_entries_never_empty before truncate on ledger_entries execute function ledger_refuse();
create trigger ledger_holders_never_empty before truncate on ledger_holders execute function ledger_refuse();
create trigger ledger_entries_by_transfer before insert on ledger_entries
  for each row when (pg_trigger_depth() = 0) execute function ledger_refuse();
create trigger ledger_holders_by_transfer before insert or update on ledger_holders
  for each row when (pg_trigger_depth() = 0) execute function ledger_refuse();
create trigger ledger_transfers_by_bounty before insert on ledger_transfers
  for each row when (new.kind <> 'mint' and pg_trigger_depth() = 0) execute function ledger_refuse();

-- What accounts ran, by UTC day of its end: counted when an execution is recorded, because there may be millions of them.
create table account_usage (
  account_id text collate "C" not null references accounts (id),
  day date not null,
  executions bigint not null,
  fuel bigint not null,
  wall_micros bigint not null,
  primary key (account_id, day)
);
insert into account_usage (account_id, day, executions, fuel, wall_micros)
select account_id, (finished_at at time zone 'UTC')::date, count(*), coalesce(sum(fuel), 0), sum((record -> 'usage' ->> 'wallMicros')::bigint)
from executions group by 1, 2;
