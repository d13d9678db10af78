-- The third kind of agent: components of WASI 0.2.
alter table agents drop constraint agents_kind_check;
alter table agents add constraint agents_kind_check check (kind in ('script', 'command', 'component'));
