-- Sinks: what is current of connections is delivered to places of the operator's. Nothing here is a secret: digests are
-- keyed, and texts are made of names and codes.

create table sinks (
    name   text primary key not null,               -- sink:NAME
    config blob not null,                           -- digest of its section, to tell whether that has changed
    seen   integer not null,                        -- it has noted every change up to this one
    ended  integer,                                 -- of one that follows attempts: their place in the order of ends
    swept  text                                     -- all connections up to this id were noted; null: all of them
) strict, without rowid;

-- Connections in the order in which they were changed last, each once: who was away for a week finds as many rows as
-- there are connections, and not as many as there were refreshes.
create table changes (
    connection text primary key not null,
    seq        integer not null,                    -- grows with each change
    gone       integer not null default 0           -- the connection was removed
) strict, without rowid;

create index changes_seq on changes (seq);
create index changes_gone on changes (seq) where gone;

-- What was delivered: a program is not run again for the same, and the file of a connection that is gone is known.
create table delivered (
    sink       text not null,
    connection text not null,
    digest     blob,                                -- keyed digest of it; null: it is delivered anew
    place      text,                                -- the file
    at         integer not null,
    primary key (sink, connection)
) strict, without rowid;

create index delivered_place on delivered (place) where place is not null;

-- What could not be delivered, and waits.
create table pending (
    sink          text not null,
    subject       text not null,                    -- a connection, or an attempt
    tries         integer not null,
    made_at       integer not null,                 -- when it was to be delivered first
    next_at       integer not null,                 -- when it is tried next
    error_code    text not null,
    error_message text not null,
    of_all        integer not null,                 -- the sink as a whole could not deliver
    primary key (sink, subject)
) strict, without rowid;

create index pending_next on pending (sink, next_at);

-- Changes are noted while a sink wants them: nobody else pays. A connection that waits for a consent is none yet. A
-- number is never given twice: what was pruned was seen, and is counted so.
create trigger changes_added after insert on connections
when new.enrolled is not x'636f6e73656e74' and exists (select 1 from sinks where ended is null)
begin
    insert into changes (connection, seq)
    values (new.id, 1 + max(coalesce((select max(seq) from changes), 0), (select max(seen) from sinks)))
    on conflict (connection) do update set seq = excluded.seq, gone = 0;
end;

create trigger changes_made after update of
    generation, token_type, issued_at, expires_at, scopes, metadata, profile, labels, problem, failures, error_code,
    error_message, paused_at, paused_until, expired_told
on connections
when exists (select 1 from sinks where ended is null)
 and (new.generation is not old.generation or new.token_type is not old.token_type
      or new.issued_at is not old.issued_at or new.expires_at is not old.expires_at
      or new.scopes is not old.scopes or new.metadata is not old.metadata or new.profile is not old.profile
      or new.labels is not old.labels or new.problem is not old.problem or new.failures is not old.failures
      or new.error_code is not old.error_code or new.error_message is not old.error_message
      or new.paused_at is not old.paused_at or new.paused_until is not old.paused_until
      or new.expired_told is not old.expired_told)
begin
    insert into changes (connection, seq)
    values (new.id, 1 + max(coalesce((select max(seq) from changes), 0), (select max(seen) from sinks)))
    on conflict (connection) do update set seq = excluded.seq, gone = 0;
end;

create trigger changes_removed after delete on connections
when exists (select 1 from sinks where ended is null)
begin
    insert into changes (connection, seq, gone)
    values (old.id, 1 + max(coalesce((select max(seq) from changes), 0), (select max(seen) from sinks)), 1)
    on conflict (connection) do update set seq = excluded.seq, gone = 1;
end;
