-- People who use the dashboard, and their logins that go on.

create table accounts (
    name text primary key not null,
    role text not null check (role in ('viewer', 'operator')),
    password text,                       -- argon2id in PHC form; null until it is chosen
    issuer text,                         -- who logs the person in instead
    subject text,                        -- how the person is called there, for ever
    created_at integer not null,
    last_login_at integer,
    version integer not null default 0,  -- counts changes: nothing is done by what was read before one
    mac blob not null,                   -- keyed, over name, role, login and link: a row that was changed by hand opens nothing
    link blob,                           -- SHA-256 of the word of a one-time link
    link_until integer,
    check (password is null or subject is null),
    check ((issuer is null) = (subject is null)),
    check ((link is null) = (link_until is null))
) strict, without rowid;

create unique index accounts_subjects on accounts (issuer, subject) where subject is not null;
create unique index accounts_links on accounts (link) where link is not null;

-- The id of a session is in its browser alone.
create table sessions (
    number integer primary key autoincrement, -- to name it by; never used again
    digest blob not null,                -- SHA-256 of its id
    mac blob not null,                   -- keyed, over that, its account and its beginning
    account text not null references accounts (name) on delete cascade,
    begun_at integer not null,
    seen_at integer not null,            -- to the minute
    confirmed_at integer not null,       -- when the password was typed last
    address text,
    agent text
) strict;

create unique index sessions_digests on sessions (digest);
create index sessions_accounts on sessions (account, number);
