-- A claim is made and let go by each refresh: one tree to change instead of two.

create table current_claims (
    connection  text primary key not null references connections (id) on delete cascade,
    attempt     text not null,
    provider    text not null,
    trigger     text not null,
    rotation    text not null,                      -- class of the provider when it was sent, as JSON
    digest      text not null,                      -- of the plugin that runs
    owner       text not null,                      -- process that holds the claim
    lease_until integer not null,                   -- when another process may adopt it, and looks at it
    generation  integer not null,                   -- sent from
    started_at  integer not null
) strict, without rowid;

insert into current_claims
select connection, attempt, provider, trigger, rotation, digest, owner, lease_until, generation, started_at
from claims;

drop table claims;
alter table current_claims rename to claims;
