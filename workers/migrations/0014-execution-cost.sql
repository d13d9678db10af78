-- What an execution is estimated to cost (shared/execution-cost.ts), in billionths of a US dollar: whole numbers, which add up exactly. Those from
-- before have none, and add nothing to their day.
alter table executions add column cost_nano_usd bigint;
alter table account_usage add column cost_nano_usd bigint not null default 0;
