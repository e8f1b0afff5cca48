-- What a person agreed to when they last connected the account: the scopes that they were asked for, and whether
-- the grant can be renewed without them. JSON; null where no person did, or a token was set by hand since.
alter table connections add column agreed text;

-- Connections that are made for a login, for as long as nothing has come of it: their `enrolled` is a word, and no
-- digest. They are found without reading the others.
create index connections_rooms on connections (enrolled) where generation = 0 and enrolled = x'636f6e73656e74';
