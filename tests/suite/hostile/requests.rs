//! Plugins that ask for what they did not declare, or for too much. The provider must not hear of it.

use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;

use crate::hostile::Stage;

#[test]
fn a_host_that_was_not_declared_is_not_contacted() {
    Stage::new().stops("calls-elsewhere").is(
        "egress.host_denied",
        "calls-elsewhere may not contact evil.example (allowed: 127.0.0.1)",
    );
}

#[test]
fn a_path_that_was_not_declared_is_not_contacted() {
    let stage = Stage::new();
    stage.stops("calls-other-path").is(
        "egress.path_denied",
        "calls-other-path may not contact 127.0.0.1 at /other (allowed: /token, /go)",
    );
    assert_eq!(stage.rotor.control().seen(), 0);
}

#[test]
fn a_redirect_is_shown_and_does_not_widen_what_was_declared() {
    let stage = Stage::new();
    let away = Answer::redirect("https://evil.example/collect?x=1");
    stage.rotor.control().script(Scenario::from(away).on("/go"));
    stage.stops("follows-redirect").is(
        "egress.host_denied",
        "follows-redirect may not contact evil.example (allowed: 127.0.0.1)",
    );
    assert_eq!(stage.rotor.control().seen(), 1, "the host itself followed nothing");
}

#[test]
fn a_redirect_to_the_metadata_service_is_refused_with_its_address() {
    let stage = Stage::new();
    let away = Answer::redirect("http://169.254.169.254/latest/meta-data/");
    stage.rotor.control().script(Scenario::from(away).on("/go"));
    stage.stops("follows-redirect").is(
        "egress.ip_literal_denied",
        "follows-redirect may not contact 169.254.169.254: an address, not a name",
    );
}

#[test]
fn a_redirect_to_another_path_of_the_same_host_is_refused() {
    let stage = Stage::new();
    let away = Answer::redirect(&format!("{}/admin", stage.rotor.base_url()));
    stage.rotor.control().script(Scenario::from(away).on("/go"));
    stage.stops("follows-redirect").is(
        "egress.path_denied",
        "follows-redirect may not contact 127.0.0.1 at /admin (allowed: /token, /go)",
    );
}

#[test]
fn the_ninth_request_of_a_call_is_not_sent() {
    let stage = Stage::new();
    stage
        .stops("sends-nine")
        .is("egress.too_many_requests", "sends-nine made more than 8 requests in one call");
    assert_eq!(stage.rotor.control().seen(), 8);
}

#[test]
fn a_body_of_300_kib_is_not_sent() {
    let stage = Stage::new();
    stage
        .stops("big-body")
        .is("egress.body_too_large", "big-body sent a body of 301 KiB; the limit is 256 KiB");
    assert_eq!(stage.rotor.control().seen(), 0);
}

#[test]
fn the_host_header_belongs_to_the_host() {
    let stage = Stage::new();
    stage
        .stops("sets-host-header")
        .is("egress.header_denied", "sets-host-header may not set the header \"Host\"");
    assert_eq!(stage.rotor.control().seen(), 0);
}
