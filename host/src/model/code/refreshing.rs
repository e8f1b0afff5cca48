//! Tokens and refreshes.

use crate::model::code::table::codes;

codes! {
    Token: "A token is not there, or not as it should be.";

    None = "token.none" {
        meaning: "The connection has no token that works.",
        remedy: "Run `keepfresh status CONNECTION`: it says why, and what comes next.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Invalid = "token.invalid" {
        meaning: "What was given as a token is not one.",
        remedy: "Give the token alone, or the JSON of a token endpoint.",
        exit: Failed, retryable: false, acts: Person,
    }
    Unprintable = "token.unprintable" {
        meaning: "The stored token or its type is not one line of visible ASCII, so it is not printed.",
        remedy: "Have another one stored, or read it with `--json`.",
        exit: Failed, retryable: false, acts: Operator,
    }
    GenerationUnknown = "token.generation_unknown" {
        meaning: "The token set that was refused according to the caller has never been there.",
        remedy: "Say the generation that came with the token, or none.",
        exit: Failed, retryable: false, acts: Person,
    }
    DeadOnArrival = "token.dead_on_arrival" {
        meaning: "The token that came had ended, or ends before anybody can use it; it is stored, and asked for anew after growing pauses.",
        remedy: "Look at the clocks, here and at the provider, and at what its plugin takes for the end; then run `keepfresh refresh CONNECTION --force`.",
        exit: Failed, retryable: true, acts: Operator,
    }
    RejectedWhenFresh = "token.rejected_when_fresh" {
        meaning: "The provider refuses a token that was stored a moment ago, so its age is not why.",
        remedy: "Look at its scopes, and at the account's rights at the provider.",
        exit: Failed, retryable: false, acts: Person,
    }
}

codes! {
    Refresh: "A refresh did not come to its end.";

    Held = "refresh.held" {
        meaning: "Somebody else is refreshing the connection right now.",
        remedy: "Try again in a moment.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    Fenced = "refresh.fenced" {
        meaning: "Another process took the attempt over, and its outcome counts.",
        remedy: "See what it came to: `keepfresh log CONNECTION`.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    NeedsPerson = "refresh.needs_person" {
        meaning: "There is no token, and the plugin cannot log in by itself.",
        remedy: "Connect the account, or give a token; `keepfresh status CONNECTION` shows how.",
        exit: Person, retryable: false, acts: Person,
    }
    OutcomeUnknown = "refresh.outcome_unknown" {
        meaning: "A request left, and nobody knows whether the provider acted on it.",
        remedy: "Wait: what its rotation allows is done by itself; if the grant is lost, `keepfresh status CONNECTION` says so.",
        exit: Failed, retryable: true, acts: Nobody,
    }
}

codes! {
    Replay: "Captured answers cannot be read again.";

    Nothing = "replay.nothing" {
        meaning: "No captured answer waits for the connection.",
        remedy: "There is nothing to do: everything that came was used.",
        exit: Failed, retryable: false, acts: Nobody,
    }
}
