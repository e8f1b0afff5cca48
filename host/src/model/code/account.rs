//! People who use the dashboard: their accounts, and their logins.

use crate::model::code::table::codes;

codes! {
    Account: "An account of the dashboard cannot be made, found or changed.";

    Unknown = "account.unknown" {
        meaning: "There is no account of this name.",
        remedy: "See `keepfresh account list`.",
        exit: Failed, retryable: false, acts: Operator,
    }
    NameTaken = "account.name_taken" {
        meaning: "An account has this name.",
        remedy: "Choose another name, or make a new link for that account with `keepfresh account link NAME`.",
        exit: Failed, retryable: false, acts: Operator,
    }
    NameInvalid = "account.name_invalid" {
        meaning: "This cannot be the name of an account.",
        remedy: "Use letters and digits, and between them dots, hyphens, underscores, colons or one of `@` and `+`.",
        exit: Usage, retryable: false, acts: Operator,
    }
    NoDashboard = "account.no_dashboard" {
        meaning: "There is no dashboard that an account could be for.",
        remedy: "Set `server.listen` in the manifest, and do not set `dashboard.enabled` to false.",
        exit: Failed, retryable: false, acts: Operator,
    }
    OfProvider = "account.of_provider" {
        meaning: "The account belongs to a provider of OpenID Connect, which says who may log in and as what.",
        remedy: "Change the groups of the person there.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Changed = "account.changed_meanwhile" {
        meaning: "Somebody else changed the account at the same time.",
        remedy: "Look at the account, then try again.",
        exit: Failed, retryable: true, acts: Operator,
    }
    PasswordUnfit = "account.password_unfit" {
        meaning: "The password cannot be used.",
        remedy: "Choose one with 12 characters or more.",
        exit: Failed, retryable: false, acts: Person,
    }
    LinkOver = "account.link_over" {
        meaning: "The one-time link was used, was replaced by a newer one, or is older than 15 minutes.",
        remedy: "Ask an operator for a new one, made with `keepfresh account link NAME`.",
        exit: Failed, retryable: false, acts: Person,
    }
}

codes! {
    Login: "The dashboard does not let this person in.";

    Refused = "login.refused" {
        meaning: "There is no account with this name and this password.",
        remedy: "Try again, or ask an operator for a one-time link, made with `keepfresh account link NAME`.",
        exit: Failed, retryable: false, acts: Person,
    }
    Throttled = "login.throttled" {
        meaning: "There were too many failed logins to this account or from this address.",
        remedy: "Wait a few minutes, or use a one-time link, made with `keepfresh account link NAME`.",
        exit: Failed, retryable: true, acts: Person,
    }
    OverAlready = "login.over" {
        meaning: "The login at the provider took too long, was begun in another browser, or was used before.",
        remedy: "Log in again.",
        exit: Failed, retryable: true, acts: Person,
    }
    ProviderSaysNo = "login.provider_refused" {
        meaning: "The provider of OpenID Connect did not log the person in.",
        remedy: "Log in again; the message says what the provider has said.",
        exit: Failed, retryable: true, acts: Person,
    }
    ProviderUnusable = "login.provider_unusable" {
        meaning: "The provider of OpenID Connect cannot be asked, or what it says cannot be used.",
        remedy: "Check `[dashboard.oidc]`, and whether the provider answers.",
        exit: Failed, retryable: true, acts: Operator,
    }
    TokenInvalid = "login.token_invalid" {
        meaning: "The ID token of the provider is not valid, or not for this login.",
        remedy: "Log in again; if it happens again, check `issuer` and `client_id` in `[dashboard.oidc]`.",
        exit: Failed, retryable: true, acts: Operator,
    }
    NoGroup = "login.no_group" {
        meaning: "The person is in no group that may use the dashboard.",
        remedy: "Put the person into a group that `dashboard.oidc.operators` or `dashboard.oidc.viewers` names.",
        exit: Failed, retryable: false, acts: Operator,
    }
}
