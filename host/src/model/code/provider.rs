//! What providers answer, or fail to.

use crate::model::code::table::codes;

codes! {
    Provider: "What a provider answered, as its plugin understands it.";

    InvalidCredentials = "provider.invalid_credentials" {
        meaning: "The provider does not accept the stored credentials.",
        remedy: "Correct the secrets; the connection is tried again once they have changed.",
        exit: Person, retryable: false, acts: Operator,
    }
    GrantExpired = "provider.grant_expired" {
        meaning: "The provider no longer accepts the refresh token.",
        remedy: "Connect the account anew, or give a new token; `keepfresh status CONNECTION` shows how.",
        exit: Person, retryable: false, acts: Person,
    }
    TokenRejected = "provider.token_rejected" {
        meaning: "The provider refused the access token.",
        remedy: "Connect the account anew, or give a new token; `keepfresh status CONNECTION` shows how.",
        exit: Person, retryable: false, acts: Person,
    }
    Misconfigured = "provider.misconfigured" {
        meaning: "The provider refuses a setting, the client or a scope.",
        remedy: "Correct the settings in the manifest, or the client at the provider.",
        exit: Person, retryable: false, acts: Operator,
    }
    RateLimited = "provider.rate_limited" {
        meaning: "The provider asks to slow down.",
        remedy: "Wait: it is tried again after the time that the provider wants; a lower `rate` avoids it.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    Unavailable = "provider.unavailable" {
        meaning: "The provider is down.",
        remedy: "Wait: it is tried again with growing pauses.",
        exit: Failed, retryable: true, acts: Provider,
    }
    Unexpected = "provider.unexpected" {
        meaning: "The plugin did not understand the provider's answer, which is kept if it may hold a token.",
        remedy: "Look for a newer plugin, then run `keepfresh plugin replay CONNECTION`.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    Failed = "provider.failed" {
        meaning: "The plugin reported a failure that fits no other case.",
        remedy: "Read the message, and look for a newer plugin.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    Timeout = "provider.timeout" {
        meaning: "The provider did not answer in time, so nobody knows whether it has acted.",
        remedy: "Wait: what its rotation allows is done by itself; a longer `timeout` helps if it is always slow.",
        exit: Failed, retryable: true, acts: Provider,
    }
    ConnectionLost = "provider.connection_lost" {
        meaning: "The connection broke before the answer was complete, so nobody knows whether the provider has acted.",
        remedy: "Wait: what its rotation allows is done by itself.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    HttpInvalid = "provider.http_invalid" {
        meaning: "The answer breaks the rules of HTTP and cannot be read.",
        remedy: "Check that the address is the provider's own and that nothing in between changes answers.",
        exit: Failed, retryable: true, acts: Provider,
    }
    HeadersTooLarge = "provider.headers_too_large" {
        meaning: "The answer has more or longer headers than are read.",
        remedy: "Check that the address is the provider's own, and report it to the provider.",
        exit: Failed, retryable: true, acts: Provider,
    }
    BodyTooLarge = "provider.body_too_large" {
        meaning: "The answer is larger than is read.",
        remedy: "Check that the address is the provider's own, and report it to the plugin's author.",
        exit: Failed, retryable: true, acts: Provider,
    }
    EncodingInvalid = "provider.encoding_invalid" {
        meaning: "The answer is compressed and cannot be unpacked.",
        remedy: "Check that nothing between here and the provider changes answers.",
        exit: Failed, retryable: true, acts: Provider,
    }
    EncodingUnsupported = "provider.encoding_unsupported" {
        meaning: "The answer is compressed in a way that nobody asked for.",
        remedy: "Check that the address is the provider's own, and report it to the provider.",
        exit: Failed, retryable: true, acts: Provider,
    }
}
