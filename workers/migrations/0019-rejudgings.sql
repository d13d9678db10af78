-- The last judging again of a bounty, by the id that every try at its request makes: a retry finds what the first one did, also when the
-- bounty has closed meanwhile.
alter table bounties
  add column rejudging_id text,
  add column rejudged integer not null default 0;
