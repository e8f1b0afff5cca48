-- The messages of a channel are sent in order: one that has to wait holds up those behind it. What is apart, as mail to
-- the person of a connection, is sent by itself, so that one full mailbox holds up nobody else.

alter table messages add column apart integer not null default 0;

-- The receiver asked not to be asked before; null: it did not.
alter table messages add column held_until integer;

-- Those who did not take it yet, as JSON; null: nobody did.
alter table messages add column rest text;

drop index messages_next;
create index messages_in_order on messages (outlet, apart, id);
create index messages_by_time on messages (outlet, apart, next_at, id);
