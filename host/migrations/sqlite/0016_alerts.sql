-- Whoever is told of what happens outside of this process: channels today. Each has its state, which people see,
-- and messages that wait to be delivered. Nothing here is a secret: texts are made of names, codes and times.

create table outlets (
    name          text primary key not null,        -- channel:NAME
    delivered_at  integer,                          -- when something was delivered last
    failing_since integer,                          -- when it began to fail; null: the last delivery went well
    error_code    text,
    error_message text,
    disabled_at   integer                           -- the other side wants nothing any more
) strict, without rowid;

-- A message waits until it was delivered or given up. Its number is part of what receivers know it by, so none is
-- given twice.
create table messages (
    id      integer primary key autoincrement not null,
    outlet  text not null,
    made_at integer not null,
    content text not null,                          -- JSON: facts, of which the channel makes its text
    tries   integer not null default 0,
    next_at integer not null                        -- when it is tried next
) strict;

create index messages_next on messages (outlet, next_at);

-- What a channel has said of each trouble, so that a restart repeats nothing and forgets nothing.
create table alerts (
    outlet  text not null,
    subject text not null,                          -- cause:provider
    state   text not null,                          -- JSON
    primary key (outlet, subject)
) strict, without rowid;

-- The generation whose end was told of: once when it comes near while refreshing fails, once when it is there.
alter table connections add column ending_told integer;
alter table connections add column expired_told integer;
