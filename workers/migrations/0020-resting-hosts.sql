-- A host that has nothing to do says so once, and then nothing: its beats would keep the database awake.
alter table sandbox_hosts drop constraint sandbox_hosts_state_check,
  add constraint sandbox_hosts_state_check check (state in ('up', 'resting', 'draining', 'left'));
