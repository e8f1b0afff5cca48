//! Logins as tables: what a server answers, what is sent next, and how it ends.

use crate::Plugin;
use crate::tests::fact;
use sdk::testing::{Canned, Played, context, login};
use sdk::{Body, Context, Request, Tokens};

const LOGIN: &str = "https://a.example/api/login";
const SERVER: &str = "https://a.example";
const CLIENT: (&str, &str) = ("client_id", "app");

/// A connection with an e-mail and a password, and `more` settings.
fn person(login: &str, more: &[(&str, &str)]) -> Context {
    let settings = [&[("login_url", login)], more].concat();
    let mut context = context::<Plugin>(&settings);
    context.secrets.retain(|name| name == "email" || name == "password");
    context
}

/// A connection with a client and its secret.
fn client(login: &str) -> Context {
    let mut context = context::<Plugin>(&[("login_url", login), CLIENT]);
    context.secrets.retain(|name| name == "client_secret");
    context
}

fn play(context: &Context, answers: &[Canned]) -> Played<Tokens> {
    let played = login::<Plugin>(context, answers);
    assert!(played.requests.len() <= 16);
    played
}

/// A request in short: `/api/login json email password`.
fn short(request: &Request) -> String {
    let path = request.url.replace("{login_url}", "=").replace("{login_url.origin}", "");
    let (kind, members) = match &request.body {
        Body::Json(members) => ("json", members),
        Body::Form(members) => ("form", members),
        _ => ("?", &Vec::new()),
    };
    let basic = request.headers.iter().any(|(name, _)| name == "Authorization");
    let names = members.iter().map(|(name, _)| name.as_str());
    let words = [path.as_str(), kind].into_iter().chain(names).chain(basic.then_some("+basic"));
    words.collect::<Vec<_>>().join(" ")
}

/// What was sent, and how it ended.
fn run(context: &Context, answers: &[(u16, &str)]) -> (Vec<String>, &'static str) {
    let answers: Vec<_> = answers.iter().map(|(status, body)| Canned::new(*status, body)).collect();
    let played = play(context, &answers);
    (played.requests.iter().map(short).collect(), played.case())
}

const OK: (u16, &str) = (200, r#"{"access_token":"t"}"#);
const NONE: (u16, &str) = (404, "");

/// The first request of a person, the same as a form, and the first of the usual paths.
const FIRST: &str = "= json email password";
const FORM: &str = "= form grant_type username password";
const NEXT: &str = "/oauth/token form grant_type username password";

#[test]
fn what_is_no_login_leads_to_the_next_address() {
    for answer in [NONE, (405, "{}"), (501, ""), (200, "<html> x"), (302, ""), (410, ""), (419, "")]
    {
        let (sent, case) = run(&person(LOGIN, &[]), &[answer, OK]);
        assert_eq!((sent, case), (vec![FIRST.to_owned(), NEXT.to_owned()], "ok"), "{answer:?}");
    }
}

#[test]
fn what_a_login_complains_of_leads_to_the_next_request_there() {
    for (answer, next) in [
        ((415, "{}"), FORM),
        ((400, r#"{"error":"unsupported_grant_type"}"#), FORM),
        ((400, r#"{"error":"invalid_request","message":"grant_type is missing"}"#), FORM),
        ((422, r#"{"detail":[{"loc":["body","username"]},{"loc":["body","password"]}]}"#), FORM),
        ((400, r#"{"username":["required"]}"#), "= json username password"),
        (
            (422, r#"{"errors":{"login":["The login field is required."]}}"#),
            "= json login password",
        ),
        ((422, r#"{"errors":{"device_name":["required"]}}"#), "= json email password device_name"),
        ((400, "{}"), "= json username password"),
    ] {
        let (sent, case) = run(&person(LOGIN, &[]), &[answer, OK]);
        assert_eq!((sent, case), (vec![FIRST.to_owned(), next.to_owned()], "ok"), "{answer:?}");
    }
}

#[test]
fn wrong_credentials_end_the_search_at_once() {
    for answer in [
        (401, ""),
        (401, "<html>Unauthorized</html>"),
        (401, r#"{"detail":"No active account found with the given credentials"}"#),
        (423, "{}"),
        (400, r#"{"error":"invalid_grant"}"#),
        (400, r#"{"non_field_errors":["Unable to log in with provided credentials."]}"#),
        (400, r#"{"detail":"Incorrect username or password"}"#),
        (422, r#"{"errors":{"email":["The provided credentials are incorrect."]}}"#),
        (200, r#"{"success":false,"message":"Wrong password"}"#),
    ] {
        let (sent, case) = run(&person(LOGIN, &[]), &[answer, OK]);
        assert_eq!((sent.len(), case), (1, "invalid-credentials"), "{answer:?}");
    }
}

#[test]
fn what_is_no_question_of_format_ends_the_search_too() {
    for (answer, expected) in [
        ((403, "{}"), "misconfigured"),
        ((429, "{}"), "rate-limited"),
        ((500, "{}"), "unavailable"),
        ((503, "<html>"), "unavailable"),
        ((200, r#"{"ok":true}"#), "unexpected"),
        ((204, ""), "unexpected"),
        ((400, r#"{"error":"invalid_scope"}"#), "misconfigured"),
        ((418, ""), "unexpected"),
    ] {
        let (sent, case) = run(&person(LOGIN, &[]), &[answer, OK]);
        assert_eq!((sent.len(), case), (1, expected), "{answer:?}");
    }
}

#[test]
fn of_a_server_alone_the_six_usual_paths_are_tried() {
    let (sent, case) = run(&person(SERVER, &[]), &[NONE; 6]);
    let paths: Vec<_> = sent.iter().filter_map(|it| it.split(' ').next()).collect();
    assert_eq!(
        paths,
        [
            "/oauth/token",
            "/api/oauth/token",
            "/auth/oauth/token",
            "/api/auth/token",
            "/api/login",
            "/api/auth/login"
        ]
    );
    assert_eq!(case, "misconfigured");
}

#[test]
fn a_client_is_tried_as_basic_and_once_in_the_body() {
    let token = format!("{SERVER}/oauth/token");
    let refused = (401, r#"{"error":"invalid_client"}"#);
    let basic = "= form grant_type +basic".to_owned();
    let body = "= form grant_type client_id client_secret".to_owned();
    assert_eq!(run(&client(&token), &[OK]), (vec![basic.clone()], "ok"));
    let both = vec![basic, body];
    assert_eq!(run(&client(&token), &[refused, OK]), (both.clone(), "ok"));
    assert_eq!(run(&client(&token), &[refused, refused]), (both, "invalid-credentials"));
}

#[test]
fn a_person_at_a_token_endpoint_logs_in_as_the_client() {
    let mut context = person(&format!("{SERVER}/oauth/token"), &[CLIENT, ("scopes", "a, b")]);
    context.secrets.push("client_secret".to_owned());
    let unsupported = (400, r#"{"error":"unsupported_grant_type"}"#);
    let (sent, case) = run(&context, &[unsupported, OK]);
    let password = "= form grant_type username password scope +basic";
    assert_eq!(
        (sent, case),
        (vec![password.to_owned(), "= form grant_type scope +basic".to_owned()], "ok")
    );
}

#[test]
fn a_redirect_to_the_slash_is_posted_again_and_no_other() {
    let to = |location: &str| Canned::new(301, "").header("Location", location);
    let found = Canned::new(200, OK.1);
    let played = play(&person(LOGIN, &[]), &[to("/api/login/"), found.clone()]);
    let sent: Vec<_> = played.requests.iter().map(short).collect();
    assert_eq!(sent, ["= json email password", "/api/login/ json email password"]);
    let tokens = played.result.unwrap();
    assert_eq!(fact(&tokens, "endpoint").unwrap(), "https://a.example/api/login/");

    let away = play(&person(LOGIN, &[]), &[to("https://b.example/api/login/"), found]);
    assert_eq!((away.requests.len(), away.case()), (1, "misconfigured"));
    let circle = [to("/api/login/"), to("/api/login"), Canned::new(200, OK.1)];
    let circle = play(&person(LOGIN, &[]), &circle);
    assert_eq!(circle.requests[2].url, "{login_url.origin}/oauth/token");
}

#[test]
fn a_login_that_takes_nothing_at_hand_is_not_looked_for_elsewhere() {
    let played = play(&person(LOGIN, &[]), &vec![Canned::new(415, "{}"); 4]);
    let text = "https://a.example/api/login is a login, but accepts none of the formats tried \
                (json-email, form); give the secrets that it requires, or set `format`";
    assert_eq!((played.case(), played.text()), ("misconfigured", text));
}

#[test]
fn guesses_end_after_eight() {
    let (sent, case) = run(&person(SERVER, &[]), &[(400, "{}"); 16]);
    assert_eq!((sent.len(), case), (8, "misconfigured"));
}

#[test]
fn without_secrets_nothing_is_sent_and_the_text_says_what_is_missing() {
    let mut context = person(LOGIN, &[]);
    context.secrets.clear();
    let text = "nothing to log in with; give `email` or `username` with `password`, or \
                `client_id` with `client_secret`";
    assert_eq!((play(&context, &[]).case(), play(&context, &[]).text()), ("misconfigured", text));
    let pinned = person(LOGIN, &[("format", "client-credentials")]);
    let text = "the format `client-credentials` needs the setting `client_id` and the secret \
                `client_secret`";
    assert_eq!((play(&pinned, &[]).case(), play(&pinned, &[]).text()), ("misconfigured", text));
}

#[test]
fn a_format_of_the_operator_is_the_only_one_tried() {
    let pinned = person(LOGIN, &[("format", "json-username")]);
    let (sent, case) = run(&pinned, &[(415, ""), OK]);
    assert_eq!((sent, case), (vec!["= json username password".to_owned()], "misconfigured"));
}

#[test]
fn what_was_found_is_shown_and_tried_first_the_next_time() {
    let first = person(LOGIN, &[]);
    let named = Canned::new(400, r#"{"username":["required"]}"#);
    let found = Canned::new(200, r#"{"data":{"token":"t","expires_in":60}}"#);
    let tokens = play(&first, &[named, found]).result.unwrap();
    for (name, value) in [
        ("endpoint", LOGIN),
        ("format", "json-email"),
        ("user_field", "username"),
        ("token_at", "/data/token"),
        ("expiry_from", "how long the answer says"),
    ] {
        assert_eq!(fact(&tokens, name).as_deref(), Some(value));
    }
    let second = Context { remembered: tokens.metadata, ..first };
    let (sent, case) = run(&second, &[OK]);
    assert_eq!((sent, case), (vec!["= json username password".to_owned()], "ok"));
}

#[test]
fn a_remembered_address_that_is_gone_is_looked_for_again() {
    let first = person(SERVER, &[]);
    let answers = [NONE, NONE, NONE, NONE, OK].map(|(status, body)| Canned::new(status, body));
    let tokens = play(&first, &answers).result.unwrap();
    assert_eq!(fact(&tokens, "endpoint").unwrap(), "https://a.example/api/login");
    let second = Context { remembered: tokens.metadata, ..first };
    let (sent, _) = run(&second, &[NONE, OK]);
    assert_eq!(
        sent,
        ["/api/login json email password", "/oauth/token form grant_type username password"]
    );
}

#[test]
fn a_server_whose_login_has_worked_is_missed_and_not_given_up() {
    let first = person(LOGIN, &[]);
    let tokens = play(&first, &[Canned::new(200, r#"{"token":"t"}"#)]).result.unwrap();
    let second = Context { remembered: tokens.metadata, ..first };
    assert_eq!(run(&second, &[NONE; 16]).1, "unexpected");
    assert_eq!(run(&person(LOGIN, &[]), &[NONE; 16]).1, "misconfigured");
}

#[test]
fn a_failure_names_the_address_and_quotes_nothing() {
    for status in [200, 400, 401, 403, 404, 422, 500] {
        let body = r#"{"message":"invented words","error":"more of them"}"#;
        let played = play(&person(LOGIN, &[]), &vec![Canned::new(status, body); 16]);
        let (_, text) = (played.case(), played.text());
        assert!(!text.contains("invented") && !text.contains("more of"), "{status}");
    }
    let played = play(&person(LOGIN, &[]), &[Canned::new(401, "")]);
    let text = "https://a.example/api/login refused the login (json-email); check `email` and \
                `password`";
    assert_eq!((played.case(), played.text()), ("invalid-credentials", text));
    let cookie = Canned::new(200, "{}").header("Set-Cookie", "session=x");
    let played = play(&person(LOGIN, &[]), &[cookie]);
    assert!(played.text().ends_with("it set a cookie, which is not a token"));
}
