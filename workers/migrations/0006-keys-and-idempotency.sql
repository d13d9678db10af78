-- What a key may do, how long, and whether rate limits count it. Keys from before may do everything, as they could.
alter table api_keys
  add column name text not null default 'first key',
  add column scopes text[] not null default array['read', 'run', 'deploy', 'bounties', 'keys'] check (cardinality(scopes) > 0),
  add column expires_at timestamptz(3),
  add column rate_limited boolean not null default true;
alter table api_keys alter column name drop default, alter column scopes drop default;

-- Requests that came with an Idempotency-Key. The primary key is what makes one of two at the same time the first. Without `status` a
-- request is under way, or its Worker is gone; `claim` says whose it is. The request's hash is of method, path and body.
create table idempotency_keys (
  owner text collate "C" not null,
  key text collate "C" not null,
  request_sha256 text not null check (request_sha256 ~ '^[0-9a-f]{64}$'),
  claim text not null,
  -- A claim that was given up, or has lapsed, is anybody's.
  claimed_until timestamptz(3) not null,
  first_at timestamptz(3) not null,
  attempts integer not null default 1,
  status integer,
  content_type text,
  location text,
  body text,
  primary key (owner, key),
  check ((status is null) = (body is null))
);
-- Old ones are swept out by the claims that come after them.
create index idempotency_keys_by_age on idempotency_keys (first_at);
