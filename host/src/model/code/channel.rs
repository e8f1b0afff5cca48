//! Why a message could not be delivered.

use crate::model::code::table::codes;

codes! {
    Channel: "A message of a channel, or the heartbeat, was not delivered.";

    Unknown = "channel.unknown" {
        meaning: "The manifest has no channel of this name.",
        remedy: "List the channels with `keepfresh channel list`.",
        exit: Usage, retryable: false, acts: Person,
    }
    Status = "channel.status" {
        meaning: "The receiver answered with a status that is no success.",
        remedy: "Look into the receiver's log; the message is sent again for three days.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Redirect = "channel.redirect" {
        meaning: "The receiver answered with a redirect, which is not followed.",
        remedy: "Write the address that it leads to into the manifest.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Gone = "channel.gone" {
        meaning: "The receiver answered with 410 and gets nothing more.",
        remedy: "Correct its address, or remove the channel; a successful `keepfresh channel test NAME` turns it on again.",
        exit: Failed, retryable: false, acts: Operator,
    }
    UrlInvalid = "channel.url_invalid" {
        meaning: "The URL of a channel, read from its source, is not an http or https URL.",
        remedy: "Correct what its source holds.",
        exit: Config, retryable: false, acts: Operator,
    }
    SecretInvalid = "channel.secret_invalid" {
        meaning: "The secret that webhooks are signed with is not `whsec_` and base64 of 24 to 64 bytes.",
        remedy: "Use the secret as the receiver shows it, or make one with `openssl rand -base64 32` and `whsec_` before it.",
        exit: Config, retryable: false, acts: Operator,
    }
    MailUnreachable = "channel.mail_unreachable" {
        meaning: "The mail server could not be reached, or offers no TLS that is accepted.",
        remedy: "Check host, port and certificate of the mail server.",
        exit: Failed, retryable: true, acts: Operator,
    }
    MailRefused = "channel.mail_refused" {
        meaning: "The mail server did not take the message.",
        remedy: "Check user, password, sender and recipients with the server's log.",
        exit: Failed, retryable: true, acts: Operator,
    }
    MailInvalid = "channel.mail_invalid" {
        meaning: "The message cannot be written as mail: an address is invalid.",
        remedy: "Correct the addresses of the channel.",
        exit: Failed, retryable: false, acts: Operator,
    }
    NoAddress = "channel.no_address" {
        meaning: "The profile of the connection has no e-mail address.",
        remedy: "Use a plugin whose profile has one, or tell the person another way.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Template = "channel.template" {
        meaning: "A template of the channel has no result for a message, which was sent in the usual words.",
        remedy: "Correct `title` or `text` of the channel, so that it holds for every kind of message.",
        exit: Config, retryable: false, acts: Operator,
    }
    TooOld = "channel.too_old" {
        meaning: "The message could not be delivered within three days and was given up.",
        remedy: "Correct what the error before it says, then check with `keepfresh channel test NAME`.",
        exit: Failed, retryable: false, acts: Operator,
    }
}
