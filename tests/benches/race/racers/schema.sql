-- What the author of such a service begins with: a row for each connection, found by when it has to be refreshed.
create table connections (
    id            integer primary key,
    provider      text not null,
    name          text not null,
    access_token  text,
    refresh_token text not null,
    token_type    text not null default 'Bearer',
    expires_at    integer not null,                 -- in seconds, as are all times
    state         text not null default 'active',   -- active; reconnect: a person has to
    failures      integer not null default 0,
    error         text,
    retry_at      integer not null default 0,
    updated_at    integer not null default 0,
    unique (provider, name)
);
create index connections_due on connections (state, expires_at);
