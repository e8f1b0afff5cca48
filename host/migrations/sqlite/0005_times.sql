-- When connections are looked at, and what their tokens came of.

-- Keyed digests of the settings and secrets that the current token came of; null when nobody knows.
alter table connections add column config blob;

-- What a person has paused is looked at when the pause ends and not before, whatever writes its time.
create trigger pauses_hold after update of due_at, paused_at, paused_until on connections
when new.paused_at is not null and new.due_at is not new.paused_until
begin
    update connections
    set due_at = new.paused_until,
        due_trigger = iif(new.paused_until is null, null, 'expiry')
    where id = new.id;
end;

-- Those that a refresh under way had taken out of their pause.
update connections set due_at = due_at where paused_at is not null;

-- Forgiving costs what there is to forgive.
create index connections_problem on connections (provider) where problem is not null;

-- The same view, which knows that what rests is looked at once more before its refresh token ends.
drop view token_status;
create view token_status as
select
    id as connection,
    provider,
    generation,
    datetime(issued_at / 1000, 'unixepoch') as issued_at,
    datetime(expires_at / 1000, 'unixepoch') as expires_at,
    case
        when paused_at is not null then 'paused'
        when problem is not null then problem
        when issued_at is null and failures = 0 then 'new'
        when expires_at <= unixepoch() * 1000 and failures = 0 and doubt_since is null
             and (due_at is null
                  or due_at > unixepoch() * 1000
                     and due_at >= refresh_expires_at
                                   - min((refresh_expires_at - issued_at) / 3, 259200000))
             then 'paused'
        when issued_at is null or expires_at <= unixepoch() * 1000 then 'expired'
        when failures > 0 or doubt_since is not null then 'late'
        else 'fresh'
    end as state,
    failures,
    error_code,
    datetime(due_at / 1000, 'unixepoch') as next_refresh_at
from connections;
