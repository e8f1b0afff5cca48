//! The way in is found from the address of the server alone and from the whole address, and the token
//! is found wherever it is.

use e2e::provider::login::{ErrorStyle, Expiry, Format, Refresh, TokenAt};

use crate::providers::external_api::{COMMON, Case, FORMATS, Many, Told};

#[test]
fn a_login_is_found_at_each_usual_path_from_the_address_of_the_server() {
    let mut cases = Vec::new();
    for path in COMMON {
        for (format, error_style) in FORMATS {
            cases.push(Case::new(Told::Server, path, |it| {
                (it.format, it.error_style) = (format, error_style);
            }));
        }
    }
    let many = Many::new(cases);
    let requests = many.succeed(&[]);
    assert!(requests.iter().all(|it| *it <= 16), "{requests:?}");
}

#[test]
fn a_login_is_found_at_its_whole_address_wherever_that_is() {
    let mut cases = Vec::new();
    for path in ["/v3/people/sign-in", "/api/token/", "/oauth/token"] {
        for (format, error_style) in FORMATS {
            cases.push(Case::new(Told::Whole, path, |it| {
                (it.format, it.error_style) = (format, error_style);
            }));
        }
    }
    let requests = Many::new(cases).succeed(&[]);
    assert!(requests.iter().all(|it| *it <= 4), "{requests:?}");
}

#[test]
fn a_login_is_found_in_whatever_words_it_complains() {
    let mut cases = Vec::new();
    for told in [Told::Whole, Told::Server] {
        for format in FORMATS.map(|(format, _)| format) {
            for error_style in [
                ErrorStyle::Drf401,
                ErrorStyle::Drf400,
                ErrorStyle::Laravel422,
                ErrorStyle::OAuth400,
                ErrorStyle::FastApi,
            ] {
                cases.push(Case::new(told, "/api/login", |it| {
                    (it.format, it.error_style) = (format, error_style);
                }));
            }
        }
    }
    Many::new(cases).succeed(&[]);
}

#[test]
fn the_last_slash_may_be_forgotten() {
    let redirecting =
        |status| Case::new(Told::Server, "/api/auth/login/", |it| it.slash = Some(status));
    let requests = Many::new([301, 307, 308].map(redirecting)).succeed(&[]);
    assert!(requests.iter().all(|it| *it <= 10), "{requests:?}");
}

#[test]
fn a_token_is_found_wherever_it_is_with_the_end_that_is_said() {
    let places = [
        TokenAt::AccessToken,
        TokenAt::Access,
        TokenAt::Token,
        TokenAt::AuthToken,
        TokenAt::Jwt,
        TokenAt::NestedData,
        TokenAt::AuthorizationHeader,
        TokenAt::Key,
        TokenAt::PlainText,
    ];
    let mut cases = Vec::new();
    for token_at in places {
        for expiry in [Expiry::JwtExp, Expiry::ExpiresIn, Expiry::ExpiresInText, Expiry::ExpiresAt]
        {
            cases.push(Case::new(Told::Whole, "/login", |it| {
                (it.token_at, it.expiry, it.refresh) = (token_at, expiry, Refresh::None);
                it.lifetime = 900;
            }));
        }
    }
    let many = Many::new(cases);
    many.succeed(&[]);
    let status = many.home.run(&["status", "--json"]).exits(5).json();
    for (number, (case, fake)) in many.all.iter().enumerate() {
        let plain = case.server.token_at == TokenAt::PlainText;
        let name = format!("case-{number}");
        let all = status["connections"].as_array().unwrap();
        let connection = all.iter().find(|it| it["short"] == *name).unwrap();
        let end = connection["expires_at"].as_str();
        if plain && case.server.expiry != Expiry::JwtExp {
            assert_eq!(end, None, "{case:?}: a word says no end");
            continue;
        }
        let end = end.unwrap_or_else(|| panic!("{case:?}: {connection}"));
        let end: jiff::Timestamp = end.parse().unwrap();
        let left = end.duration_since(fake.control().now()).as_secs();
        assert!((880..=900).contains(&left), "{case:?}: {left} s");
    }
}

#[test]
fn a_token_without_an_end_lives_as_long_as_the_operator_says() {
    let case = |more| Case {
        more,
        ..Case::new(Told::Whole, "/login", |it| {
            (it.token_at, it.expiry, it.refresh) = (TokenAt::Token, Expiry::None, Refresh::None);
        })
    };
    let many = Many::new([case(""), case(", lifetime = \"600\"")]);
    many.succeed(&[]);
    assert!(many.show(0)["expires_at"].is_null());
    assert!(many.show(1)["sentence"].as_str().unwrap().starts_with("Valid for 9m"));
}

#[test]
fn a_refresh_token_is_traded_where_the_server_takes_it_or_it_logs_in() {
    let renewing = |refresh, format, error_style, token_at, path: &str| {
        Case::new(Told::Whole, path, |it| {
            (it.refresh, it.format) = (refresh, format);
            (it.error_style, it.token_at) = (error_style, token_at);
            it.expiry = Expiry::ExpiresIn;
        })
    };
    let json = |refresh, path| {
        renewing(refresh, Format::JsonUsername, ErrorStyle::Drf401, TokenAt::Access, path)
    };
    let form = |format| {
        renewing(Refresh::OAuth, format, ErrorStyle::OAuth400, TokenAt::AccessToken, "/oauth/token")
    };
    let many = Many::new([
        json(Refresh::SimpleJwt, "/api/token/"),
        json(Refresh::RotatingSimpleJwt, "/api/token/"),
        form(Format::FormUsername),
        form(Format::ClientCredentials),
        json(Refresh::None, "/api/token/"),
    ]);
    many.succeed(&[]);
    for round in 0..3 {
        let requests = many.succeed(&["--force"]);
        assert_eq!(requests, [1; 5], "round {round}: each knows its way");
    }
    for (case, fake) in &many.all {
        let logins = fake.control().families().len();
        let expected = if case.server.refresh == Refresh::None { 4 } else { 1 };
        assert_eq!(logins, expected, "{case:?}");
    }
}
