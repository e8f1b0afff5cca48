-- Connections in the order in which people have to look at them, without reading the others: what only a person can
-- mend, what fails, and then all by the end of their tokens.

create index connections_ends on connections (expires_at, id);

-- When the token stops working, as a number that sorts: -1 where there is none, the largest number where it does not
-- end. Only for those few that have to be looked at; an index over it cannot be counted in.
alter table connections add column ends_at integer generated always as
    (coalesce(expires_at, iif(issued_at is null, -1, 9223372036854775807))) virtual;

create index connections_stuck on connections (ends_at, id) where problem is not null;
create index connections_broken on connections (ends_at, id) where failures > 0;
create index connections_paused on connections (ends_at, id) where paused_at is not null;
