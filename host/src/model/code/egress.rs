//! The way out: what a plugin may not ask for, and why no request left this machine.

use crate::model::code::table::codes;

codes! {
    Egress: "A request was refused, or did not leave this machine.";

    Denied = "egress.denied" {
        meaning: "The plugin asked for the network in a call that has none.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    HostDenied = "egress.host_denied" {
        meaning: "The plugin asked for a host that it does not declare.",
        remedy: "Correct the setting that the address is made of, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: Operator,
    }
    SchemeDenied = "egress.scheme_denied" {
        meaning: "The plugin asked for another scheme than https, or than it declares.",
        remedy: "Use an https address, or allow http with `egress.plaintext` where the message shows the line.",
        exit: Person, retryable: false, acts: Operator,
    }
    PortDenied = "egress.port_denied" {
        meaning: "The plugin asked for a port that it does not declare.",
        remedy: "Correct the setting that the address is made of, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: Operator,
    }
    PathDenied = "egress.path_denied" {
        meaning: "The plugin asked for a path that it does not declare.",
        remedy: "Correct the setting that the address is made of, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: Operator,
    }
    MethodDenied = "egress.method_denied" {
        meaning: "The plugin asked with a method that it does not declare.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    SecretDenied = "egress.secret_denied" {
        meaning: "The plugin wanted to send a secret in a request that may not carry it.",
        remedy: "Report it to the plugin's author; do not use the plugin until you know why.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    UrlInvalid = "egress.url_invalid" {
        meaning: "The plugin asked for a malformed or too long URL.",
        remedy: "Correct the setting that the address is made of, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: Operator,
    }
    HeaderDenied = "egress.header_denied" {
        meaning: "The plugin wanted to send headers that it may not set, or too many of them.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    BodyTooLarge = "egress.body_too_large" {
        meaning: "The plugin wanted to send a larger body than a request may have.",
        remedy: "Shorten the setting or the secret that goes into it, or report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    JsonInvalid = "egress.json_invalid" {
        meaning: "The plugin wanted to send a body that is not valid JSON.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    TooManyRequests = "egress.too_many_requests" {
        meaning: "The plugin made more requests in one call than it may.",
        remedy: "Report it to the plugin's author.",
        exit: Person, retryable: false, acts: PluginAuthor,
    }
    IpDenied = "egress.ip_denied" {
        meaning: "The host's name leads to an address that is not public.",
        remedy: "If that is meant, allow the network with `egress.networks`; the message shows the line.",
        exit: Person, retryable: false, acts: Operator,
    }
    IpLiteralDenied = "egress.ip_literal_denied" {
        meaning: "The address is a number instead of a name, and no grant names its network.",
        remedy: "Use the host's name, or allow the network with `egress.networks`.",
        exit: Person, retryable: false, acts: Operator,
    }
    RequestInvalid = "egress.request_invalid" {
        meaning: "The request cannot be written as HTTP; nothing was sent.",
        remedy: "Look for line breaks and control characters in settings and secrets, else report it to the plugin's author.",
        exit: Failed, retryable: false, acts: PluginAuthor,
    }
    ClientFailed = "egress.client_failed" {
        meaning: "The HTTP client cannot be set up on this machine; nothing was sent.",
        remedy: "Install the system's root certificates (ca-certificates).",
        exit: Failed, retryable: true, acts: Operator,
    }
    DnsFailed = "egress.dns_failed" {
        meaning: "The provider's name could not be resolved; nothing was sent.",
        remedy: "Check the name in the settings and this machine's DNS; an outage is tried again by itself.",
        exit: Failed, retryable: true, acts: Operator,
    }
    ConnectFailed = "egress.connect_failed" {
        meaning: "The provider could not be reached; nothing was sent.",
        remedy: "Check this machine's network and firewall; an outage is tried again by itself.",
        exit: Failed, retryable: true, acts: Operator,
    }
    ConnectTimeout = "egress.connect_timeout" {
        meaning: "The provider could not be reached in time; nothing was sent.",
        remedy: "Check this machine's network and firewall; an outage is tried again by itself.",
        exit: Failed, retryable: true, acts: Operator,
    }
    TlsFailed = "egress.tls_failed" {
        meaning: "No trusted TLS connection came about; nothing was sent.",
        remedy: "Check the provider's certificate, this machine's clock, and its root certificates.",
        exit: Failed, retryable: true, acts: Operator,
    }
}
