//! Requests that a plugin must not send, and requests that could not be sent.

use crate::model::code::table::codes;

codes! {
    Egress: "A request was refused, or could not be sent.";

    Denied = "egress.denied" {
        meaning: "The plugin tried to use the network in a call that has no network access.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    HostDenied = "egress.host_denied" {
        meaning: "The plugin requested a host that it does not declare.",
        remedy: "Correct the setting that contains the address, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: Operator,
    }
    SchemeDenied = "egress.scheme_denied" {
        meaning: "The plugin requested a scheme other than https, or one that it does not declare.",
        remedy: "Use an https address, or allow http with `egress.plaintext`, as the message shows.",
        exit: Person, retryable: false, acts: Operator,
    }
    PortDenied = "egress.port_denied" {
        meaning: "The plugin requested a port that it does not declare.",
        remedy: "Correct the setting that contains the address, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: Operator,
    }
    PathDenied = "egress.path_denied" {
        meaning: "The plugin requested a path that it does not declare.",
        remedy: "Correct the setting that contains the address, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: Operator,
    }
    MethodDenied = "egress.method_denied" {
        meaning: "The plugin used a method that it does not declare.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    TokenRequest = "egress.token_request" {
        meaning: "A program asked the proxy for a request by which the plugin gets or ends tokens.",
        remedy: "Leave tokens to Keepfresh, or name the whole address of the request in `proxy.to` to allow it.",
        exit: Failed, retryable: false, acts: Operator,
    }
    SecretDenied = "egress.secret_denied" {
        meaning: "The plugin tried to send a secret in a request that must not carry it.",
        remedy: "Report it to the plugin's author; do not use the plugin until you know why.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    UrlInvalid = "egress.url_invalid" {
        meaning: "The plugin requested a URL that is malformed or too long.",
        remedy: "Correct the setting that contains the address, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: Operator,
    }
    HeaderDenied = "egress.header_denied" {
        meaning: "The plugin tried to send headers that it must not set, or too many headers.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    BodyTooLarge = "egress.body_too_large" {
        meaning: "The plugin tried to send a body that is larger than the limit.",
        remedy: "Shorten the setting or the secret that goes into it, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    JsonInvalid = "egress.json_invalid" {
        meaning: "The plugin tried to send a body that is not valid JSON.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    TooManyRequests = "egress.too_many_requests" {
        meaning: "The plugin exceeded the number of requests per call.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    IpDenied = "egress.ip_denied" {
        meaning: "The host name resolves to an address that is not public.",
        remedy: "If that is intended, allow the network with `egress.networks`; the message shows the line.",
        exit: Person, retryable: false, acts: Operator,
    }
    IpLiteralDenied = "egress.ip_literal_denied" {
        meaning: "The URL has an IP address instead of a host name, and its network is not allowed.",
        remedy: "Use the host name, or allow the network with `egress.networks`.",
        exit: Person, retryable: false, acts: Operator,
    }
    RequestInvalid = "egress.request_invalid" {
        meaning: "The request is not valid HTTP; nothing was sent.",
        remedy: "Look for line breaks and control characters in settings and secrets; otherwise report it to the plugin's author.",
        exit: Failed, retryable: false, acts: PluginAuthor,
    }
    ClientFailed = "egress.client_failed" {
        meaning: "The HTTP client cannot be set up on this machine; nothing was sent.",
        remedy: "Install the system's root certificates (ca-certificates).",
        exit: Failed, retryable: true, acts: Operator,
    }
    DnsFailed = "egress.dns_failed" {
        meaning: "The provider's host name could not be resolved; nothing was sent.",
        remedy: "Check the name in the settings and this machine's DNS; an outage is retried automatically.",
        exit: Failed, retryable: true, acts: Operator,
    }
    ConnectFailed = "egress.connect_failed" {
        meaning: "The provider could not be reached; nothing was sent.",
        remedy: "Check this machine's network and firewall; an outage is retried automatically.",
        exit: Failed, retryable: true, acts: Operator,
    }
    ConnectTimeout = "egress.connect_timeout" {
        meaning: "The connection to the provider timed out; nothing was sent.",
        remedy: "Check this machine's network and firewall; an outage is retried automatically.",
        exit: Failed, retryable: true, acts: Operator,
    }
    TlsFailed = "egress.tls_failed" {
        meaning: "The TLS handshake failed; nothing was sent.",
        remedy: "Check the provider's certificate, this machine's clock, and its root certificates.",
        exit: Failed, retryable: true, acts: Operator,
    }
}
