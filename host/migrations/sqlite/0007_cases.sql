-- The case of a failure beside its code: what follows from it. It is null in rows from before, which are
-- read with the case that their code usually has.
alter table attempts add column error_case text;
alter table connections add column error_case text;
