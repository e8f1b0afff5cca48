-- Many connections: each question that is asked has an index, and no index is written that nobody reads.

-- Probes are asked provider by provider, so that one that hangs holds up its own alone.
drop index connections_probe;
create index connections_probe on connections (provider, probe_at) where probe_at is not null;

-- What was active lately is asked with other things, in the order of names: this was written at every
-- call for a token and read by nobody.
drop index connections_active;

-- What failed last, which is little as a rule.
create index connections_failing on connections (id) where failures > 0 or problem is not null;

-- Failures and refusals in the log, without reading the successes between them. A success never
-- touches it.
create index attempts_unsuccessful on attempts (id) where outcome <> 'success';

-- Connections by label: what the list in `connections` says, kept in step by the triggers below.
create table labels (
    label      text not null,
    connection text not null references connections (id) on delete cascade,
    primary key (label, connection)
) strict, without rowid;

create index labels_connection on labels (connection);

-- A list that cannot be read has no labels; the row itself is told of elsewhere.
create trigger labels_added after insert on connections when new.labels <> '[]'
begin
    insert or ignore into labels (label, connection)
    select value, new.id from json_each(iif(json_valid(new.labels), new.labels, '[]'))
    where type = 'text';
end;

create trigger labels_changed after update of labels on connections when new.labels is not old.labels
begin
    delete from labels where connection = new.id;
    insert or ignore into labels (label, connection)
    select value, new.id from json_each(iif(json_valid(new.labels), new.labels, '[]'))
    where type = 'text';
end;

insert or ignore into labels (label, connection)
select j.value, c.id
from connections c, json_each(iif(json_valid(c.labels), c.labels, '[]')) j
where c.labels <> '[]' and j.type = 'text';
