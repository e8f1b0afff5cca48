-- Everybody who is told of events has a place of their own in the stream, and says which kinds they
-- want: what nobody listens to is not written.

create table listeners (
    name text primary key not null,
    kinds text not null,                 -- JSON list
    seen integer not null                -- the last event that this one was told of
) strict, without rowid;

-- The log had its place in `delivered_at`.
insert into listeners (name, kinds, seen)
select 'log', '["recovered","reconnect","misconfigured","critical"]',
       coalesce((select min(id) - 1 from outbox where delivered_at is null),
                (select max(id) from outbox), 0);

drop index outbox_waiting;
alter table outbox drop column delivered_at;
