# Texts of the dashboard in English. A translation is a file like this one, named in dashboard/words.rs.
# $count is a number of things. What the host says of connections and failures is not in here.

## Around every page
frame-skip = Skip to the content
frame-menu = Pages
menu-overview = Overview
menu-attempts = Attempts
menu-schedules = Schedules
menu-plugins = Plugins
menu-sinks = Sinks
menu-alerts = Alerts
menu-system = System
menu-audit = Audit
live-live = Live
live-paused = Paused
live-away = Reconnecting
live-title = Follows what happens. Press to pause or go on.
looks-zone = Time zone
looks-theme = Colours
looks-system = As the system
looks-light = Light
looks-dark = Dark
looks-keep = Keep

## Words that many pages use
word-provider = Provider
word-connection = Connection
word-outcome = Outcome
word-any = Any
word-filter = Filter
word-clear = Clear the filters
word-older = Older
word-copy = Copy
outcome-success = success
outcome-failed = failed
outcome-skipped = skipped
outcome-open = under way

## Moments and durations
time-now = now
time-in = in { $span }
time-ago = { $span } ago
time-d = { $count } d
time-h = { $count } h
time-min = { $count } min
time-s = { $count } s
time-ms = { $count } ms
time-seconds = { $seconds } s

## What was just done
done-refreshing = The refresh is under way.
done-paused = Paused. Nothing is refreshed until it is resumed.
done-resumed = Resumed.
done-cleared = The token is forgotten.
done-disconnected = Disconnected.
done-removed = Removed.
done-added = Added.
done-connected = Connected.
done-tested = The message was sent and accepted.
done-delivered = Delivered.

## Where there is no page
refused-back = To the overview
refused-read-only = You may look, but not change anything
refused-read-only-text = Your account is a viewer. An operator can change that: keepfresh account role NAME operator
refused-not-found = There is nothing here
refused-not-found-text = The page or the connection does not exist, or no longer does.
refused-unreadable = This could not be read
refused-unreadable-text = The address or the form has a value that is not possible. Go back and check it.
refused-elsewhere = This request came from another site
refused-elsewhere-text = Nothing was changed. Open the page here and try again.
refused-misdirected = This server is not called by that name
refused-misdirected-text = Add the name to server.hosts in the manifest, or set server.url.
refused-too-many = Too many at once
refused-too-many-text = Wait a moment and try again.
refused-failed = This was not done
refused-fault = A fault in this program
refused-fault-text = Nothing was changed. The log says more.

## Attempts
attempts-title = Attempts
attempts-since = Within
attempts-24h = 24 hours
attempts-7d = 7 days
attempts-30d = 30 days
attempts-newer = { $count ->
    [one] { $count } new attempt: show it
   *[other] { $count } new attempts: show them
}
attempts-unreadable = { $count ->
    [one] { $count } attempt cannot be read; the log says why.
   *[other] { $count } attempts cannot be read; the log says why.
}
attempts-none = No attempt matches.
attempts-started = Started
attempts-why = Why
attempts-took = Took
attempts-csv = Download these (CSV)
attempts-json = Download these (JSON)
attempts-most = The newest { $count } at most.
download-cut = Cut off after { $attempts } attempts. For older ones, add after={ $next } to the address of this file.
download-left-out = Attempts that cannot be read and are left out: { $attempts }. The log says why.

## Schedules
schedules-title = Schedules
schedules-none = No provider has a schedule. Tokens are refreshed by their expiry.
schedules-zone = Moments are in { $zone }; each expression counts in its own zone.
schedules-expression = Expression
schedules-own-zone = Its zone
schedules-next = Next runs
schedules-refreshes = Next refresh
schedules-backup = backup
schedules-connections = { $count ->
    [one] { $count } connection
   *[other] { $count } connections
}
schedules-once = The next refresh of each connection is counted. A token that lives for less than 24 hours is refreshed again within them.
schedules-overdue = { $count ->
    [one] { $count } refresh is overdue.
   *[other] { $count } refreshes are overdue.
}
schedules-late = Overdue
schedules-most = Most in an hour
schedules-most-at = { $count } at { $hour }
schedules-fit = Fit into an hour
schedules-fit-rate = { $count }: rate { $rate }
schedules-fit-concurrency = { $count }: concurrency { $places }, and half take { $took } at most
schedules-fit-unknown = not known: there is no rate, and none was refreshed in the last 24 hours
schedules-fit-nobody = the manifest has no such provider
schedules-too-much = { $count ->
    [one] { $provider }: { $count } refresh is due in the hour from { $hour }, and { $fit } fit into it.
   *[other] { $provider }: { $count } refreshes are due in the hour from { $hour }, and { $fit } fit into it.
}
schedules-done-by = The rest is done by { $hour }.
schedules-not-done = The rest is not done within these 24 hours.
schedules-helps = A longer refresh_before spreads expiries over a quarter of it, a longer jitter spreads ticks, and a higher limit lets more through.

## Plugins
plugins-title = Plugins
plugins-none = There is no .wasm file in the plugin folder. Put one there.
plugins-used = Used by
plugins-unused = no provider of the manifest
plugins-state = State
plugins-older = The file that was approved before runs on.
plugins-fine = runs
plugin-file = File
plugin-version = Version
plugin-differences = What it asks for that was not approved, and what it no longer asks for
plugin-what = What
plugin-approved = Approved
plugin-asked = Asked for now
plugin-approve = After checking this, approve it on the machine that Keepfresh runs on:
plugin-digest = Digest of the file
plugin-running = Running
plugin-about = Says of itself
plugin-documentation = The provider's documentation
plugin-limits = Limits
plugin-limits-text = { $memory } MiB of memory ({ $granted } with a grant), { $cpu } ms of computing and { $requests } requests for each call ({ $most } at most, if it asks for more)
plugin-reaches = What it sends, and where to
plugin-requests = Requests
plugin-reads = What it reads of answers
plugin-sealed-text = Everything else in an answer is sealed: the plugin cannot see it.
plugin-seals = Seals besides
plugin-secrets = Secrets
plugin-signs = Signs with
plugin-imports = Imports
plugin-settings = Defaults of settings
plugin-terms = Terms
plugin-sample = Lines for the manifest
plugin-add = No provider uses this file. This prints the lines for the manifest:

## Sinks and alerts
outlet-name = Name
outlet-kind = Kind
outlet-state = State
outlet-last = Last delivery
outlet-since = since
outlet-next = next try
outlet-waiting = { $count ->
    [one] { $count } waits
   *[other] { $count } wait
}
outlet-new = nothing sent yet
outlet-ok = ok
outlet-failing = failing
outlet-off = off
sinks-title = Sinks
sinks-none = Tokens are delivered nowhere. Add [[sinks]] to the manifest.
sinks-of = Of
sinks-run = Deliver now
sinks-failed = { $count ->
    [one] { $count } could not be delivered.
   *[other] { $count } could not be delivered.
}
sinks-delivered = { $count ->
    [one] { $count } was delivered.
   *[other] { $count } were delivered.
}
sinks-unchanged = { $count ->
    [one] { $count } was as it should be.
   *[other] { $count } were as they should be.
}
sinks-back = All sinks
alerts-title = Alerts
alerts-none = Nobody is told of problems. Add a channel to the manifest, such as:
alerts-on = Told of
alerts-test = Send a test

## System
system-title = System
system-not-ready = Tokens can neither be served nor refreshed: the database or its key does not answer. The log says why.
system-program = Program
system-manifest = Manifest
system-plugins = Plugin folder
system-listen = Listens at
system-providers = Providers
system-refused = { $count } refused
system-connections = Connections
system-need = Need a person
system-count = { $count }
system-overdue = Longest overdue
system-database = Database
system-file = File
system-size = Size
system-free = Free on its disk
system-kept = Attempts are kept for
system-key-place = Master key
system-key = Data key { $count }
system-key-seals = seals new values
system-key-opens = opens older values
system-backup = Back up the database and the master key, each in another place: one is worth nothing without the other. Keepfresh makes no copies by itself and does not know of yours.
system-copy = Copy the database while Keepfresh runs
system-copy-text = As the user that Keepfresh runs as. A copy that is put back has old refresh tokens, which some providers answer by ending the grant: read docs/backup.md before.
system-refreshes = Refreshes
system-rate = Success rate
system-doctor = Run the doctor
doctor-title = What the doctor found

## Audit
audit-title = Audit
audit-at = When
audit-actor = Who
audit-action = What
audit-subject = With what
audit-detail = More
audit-count = { $count } times
audit-none = No entry matches.

## Adding a connection
add-title = Add a connection
add-choose = Of which provider?
add-other = Plugins without a provider
add-other-text = The manifest is not written by Keepfresh. These commands print the lines to paste into it:
add-to = Add a connection of { $provider }
add-wrong = Nothing was added:
add-again = Secrets are not kept in the form: enter them again.
add-name = Name
add-name-help = Left empty, it is called default.
add-required = (required)
add-secret-given = The manifest has one for all connections; left empty, that one is used.
add-labels = Labels
add-labels-help = Words to find it by, with commas between them.
add-try = Log in, and add it if that works
add-without = Add it without trying
add-add = Add
add-manifest = In the manifest instead
add-manifest-text = A connection that the manifest lists is there as long as the manifest lists it. Paste and adapt:

## Connecting an account
connect-title = Connect { $connection }
connect-scopes = More scopes
connect-scopes-help = Besides those of the settings, with blanks between them. Usually empty.
connect-other = It may be another account than the one that is connected
connect-browser = Connect in this browser
connect-link = Make a link for somebody else
connect-device = Use a code on another device
connect-redirect = The provider has to know this address as a redirect URI:
connect-no-url = Set server.url in the manifest to where browsers reach this server: then this page can send a browser to the provider.
connect-not = This provider needs no person: it logs in by itself with its secrets.
connect-link-title = A link for somebody else
connect-link-text = It works once. It ends
connect-failed = { $connection } was not connected
connect-nothing = Nothing was stored; what was there before is still there.
connect-again = Try again
device-open = On any device, open
device-type = and enter this code:
device-until = The code ends
device-done = I have done that

## The door
door-plain = This connection is not encrypted. That is fine on this machine alone.
login-title = Log in
login-nobody = Nobody has an account yet. Make the first one on the machine that keepfresh runs on:
login-wrong = There is no account with this name and this password.
login-throttled = { $count ->
    [one] Too many failed logins. Try again in a minute.
   *[other] Too many failed logins. Try again in { $count } minutes.
}
login-provider = Log in at your provider
login-or = Or with a password
login-name = Name
login-password = Password
login-enter = Log in
login-lost = No password, or a lost one? An operator makes a link for you.
login-out = Log out
welcome-title = Choose a password
welcome-text = This link is for the account { $name }. It works once.
welcome-password = New password
welcome-again = The same again
welcome-help = { $count } characters or more; a few words that belong to you alone are good.
welcome-differ = These are two different passwords.
welcome-choose = Use this password
welcome-over = This link works no more
welcome-over-text = It was used, a newer one was made, or it is older than 15 minutes. An operator makes another one:
confirm-title = Is it you?
confirm-text = Before this goes on, show once more that it is you. That holds for five minutes.
confirm-wrong = That is not the password of this account.
confirm-go-on = Go on
own-title = Your account
own-sessions = Where you are logged in
own-no-sessions = Nowhere: you came through the socket of this machine.
own-begun = Since
own-seen = Last used
own-from = From
own-this = this one
own-end = End this session
own-new-password = Another password
own-help = All other sessions end.
accounts-title = Accounts
accounts-role = Role
accounts-login = Logs in by
accounts-last = Last login
accounts-never = never
accounts-change = Change
accounts-own = you
accounts-no-password = no password yet
accounts-made = { $name } chooses a password by this link. It works once, and ends
accounts-link = The link
accounts-copy = Copy
accounts-new-link = New link
accounts-to-operator = Make operator
accounts-to-viewer = Make viewer
accounts-remove = Remove
accounts-remove-surely = Remove { $name } and end its sessions
accounts-add = Add an account
accounts-viewer = Viewer: looks, and changes nothing
accounts-operator = Operator: may do everything
openid-title = You are not logged in
openid-again = Try again
## States and changes, in one word
state-new = new
state-fresh = fresh
state-refreshing = refreshing
state-late = late
state-expired = expired
state-reconnect = reconnect
state-misconfigured = misconfigured
state-paused = paused
change-refreshed = refreshed
change-recovered = works again
change-failed = failed
change-reconnect = needs a person to log in
change-misconfigured = needs a correction
change-critical = outcome unknown
change-ending = token ends soon
change-expired = token has ended
trigger-scheduled = by schedule
trigger-expiry = before its end
trigger-manual = by a person
trigger-forced = forced by a person
trigger-on-demand = for a caller
trigger-retry = tried again
trigger-backup = by backup schedule
trigger-recovery = after an interruption

## Pictures
word-as-table = As a table
word-as-list = As a list
gauge-said = { $percent } % of its life is used
gauge-unknown = Nobody says when it ends
strip-none = Never tried
strip-said = { $count ->
    [one] The last attempt; { $failed } failed
   *[other] The last { $count } attempts; { $failed } failed
}
calendar-said = { $count ->
    [0] The last 90 days, without a failure
    [one] The last 90 days, with failures on { $count } of them
   *[other] The last 90 days, with failures on { $count } of them
}
calendar-day = Day (UTC)
duration-provider = The provider
duration-waited = Waiting for a turn
duration-said = { $what }: half of the attempts and 95 of a hundred, day by day; { $most } at most
duration-changed = plugin changed: { $from } → { $to }
duration-rule = A broken line: from that day on, another file of the plugin ran. The table says which.
duration-provider-p50 = Provider, half
duration-provider-p95 = Provider, 95 %
duration-waited-p50 = Waiting, half
duration-waited-p95 = Waiting, 95 %
life-issued = stored
life-refresh = refresh
life-expires = ends
life-now = now
life-what = What
life-when = When

## Overview
overview-title = Overview
overview-need = { $count ->
    [one] { $count } of { $all } needs you
   *[other] { $count } of { $all } need you
}
overview-late = { $count ->
    [one] { $count } of { $all } is late; its callers have a token that works
   *[other] { $count } of { $all } are late; their callers have tokens that work
}
overview-fresh = { $count ->
    [one] The one connection is in order.
   *[other] All { $count } connections are in order.
}
overview-empty = There is no connection yet.
overview-next = Next refresh
overview-counted = Counted
overview-not-reloaded = The manifest was not reloaded; the last valid version stays in use
overview-more-troubles = { $count ->
    [one] and { $count } more
   *[other] and { $count } more
}
overview-retry = Refresh those that failed ({ $count })
overview-why = Why?
overview-ends = Expires in
ends-past = ended
ends-hour = < 1 h
ends-day = < 24 h
ends-week = < 7 d
ends-month = < 30 d
ends-later = later
ends-unknown = unknown
overview-ahead = Next 24 hours
overview-due = { $count ->
    [0] No refresh is due
    [one] { $count } refresh is due
   *[other] { $count } refreshes are due
}
overview-peak = most:
overview-at = at
overview-hour = Hour
overview-refreshes = Refreshes
overview-behind = Last 24 hours
overview-rate = Success
overview-p50 = Half took at most
overview-p95 = 95 % took at most
overview-changes = Recent changes
overview-connections = Connections
overview-search = Search names
overview-state = State
overview-label = Label
overview-lifetime = Lifetime
overview-next-refresh = Next refresh
overview-last = Last attempt
overview-strip = Last 30
overview-none = No connection matches.
overview-none-yet = None of those that were looked at so far matches.
overview-sort = Sorted by
sort-urgency = urgency
sort-name = name
sort-expiry = end of the token
sort-next = next refresh
overview-further = Further
overview-unreadable = { $count ->
    [one] The last attempt of { $count } connection cannot be read; the log says why.
   *[other] The last attempts of { $count } connections cannot be read; the log says why.
}
queued-title = Refreshes are queued
queued-said = { $count ->
    [0] There is nothing to refresh, so nothing is queued.
    [one] { $count } refresh is queued.
   *[other] { $count } refreshes are queued.
}
queued-failed = Of { $provider }: those that failed last.
queued-due = Of { $provider }: all; what is still valid is left as it is.
queued-forced = Of { $provider }: all, even if the token is still valid.
queued-any-provider = all providers
queued-more = and { $count } more
queued-text = They run in the background, within the limits of each provider. What is left out when its turn comes is in the log as skipped, with the reason.
queued-attempts = Watch the attempts
queued-skipped = What was left out, and why

## All of a provider
provider-refresh = Refresh all of { $provider }
provider-count = { $count ->
    [0] it has no connection.
    [one] { $count } connection.
   *[other] { $count } connections.
}
provider-need = { $count ->
    [one] { $count } of them needs a person: trying it again seldom helps.
   *[other] { $count } of them need a person: trying them again seldom helps.
}
provider-text = Each is looked at now, in the background and within the limits of the provider. What is due or has ended is refreshed. What is paused, is still valid or waits for its next try is left as it is, and the log says why.
provider-force = Refresh even if the token is still valid
provider-force-help = Tokens that still work are replaced: whoever holds an old one may find that it works no more. What waits for its next try is tried now. What is paused stays paused, and where the outcome of the last refresh is unknown, nothing is sent: only whoever refreshes that connection by itself may risk its grant.
provider-button = Refresh all

## A connection
connection-refresh = Refresh now
connection-force = Refresh even if it is still valid
connection-connect = Connect
connection-reconnect = Reconnect
connection-pause = Pause
connection-resume = Resume
connection-next-step = On the command line:
connection-life = The token now
connection-strip = Last attempts
connection-calendar = 90 days
connection-durations = How long it took
connection-facts = Facts
connection-delivered = Delivered to
connection-generations = Generations
connection-attempts = Attempts
connection-untried = It was never tried.
connection-log = All its attempts
connection-severe = What cannot be taken back
connection-clear = Forget the token
connection-disconnect = Disconnect
connection-remove = Remove
fact-provider = Provider
fact-plugin = Plugin
fact-generation = Generation
fact-token-type = Kind of token
fact-fingerprint = Fingerprint
fact-issued = Stored
fact-expires = Ends
fact-next-refresh = Next refresh
fact-refresh-expires = Refresh token ends
fact-active = Last asked for
fact-failures = Failures since the last success
fact-captured = Answers not understood yet
fact-scopes = Scopes
fact-missing-scopes = Scopes that are missing
fact-token = Token
facts-profile = Profile
facts-metadata = From the provider
facts-settings = Settings
facts-secrets = Secrets, and where each comes from
token-masked = The token is not shown
token-none = None
token-reveal = Reveal
token-title = The token
token-text = Whoever has it can use the account. That you have seen it is in the audit log.
delivered-new = nothing yet
delivered-ok = delivered
delivered-failing = failing
delivered-off = switched off

## Before something is done
confirm-foreseen = What it would do now:
confirm-back = Back
force-title = Refresh even if it is still valid
force-text = The token is refreshed now, whatever its expiry, and whatever its provider is waited for.
force-button = Refresh now
pause-title = Pause
pause-text = Nothing is refreshed while it is paused. Its token is handed out for as long as it works.
pause-button = Pause
pause-for = For
pause-hour = 1 hour
pause-four-hours = 4 hours
pause-day = 1 day
pause-week = 7 days
pause-open = Until it is resumed
pause-reason = Reason
pause-reason-help = Shown to others. Never a secret.
clear-title = Forget the token
clear-text = Access token and refresh token are deleted here. Callers get none until it is refreshed or connected again. The grant at the provider stays.
clear-button = Forget the token
disconnect-title = Disconnect
disconnect-text = The grant is revoked at the provider, and the token is deleted here. A connection that was added is removed with it. It works again only after somebody has connected the account anew.
disconnect-button = Disconnect
disconnect-force = Delete it here even if the provider does not answer
remove-title = Remove
remove-text = The connection, its token and its secrets are deleted here. Its grant at the provider is not revoked. Its attempts stay in the log.
remove-button = Remove
remove-type = To remove it, type its name:
remove-mistyped = That is not its name. Nothing was removed.

## An attempt
attempt-title = Attempt with { $connection }
attempt-meaning = What it means
attempt-remedy = What helps
attempt-trigger = Why it was tried
attempt-split = Where its time went
split-waited = Waiting for its turn
split-provider = The provider
split-rest = Keepfresh and the plugin
attempt-requests = Requests
attempt-no-requests = None is known: nothing was sent, or it is from a version that did not note it.
attempt-method = Method
attempt-address = Address
attempt-status = Status
attempt-sent = Sent
attempt-received = Received
attempt-no-answer = no answer
attempt-bytes = { $count } B
attempt-support = For whoever helps you
attempt-support-text = What is known of this attempt, without secrets.
attempt-download = Download
