//! The two first providers through the real program: first logins, refreshes, and what is presented.

use e2e::provider::family::Class;
use e2e::provider::fingerprint::fingerprint;
use e2e::provider::{FakeProvider, Kind, eskiz, jibit};
use e2e::stage::{self, Stage};

const LOGIN: &str = "POST /api/auth/login";
const REFRESH: &str = "PATCH /api/auth/refresh";

#[test]
fn eskiz_logs_in_first_and_refreshes_with_its_own_token() {
    let stage = Stage::eskiz("");
    let first = stage.refresh(&[]);
    assert_eq!((&first["outcome"], &first["trigger"]), (&"success".into(), &"manual".into()));
    assert_eq!((&first["reason"], &first["generation"]), (&"logged in".into(), &1.into()));
    let token = stage.token();
    let second = stage.refresh(&["--force"]);
    assert_eq!((&second["outcome"], &second["trigger"]), (&"success".into(), &"forced".into()));
    assert_eq!(second["generation"], 2);
    assert_eq!(stage.seen(), [LOGIN, REFRESH]);
    let journal = stage.control().journal();
    assert_eq!(journal[0].fields, ["email", "password"]);
    assert_eq!(journal[1].presented["bearer"], fingerprint(&token));
    assert_ne!(stage.token(), token);
}

#[test]
fn a_second_refresh_is_skipped_with_its_reason_and_sends_nothing() {
    let stage = Stage::eskiz("").logged_in();
    let run = stage.run_refresh(&[]).exits(0).json();
    let attempt = &run["attempts"][0];
    assert_eq!(attempt["outcome"], "skipped");
    let reason = attempt["reason"].as_str().unwrap();
    assert!(reason.starts_with("still valid for 2"), "{reason}");
    assert!(reason.ends_with("use --force to refresh now"), "{reason}");
    assert_eq!(run["summary"]["skipped"], 1);
    assert_eq!(stage.seen(), [LOGIN]);
    let log = stage.home.run(&["log", "--json", "--outcome", "skipped"]).exits(0).json();
    assert_eq!(log["attempts"][0]["id"], attempt["id"]);
}

#[test]
fn jibit_presents_both_tokens_of_the_last_pair_and_stores_the_next() {
    let stage = Stage::jibit("").logged_in();
    for generation in 2..=4 {
        let token = stage.token();
        let attempt = stage.refresh(&["--force"]);
        assert_eq!(
            (&attempt["outcome"], &attempt["generation"]),
            (&"success".into(), &generation.into())
        );
        let journal = stage.control().journal();
        let last = journal.last().unwrap();
        assert_eq!(last.path, "/ide/v1/tokens/refresh");
        assert_eq!(last.fields, ["accessToken", "refreshToken"]);
        assert_eq!(last.presented["accessToken"], fingerprint(&token));
    }
    let journal = stage.control().journal();
    let mut presented =
        journal[1..].iter().map(|it| &it.presented["refreshToken"]).collect::<Vec<_>>();
    presented.dedup();
    assert_eq!(presented.len(), 3, "each rotated token is presented once");
    let family = stage.control().family("ide-0").unwrap();
    assert_eq!((family.rotations, family.revoked, family.undelivered), (3, false, 0));
}

#[test]
fn jibit_may_refresh_with_an_access_token_that_has_expired() {
    let stage = Stage::jibit("").logged_in();
    stage.control().advance(90_000);
    assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
    assert_eq!(stage.count("/generate"), 1, "no second login");
}

#[test]
fn every_product_of_jibit_logs_in_and_refreshes_at_its_own_paths() {
    for (product, paths, fields) in [
        ("ide", ["/ide/v1/tokens/generate", "/ide/v1/tokens/refresh"], 2),
        ("ppg", ["/ppg/v3/tokens", "/ppg/v3/tokens/refresh"], 1),
        ("trf", ["/trf/v2/tokens/generate", "/trf/v2/tokens/refresh"], 2),
        ("cobank", ["/cobank/v1/tokens/generate", "/cobank/v1/tokens/refresh"], 2),
    ] {
        let stage = Stage::jibit(&format!("settings.product = \"{product}\"")).logged_in();
        assert_eq!(stage.refresh(&["--force"])["outcome"], "success", "{product}");
        let journal = stage.control().journal();
        let seen = journal.iter().map(|it| it.path.as_str()).collect::<Vec<_>>();
        assert_eq!(seen, paths);
        assert_eq!(journal[1].fields.len(), fields, "{product}");
    }
}

#[test]
fn both_providers_are_refreshed_at_once_and_one_of_them_alone() {
    let eskiz = FakeProvider::start(Kind::Eskiz(eskiz::Settings::default())).unwrap();
    let jibit = FakeProvider::start(Kind::Jibit(jibit::Settings::default())).unwrap();
    let sections = stage::eskiz_section(&eskiz, "") + &stage::jibit_section(&jibit, "");
    let home = stage::home(&sections);
    let run = |arguments: &[&str]| {
        home.run(&[&["refresh", "--json"], arguments].concat()).exits(0).json()["summary"].clone()
    };
    assert_eq!(run(&["--all"])["success"], 2);
    assert_eq!(run(&["--provider", "jibit", "--force"])["success"], 1);
    assert_eq!(run(&["eskiz", "--force"])["success"], 1);
    assert_eq!(run(&[])["skipped"], 2);
    assert_eq!(run(&["--failed"])["success"], 0);
    assert_eq!((eskiz.control().seen(), jibit.control().seen()), (2, 2));
}

#[test]
fn an_eskiz_token_that_is_refused_leads_to_a_login() {
    let stage = Stage::eskiz("").logged_in();
    stage.control().revoke_everything();
    let attempt = stage.refresh(&["--force"]);
    assert_eq!(attempt["outcome"], "success");
    let reason = attempt["reason"].as_str().unwrap();
    assert!(reason.starts_with("logged in again: "), "{reason}");
    assert_eq!(stage.seen(), [LOGIN, REFRESH, LOGIN]);
    assert_eq!(stage.state(), "fresh");
}

#[test]
fn a_pair_that_jibit_refuses_leads_to_a_login_in_either_envelope_and_with_any_status() {
    for (flat_ide, bad_refresh_status) in [(false, 401), (true, 401), (false, 400), (true, 403)] {
        let settings =
            jibit::Settings { flat_ide, bad_refresh_status, ..jibit::Settings::default() };
        let stage = Stage::jibit_as(settings, "").logged_in();
        stage.control().revoke_everything();
        let attempt = stage.refresh(&["--force"]);
        assert_eq!(attempt["outcome"], "success", "{attempt}");
        let journal = stage.control().journal();
        let seen = journal.iter().map(|it| it.status.unwrap()).collect::<Vec<_>>();
        assert_eq!(seen, [200, bad_refresh_status, 200]);
    }
}

#[test]
fn a_wrong_key_is_understood_in_either_envelope() {
    for flat_ide in [false, true] {
        let settings = jibit::Settings { flat_ide, ..jibit::Settings::default() };
        let stage = Stage::jibit_as(settings, "");
        stage.control().reject_credentials(true);
        let run = stage.run_refresh(&[]).exits(4).json();
        assert_eq!(run["attempts"][0]["error"]["code"], "provider.invalid_credentials");
    }
}

#[test]
fn a_provider_that_spares_the_old_pair_makes_no_difference() {
    for class in [Class::None, Class::Grace(30), Class::UntilUsed] {
        let stage = Stage::jibit_as(jibit::Settings { class, ..jibit::Settings::default() }, "");
        let stage = stage.logged_in();
        for _ in 0..2 {
            assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
        }
        assert_eq!(stage.control().families().len(), 1, "{class:?}: no second login");
    }
}
