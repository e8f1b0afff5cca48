//! From the claims of an ID token to somebody with a role. Who is in no group that the manifest names is nobody. Pure.

use serde_json::Value;

use crate::dashboard::login::openid::token::Claims;
use crate::manifest::dashboard::Oidc;
use crate::model::account::Role;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::check_name;
use crate::operator::accounts::Seen;

/// The longest name of an account.
const LONGEST: usize = 100;

/// Who the claims are about, and what that person may do.
pub(super) fn of(oidc: &Oidc, claims: &Claims) -> Result<Seen, Failure> {
    let subject = claims.get("sub").and_then(Value::as_str).filter(|it| !it.is_empty());
    let subject = subject.map(str::to_owned).ok_or_else(nobody)?;
    let groups = groups(claims, &oidc.groups_claim);
    let is_in = |named: &[String]| named.iter().any(|it| groups.contains(&it.as_str()));
    let role = match (is_in(&oidc.operators), is_in(&oidc.viewers)) {
        (true, _) => Role::Operator,
        (false, true) => Role::Viewer,
        (false, false) => return Err(nobody()),
    };
    let name = find(claims, &oidc.name_claim).and_then(Value::as_str).unwrap_or(&subject);
    Ok(Seen { name: named(name), subject, role })
}

/// A claim by its name, or by its way through objects: `realm_access.roles`. Names of claims may have dots themselves.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        let inner = claims.get(first)?;
        rest.split('.').try_fold(inner, |it, part| it.get(part))
    })
}

/// A list of texts; one group alone may be a text. An address that nobody has verified is none: at some providers
/// people write there what they like.
fn groups<'a>(claims: &'a Claims, name: &str) -> Vec<&'a str> {
    if name == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return Vec::new();
    }
    match find(claims, name) {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    }
}

/// A name that an account can have; what cannot be in one becomes a dash.
fn named(text: &str) -> String {
    let fits = |it: char| check_name(&it.to_string()).is_ok();
    let name = text.chars().take(LONGEST).map(|it| if fits(it) { it } else { '-' });
    let name = name.collect::<String>();
    if check_name(&name).is_ok() { name } else { "person".to_owned() }
}

fn nobody() -> Failure {
    let message = "you are in no group that may use this dashboard; ask whoever runs it";
    Failure::new(Case::InvalidCredentials, code::Login::NoGroup, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::access::Egress;

    fn oidc(groups_claim: &str) -> Oidc {
        let list = |it: &str| vec![it.to_owned()];
        Oidc {
            issuer: "https://id.example".to_owned(),
            client_id: "keepfresh".to_owned(),
            client_secret: None,
            scopes: list("openid"),
            groups_claim: groups_claim.to_owned(),
            name_claim: "preferred_username".to_owned(),
            operators: list("ops"),
            viewers: list("staff"),
            egress: Egress::default(),
        }
    }

    fn role(groups_claim: &str, claims: Value) -> Option<Role> {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        of(&oidc(groups_claim), &claims).ok().map(|it| it.role)
    }

    #[test]
    fn groups_say_what_somebody_may_do() {
        let check = |groups: Value| role("groups", json!({ "sub": "1", "groups": groups }));
        assert_eq!(check(json!(["ops"])), Some(Role::Operator));
        assert_eq!(check(json!(["staff", "ops"])), Some(Role::Operator));
        assert_eq!(check(json!(["others", "staff"])), Some(Role::Viewer));
        assert_eq!(check(json!("staff")), Some(Role::Viewer));
        for none in
            [json!([]), json!(["OPS"]), json!(["ops2"]), json!({ "ops": true }), json!(null)]
        {
            assert_eq!(check(none.clone()), None, "{none}");
        }
        assert_eq!(role("groups", json!({ "groups": ["ops"] })), None, "without a subject");
    }

    #[test]
    fn a_claim_is_found_by_its_name_or_its_way() {
        let nested = json!({ "sub": "1", "realm_access": { "roles": ["ops"] } });
        assert_eq!(role("realm_access.roles", nested), Some(Role::Operator));
        let dotted = json!({ "sub": "1", "https://k.example/groups": ["ops"] });
        assert_eq!(role("https://k.example/groups", dotted), Some(Role::Operator));
    }

    #[test]
    fn an_address_that_nobody_has_verified_is_no_group() {
        let mut oidc = oidc("email");
        oidc.operators = vec!["ann@example.com".to_owned()];
        let check = |verified: Value| {
            let claims =
                json!({ "sub": "1", "email": "ann@example.com", "email_verified": verified });
            let Value::Object(claims) = claims else { panic!("claims are an object") };
            of(&oidc, &claims).is_ok()
        };
        assert!(check(json!(true)));
        assert!(!check(json!(false)) && !check(json!("true")) && !check(json!(null)));
    }

    #[test]
    fn a_name_is_made_fit_and_a_person_without_one_has_the_subject() {
        let name = |claims: Value| {
            let Value::Object(claims) = claims else { panic!("claims are an object") };
            of(&oidc("groups"), &claims).unwrap().name
        };
        let claims = |it: &str| json!({ "sub": "7", "groups": "ops", "preferred_username": it });
        assert_eq!(name(claims("ann@example.com")), "ann@example.com");
        assert_eq!(name(claims("Ann Lee/<b>\u{202e}")), "Ann-Lee--b--");
        assert_eq!(name(json!({ "sub": "7", "groups": "ops" })), "7");
        assert_eq!(name(claims(&"x".repeat(300))).len(), LONGEST);
    }
}
