//! Tokens and refreshes.

use crate::model::code::table::codes;

codes! {
    Token: "A token is missing, not valid, or cannot be replaced.";

    None = "token.none" {
        meaning: "The connection has no valid token.",
        remedy: "Run `keepfresh status CONNECTION` to see why, and what happens next.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Invalid = "token.invalid" {
        meaning: "The given value is not a valid token.",
        remedy: "Give the bare token, or the JSON of a token endpoint.",
        exit: Failed, retryable: false, acts: Person,
    }
    Unprintable = "token.unprintable" {
        meaning: "The stored token or its type is not one line of visible ASCII, so it is not printed.",
        remedy: "Store another token, or read it with `--json`.",
        exit: Failed, retryable: false, acts: Operator,
    }
    GenerationUnknown = "token.generation_unknown" {
        meaning: "The rejected generation that the caller names has never existed.",
        remedy: "Pass the generation that came with the token, or omit it.",
        exit: Failed, retryable: false, acts: Person,
    }
    NotReplaced = "token.not_replaced" {
        meaning: "A caller reports that the provider rejected the token, and it cannot be replaced now.",
        remedy: "The message says why; to send a refresh anyway, run `keepfresh refresh CONNECTION --force`.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    DeadOnArrival = "token.dead_on_arrival" {
        meaning: "The new token had already expired, or expires within ten seconds; it is stored, and the refresh is retried with increasing backoff.",
        remedy: "Check the clocks, here and at the provider, and how the plugin reads the expiry; then run `keepfresh refresh CONNECTION --force`.",
        exit: Failed, retryable: true, acts: Operator,
    }
    RejectedWhenFresh = "token.rejected_when_fresh" {
        meaning: "The provider rejected a token that is only seconds old, so its age is not the reason.",
        remedy: "Check its scopes, and the account's permissions at the provider.",
        exit: Failed, retryable: false, acts: Person,
    }
}

codes! {
    Refresh: "A refresh was not completed.";

    Held = "refresh.held" {
        meaning: "The connection is already being refreshed.",
        remedy: "Try again in a moment.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    Fenced = "refresh.fenced" {
        meaning: "Another process took over the attempt, and only its outcome counts.",
        remedy: "See the outcome with `keepfresh log CONNECTION`.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    Interrupted = "refresh.interrupted" {
        meaning: "Keepfresh stopped before the attempt was finished.",
        remedy: "Nothing to do: the next attempt resolves it.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    NeedsPerson = "refresh.needs_person" {
        meaning: "There is no token, and the plugin cannot log in by itself.",
        remedy: "Connect the account, or set a token; `keepfresh status CONNECTION` shows how.",
        exit: Person, retryable: false, acts: Person,
    }
    GrantLost = "refresh.grant_lost" {
        meaning: "The answer to an earlier refresh was lost, and the provider does not accept the refresh token again.",
        remedy: "Log in again with `keepfresh connect`, or store a new token; `keepfresh status CONNECTION` shows how.",
        exit: Person, retryable: false, acts: Person,
    }
    OutcomeUnknown = "refresh.outcome_unknown" {
        meaning: "A request was sent, and it is unknown whether the provider processed it.",
        remedy: "Wait: Keepfresh resolves it as the provider's rotation allows; if the grant is lost, `keepfresh status CONNECTION` says so.",
        exit: Failed, retryable: true, acts: Nobody,
    }
}

codes! {
    Attempt: "There is no such attempt.";

    Unknown = "attempt.unknown" {
        meaning: "There is no attempt with this id, or it was pruned.",
        remedy: "Look it up with `keepfresh log --json`.",
        exit: Failed, retryable: false, acts: Person,
    }
}

codes! {
    Replay: "Captured answers cannot be read again.";

    Nothing = "replay.nothing" {
        meaning: "The connection has no captured answer to read.",
        remedy: "Nothing to do: every answer was used.",
        exit: Failed, retryable: false, acts: Nobody,
    }
}
