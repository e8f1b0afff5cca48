-- An answer belongs to the attempt that asked for it: a late one overwrites none of its successor's. A
-- row without an answer is a request that has left; what the provider made of it is in doubt.
create table answers (
    connection text not null references connections (id) on delete cascade,
    attempt    text not null,
    seq        integer not null,                    -- its place in the attempt
    generation integer not null,                    -- the one the request was sent from
    request    text not null,                       -- method and URL without its query
    sealed     blob,                                -- null: no answer yet
    readings   integer not null default 1,          -- how often the plugin was given it
    created_at integer not null,
    primary key (connection, attempt, seq)
) strict, without rowid;

insert into answers (connection, attempt, seq, generation, request, sealed, created_at)
select connection, attempt, seq, generation, request, sealed, created_at from captures;

drop table captures;
alter table answers rename to captures;
