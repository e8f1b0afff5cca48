-- Attempts are counted apart from the log, so that what is pruned there stays known; the time that a provider
-- takes is told from the time in a queue; and who follows the log meets every attempt, in the order of their ends.

alter table attempts add column waited_ms integer;   -- for its turn
alter table attempts add column provider_ms integer; -- in requests to the provider; null: none was made
alter table attempts add column ended integer;       -- its place in the order of ends: microseconds since 1970, or
                                                     -- one more than the attempt before it

-- What is there already gets the place that its times say. A time that no calendar holds gets none.
drop trigger attempts_stay;
update attempts set ended = (started_at + coalesce(duration_ms, 0)) * 1000
where started_at between 0 and 9000000000000 and coalesce(duration_ms, 0) between 0 and 9000000000000;
create trigger attempts_stay before update on attempts
begin select raise(abort, 'I6: a finished attempt stays as it is'); end;

create index attempts_ended on attempts (ended);

create table hours (
    hour     integer not null,   -- in which they ended, since 1970
    provider text not null,
    outcome  text not null,
    code     text not null,      -- of a failure; else empty
    at_most  integer not null,   -- milliseconds that the provider took, rounded up; 0: it was not asked
    count    integer not null,
    primary key (hour, provider, outcome, code, at_most)
) strict, without rowid;

-- How long the provider took was not written down before.
insert into hours (hour, provider, outcome, code, at_most, count)
select ended / 3600000000, provider, outcome, iif(outcome = 'failed', coalesce(error_code, ''), ''), 0, count(*)
from attempts where ended is not null
group by 1, 2, 3, 4;
