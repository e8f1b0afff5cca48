-- The requests of an attempt: method, declared address without a query, status, sizes and time, as a JSON list of at
-- most sixteen. Null where none was made, and in attempts from before.

alter table attempts add column exchanges text;
