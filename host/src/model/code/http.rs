//! What the HTTP API refuses before it asks for anything: who calls, and how.

use crate::model::code::table::codes;

codes! {
    Auth: "The HTTP API does not know the caller, or the caller may not do this.";

    Missing = "auth.missing" {
        meaning: "The request has no API key.",
        remedy: "Send `Authorization: Bearer KEY`; make a key with `keepfresh api-key create`.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Invalid = "auth.invalid" {
        meaning: "The API key is unknown, mistyped, revoked or expired; the daemon's log says which.",
        remedy: "Check the key with `keepfresh api-key list`, or make a new one.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Ambiguous = "auth.ambiguous" {
        meaning: "The request has more than one Authorization header.",
        remedy: "Send one Authorization header.",
        exit: Failed, retryable: false, acts: Person,
    }
    InUrl = "auth.in_url" {
        meaning: "An API key stands in the URL, where proxies and logs keep it.",
        remedy: "Send the key in the Authorization header; revoke this one and make another.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Throttled = "auth.throttled" {
        meaning: "Too many requests with a wrong key came from this address or for this key.",
        remedy: "Wait as long as `Retry-After` says, and correct the key.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Scope = "auth.scope" {
        meaning: "The API key does not allow this.",
        remedy: "Use a key with the scope that the message names.",
        exit: Failed, retryable: false, acts: Operator,
    }
}

codes! {
    Http: "The HTTP API cannot accept the request as it is.";

    NotFound = "http.not_found" {
        meaning: "There is nothing at this path.",
        remedy: "See the paths in `/openapi.json`.",
        exit: Failed, retryable: false, acts: Person,
    }
    Method = "http.method" {
        meaning: "The path does not take this method.",
        remedy: "Use one that `Allow` names.",
        exit: Failed, retryable: false, acts: Person,
    }
    PathInvalid = "http.path_invalid" {
        meaning: "The path cannot be decoded.",
        remedy: "Write it as UTF-8, percent-encoded.",
        exit: Failed, retryable: false, acts: Person,
    }
    QueryInvalid = "http.query_invalid" {
        meaning: "The query has an unknown, repeated or invalid parameter.",
        remedy: "Correct the parameter that the message names.",
        exit: Failed, retryable: false, acts: Person,
    }
    BodyType = "http.body_type" {
        meaning: "The body is not JSON by its Content-Type, or it is compressed.",
        remedy: "Send JSON with `Content-Type: application/json`, uncompressed.",
        exit: Failed, retryable: false, acts: Person,
    }
    BodyInvalid = "http.body_invalid" {
        meaning: "The body is not the JSON that this path takes.",
        remedy: "Correct the member that the message names.",
        exit: Failed, retryable: false, acts: Person,
    }
    BodyTooLarge = "http.body_too_large" {
        meaning: "The body is larger than the API takes.",
        remedy: "Send less in one request; use `keepfresh connection import` for many connections.",
        exit: Failed, retryable: false, acts: Person,
    }
    Timeout = "http.timeout" {
        meaning: "The request was not sent, or not answered, in time.",
        remedy: "Send the same request again.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    Busy = "http.busy" {
        meaning: "The API has as many requests under way as it takes.",
        remedy: "Try again in a moment, with fewer at once.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    HostDenied = "http.host_denied" {
        meaning: "The Host header names a host that is not this server.",
        remedy: "Call it by its address, or add the name to `server.hosts`.",
        exit: Failed, retryable: false, acts: Operator,
    }
    CrossSite = "http.cross_site" {
        meaning: "A page of another site sent this request.",
        remedy: "Call the API from a program, not from a page of another site.",
        exit: Failed, retryable: false, acts: Person,
    }
    EventsGone = "http.events_gone" {
        meaning: "Events behind the one that the request names are no longer kept, or the database is another one.",
        remedy: "Read the connections once, then follow the events without `after` or from the one that the message names.",
        exit: Failed, retryable: false, acts: Person,
    }
    KeyReused = "http.idempotency_mismatch" {
        meaning: "The `Idempotency-Key` was used for another request.",
        remedy: "Use a new one for each request, and the same one only to repeat it.",
        exit: Failed, retryable: false, acts: Person,
    }
    Changed = "http.precondition" {
        meaning: "The connection has changed since the version that `If-Match` names.",
        remedy: "Read it again, then repeat the change.",
        exit: Failed, retryable: false, acts: Person,
    }
}

codes! {
    Proxy: "The proxy cannot pass a request on.";

    Off = "proxy.off" {
        meaning: "The manifest does not say that programs may send anything to this provider.",
        remedy: "Add `proxy = { to = [\"https://api.example.com/\"] }` to the provider; see `docs/proxy.md`.",
        exit: Failed, retryable: false, acts: Operator,
    }
    ToDenied = "proxy.to_denied" {
        meaning: "`Keepfresh-To` names an address that is not in `proxy.to` of the provider.",
        remedy: "Name one of those that the message lists, as it is written in the manifest.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Upgrade = "proxy.upgrade" {
        meaning: "The program wants to change to another protocol, such as WebSocket.",
        remedy: "Get the token with `GET /api/v1/connections/{id}/token`, and connect to the provider directly.",
        exit: Failed, retryable: false, acts: Person,
    }
    Parameter = "proxy.parameter_denied" {
        meaning: "The query has the parameter that the proxy puts the token into.",
        remedy: "Leave the parameter out.",
        exit: Failed, retryable: false, acts: Person,
    }
    Echo = "proxy.token_echoed" {
        meaning: "The provider repeats the token in its answers; it is replaced with stars.",
        remedy: "Look at which address that is, and take it out of `proxy.to` if nobody needs it.",
        exit: Failed, retryable: false, acts: Operator,
    }
}
