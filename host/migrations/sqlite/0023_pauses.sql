-- While it is paused a connection is looked at when the pause ends, and for its expiry: also when something else would
-- have been due at that very millisecond, which kept its own trigger until now.

drop trigger pauses_hold;

create trigger pauses_hold after update of due_at, due_trigger, paused_at, paused_until on connections
when new.paused_at is not null
 and (new.due_at is not new.paused_until
      or new.due_trigger is not iif(new.paused_until is null, null, 'expiry'))
begin
    update connections
    set due_at = new.paused_until,
        due_trigger = iif(new.paused_until is null, null, 'expiry')
    where id = new.id;
end;
