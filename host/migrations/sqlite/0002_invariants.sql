-- Rules that no write may break, whatever the code does. A write that tries is rolled back, and the
-- attempt behind it fails with the name of the rule.

-- I5: generations only grow, one at a time.
create trigger generations_grow before update of generation on connections
when new.generation not in (old.generation, old.generation + 1)
begin select raise(abort, 'I5: a generation follows the one before it'); end;

-- I5: what is sealed for a connection is its current generation, and not another one.
create trigger generations_current before insert on generations
when new.generation is not (select generation from connections where id = new.connection)
begin select raise(abort, 'I5: only the current generation is stored'); end;

-- I6: an attempt has one outcome. A process that was slow does not overwrite what another found out.
create trigger outcomes_stay before update of outcome on attempts
when old.outcome is not null
begin select raise(abort, 'I6: an attempt has one outcome'); end;
