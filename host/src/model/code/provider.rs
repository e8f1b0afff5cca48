//! What providers answer, or fail to.

use crate::model::code::table::codes;

codes! {
    Provider: "The provider reported a problem, or its answer could not be used.";

    InvalidCredentials = "provider.invalid_credentials" {
        meaning: "The provider rejected the stored credentials.",
        remedy: "Correct the secrets; the connection is retried once they have changed.",
        exit: Person, retryable: false, acts: Operator,
    }
    GrantExpired = "provider.grant_expired" {
        meaning: "The provider no longer accepts the refresh token.",
        remedy: "Connect the account again, or set a new token; `keepfresh status CONNECTION` shows how.",
        exit: Person, retryable: false, acts: Person,
    }
    TokenRejected = "provider.token_rejected" {
        meaning: "The provider rejected the access token.",
        remedy: "Connect the account again, or set a new token; `keepfresh status CONNECTION` shows how.",
        exit: Person, retryable: false, acts: Person,
    }
    Misconfigured = "provider.misconfigured" {
        meaning: "The provider rejected a setting, the client or a scope.",
        remedy: "Correct the settings in the manifest, or the client at the provider.",
        exit: Person, retryable: false, acts: Operator,
    }
    RateLimited = "provider.rate_limited" {
        meaning: "The provider's rate limit was reached.",
        remedy: "Wait: the request is retried after the time that the provider gives; a lower `rate` avoids this.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    Unavailable = "provider.unavailable" {
        meaning: "The provider is down.",
        remedy: "Wait: the request is retried with increasing backoff.",
        exit: Failed, retryable: true, acts: Provider,
    }
    Unexpected = "provider.unexpected" {
        meaning: "The plugin did not understand the provider's answer, which is stored if it may contain a token.",
        remedy: "Look for a newer plugin, then run `keepfresh plugin replay CONNECTION`.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    Failed = "provider.failed" {
        meaning: "The plugin reported a failure that has no code of its own.",
        remedy: "Read the message, and look for a newer plugin.",
        exit: Failed, retryable: true, acts: PluginAuthor,
    }
    Timeout = "provider.timeout" {
        meaning: "The provider did not answer in time, so it is unknown whether it processed the request.",
        remedy: "Wait: Keepfresh resolves it as the provider's rotation allows; increase `timeout` if the provider is always slow.",
        exit: Failed, retryable: true, acts: Provider,
    }
    ConnectionLost = "provider.connection_lost" {
        meaning: "The connection broke before the answer was complete, so it is unknown whether the provider processed the request.",
        remedy: "Wait: Keepfresh resolves it as the provider's rotation allows.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    HttpInvalid = "provider.http_invalid" {
        meaning: "The answer is not valid HTTP.",
        remedy: "Check that the address is the provider's, and that no proxy changes its answers.",
        exit: Failed, retryable: true, acts: Provider,
    }
    HeadersTooLarge = "provider.headers_too_large" {
        meaning: "The answer has too many headers, or headers that are too long.",
        remedy: "Check that the address is the provider's, and report it to the provider.",
        exit: Failed, retryable: true, acts: Provider,
    }
    BodyTooLarge = "provider.body_too_large" {
        meaning: "The answer is larger than the limit.",
        remedy: "Check that the address is the provider's, and report it to the plugin's author.",
        exit: Failed, retryable: true, acts: Provider,
    }
    EncodingInvalid = "provider.encoding_invalid" {
        meaning: "The compressed answer cannot be decompressed.",
        remedy: "Check that no proxy changes the provider's answers.",
        exit: Failed, retryable: true, acts: Provider,
    }
    EncodingUnsupported = "provider.encoding_unsupported" {
        meaning: "The answer is compressed with an encoding that was not requested.",
        remedy: "Check that the address is the provider's, and report it to the provider.",
        exit: Failed, retryable: true, acts: Provider,
    }
}
