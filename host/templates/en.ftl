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
plugin-limits-text = 64 MiB of memory (256 with a grant), 500 ms of computing and 8 requests for each call
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
system-key = Data key { $count }
system-key-seals = seals new values
system-key-opens = opens older values
system-backup = Back up the database file and the key, each in another place: one is worth nothing without the other.
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
