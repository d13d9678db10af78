-- Public keys of the hosts that signed receipts. They are kept for ever: a receipt outlives the host that wrote it.
create table receipt_keys (
  id text primary key check (id ~ '^[0-9a-f]{32}$'),
  public_key text not null check (public_key ~ '^[0-9a-f]{64}$'),
  host text not null,
  registered_at timestamptz(3) not null default now()
);

-- Salt of the commitments that receipts of judgings hold. 122 random bits; kept from everybody until the bounty closes.
alter table cases add column salt text not null default replace(gen_random_uuid()::text, '-', '');

-- Of the output's JSON text, null where there is none: what an opened commitment shows.
alter table verdicts add column output_sha256 text;

-- The signed parts of a submission's receipt; a part is known by its first case.
create table judgement_receipts (
  submission_id text collate "C" not null references submissions (id),
  first_case_id text collate "C" not null references cases (id),
  receipt json not null,
  primary key (submission_id, first_case_id)
);
