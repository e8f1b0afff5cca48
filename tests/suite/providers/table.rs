//! Every plugin in every situation, each as a test of its own.

use std::collections::BTreeSet;

use crate::providers::expected::{Moment, expected};
use crate::providers::situation::{Fault, at_login, at_refresh};
use crate::providers::subject::{self, ALL, First, Make, each_subject, plain};
use crate::tidy::plugins;

/// One test for each situation of a plugin that has tokens.
macro_rules! refreshes {
    ($($subject:ident $first:ident $life:ident,)+) => {$(
        mod $subject {
            use crate::providers::table::refresh_is_as_expected as check;
            use crate::providers::situation::Fault;
            use crate::providers::subject::$subject as make;

            cells! { check, make:
                a_refresh_brings_a_better_token: Nothing,
                what_the_provider_ended_is_replaced_or_needs_a_person: Revoked,
                wrong_credentials_need_a_person_and_the_token_stays: WrongCredentials,
                a_limit_is_waited_for_as_told: LimitTold,
                a_limit_without_a_time_is_waited_for: Limit,
                an_error_of_the_provider_leaves_the_token: ServerError,
                a_gateway_that_gave_up_leaves_the_token: BadGateway,
                a_page_for_people_is_no_token: Page,
                half_an_answer_is_no_token: HalfJson,
                a_request_that_was_cut_off_leaves_the_token: CutBefore,
                an_answer_that_was_cut_off_leaves_the_token: CutAfter,
            }
        }
    )+};
}

/// The same for one that logs in by itself, before it has any.
macro_rules! logins {
    ($($subject:ident $first:ident $life:ident,)+) => {
        $(login! { $first $subject })+
    };
}

macro_rules! login {
    (needs_somebody $subject:ident) => {};
    (logs_in $subject:ident) => {
        mod $subject {
            use crate::providers::situation::Fault;
            use crate::providers::subject::$subject as make;
            use crate::providers::table::login_is_as_expected as check;

            cells! { check, make:
                a_login_brings_a_token: Nothing,
                wrong_credentials_need_a_person: WrongCredentials,
                a_limit_is_waited_for_as_told: LimitTold,
                a_limit_without_a_time_is_waited_for: Limit,
                an_error_of_the_provider_is_waited_out: ServerError,
                a_gateway_that_gave_up_is_waited_out: BadGateway,
                a_page_for_people_is_no_token: Page,
                half_an_answer_is_no_token: HalfJson,
                a_request_that_was_cut_off_is_sent_again: CutBefore,
                an_answer_that_was_cut_off_is_asked_for_again: CutAfter,
            }
        }
    };
}

macro_rules! cells {
    ($check:ident, $make:ident: $($name:ident: $fault:ident,)+) => {$(
        #[test]
        fn $name() {
            $check($make, Fault::$fault);
        }
    )+};
}

each_subject!(refreshes);

/// Before there is a token.
mod first {
    use crate::providers::subject::each_subject;

    each_subject!(logins);
}

fn login_is_as_expected(make: Make, fault: Fault) {
    let subject = plain(make);
    let seen = at_login(&subject, fault);
    let expected = expected(Moment::Login, fault, subject.name);
    assert_eq!(seen, expected, "{} at its login, and {fault:?}", subject.name);
}

fn refresh_is_as_expected(make: Make, fault: Fault) {
    let subject = plain(make);
    let seen = at_refresh(&subject, fault);
    let expected = expected(Moment::Refresh, fault, subject.name);
    assert_eq!(seen, expected, "{} at a refresh, and {fault:?}", subject.name);
}

#[test]
fn every_plugin_is_a_subject() {
    let plugins: BTreeSet<_> = plugins().into_iter().collect();
    let subjects: BTreeSet<_> = ALL.iter().map(|make| plain(*make).plugin.to_owned()).collect();
    assert_eq!(plugins, subjects, "each_subject! in subject.rs has all of plugins/");
}

macro_rules! firsts {
    ($($subject:ident $first:ident $life:ident,)+) => {
        [$((plain(subject::$subject), stringify!($first))),+]
    };
}

#[test]
fn the_list_says_how_a_subject_gets_its_first_token() {
    for (subject, first) in each_subject!(firsts) {
        let expected = if subject.first == First::LogsIn { "logs_in" } else { "needs_somebody" };
        assert_eq!(first, expected, "{}", subject.name);
    }
}
