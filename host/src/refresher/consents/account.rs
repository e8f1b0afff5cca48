//! Whose account a grant is, as far as anybody says: the ID token, the plugin, a JWT, or the profile. Pure.

use serde_json::Value;

use crate::model::token::TokenSet;
use crate::sandbox::claim_of;

/// Whether two grants are one account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::refresher) enum Whose {
    /// They are.
    TheSame,
    /// They are not.
    Another,
    /// Nobody says so of both.
    Unknown,
}

/// What is said of an account, the most reliable first, each by who says it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Account(Vec<(String, String)>);

/// Names under which plugins and providers say who somebody is. An e-mail address may change hands, and the
/// others do not.
const NAMES: [&str; 6] = ["sub", "account_id", "user_id", "account", "id", "email"];

impl Account {
    /// What tokens and their metadata say.
    pub(super) fn of_tokens(token: &TokenSet) -> Self {
        let id_token = token.extra.iter().find(|(name, _)| name == "id_token").map(|(_, it)| it);
        let id_token = id_token.and_then(|it| {
            let issuer = claim_of(it, "iss").unwrap_or_default();
            Some((format!("ID token of {issuer}"), claim_of(it, "sub")?))
        });
        let named = NAMES.iter().filter_map(|name| {
            let found = token.metadata.iter().find(|(it, _)| it == name);
            Some((format!("metadata {name}"), found?.1.clone()))
        });
        Self(id_token.into_iter().chain(named).chain(subject(token)).collect())
    }

    /// What a profile says.
    pub(super) fn of_profile(profile: &Value) -> Self {
        let named = NAMES.iter().filter_map(|name| {
            let said = match profile.get(name)? {
                Value::String(text) if !text.is_empty() => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            Some((format!("profile {name}"), said))
        });
        Self(named.collect())
    }

    /// Whether nothing is said.
    pub(super) fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    /// What the most reliable source says that speaks of both.
    pub(super) fn compare(&self, other: &Self) -> Whose {
        let said = |name: &String| other.0.iter().find(|(it, _)| it == name).map(|(_, it)| it);
        let mut of_both = self.0.iter().filter_map(|(name, one)| Some((one, said(name)?)));
        match of_both.next() {
            Some((one, other)) if one == other => Whose::TheSame,
            Some(_) => Whose::Another,
            None => Whose::Unknown,
        }
    }
}

/// The subject of an access token that is a JWT, unless that is the client itself.
fn subject(token: &TokenSet) -> Option<(String, String)> {
    let claim = |name| claim_of(&token.access_token, name);
    let sub = claim("sub")?;
    let clients = [claim("client_id"), claim("azp")];
    if clients.iter().flatten().any(|it| *it == sub) {
        return None;
    }
    Some((format!("access token of {}", claim("iss").unwrap_or_default()), sub))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn jwt(claims: &Value) -> String {
        let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
        format!("{}.{}.{}", part(&json!({ "alg": "none" })), part(claims), "c2ln")
    }

    fn token(access: &str, id_token: Option<&Value>, metadata: &[(&str, &str)]) -> TokenSet {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        TokenSet {
            access_token: access.into(),
            token_type: "Bearer".to_owned(),
            expires_at: None,
            refresh_token: None,
            refresh_expires_at: None,
            scopes: Vec::new(),
            extra: id_token.map(|it| ("id_token".to_owned(), jwt(it).into())).into_iter().collect(),
            metadata: metadata.iter().map(owned).collect(),
            made_of: std::collections::BTreeMap::new(),
        }
    }

    fn whose(one: &TokenSet, other: &TokenSet) -> Whose {
        Account::of_tokens(one).compare(&Account::of_tokens(other))
    }

    #[test]
    fn the_id_token_says_whose_account_it_is() {
        let of =
            |sub: &str, iss: &str| token("opaque", Some(&json!({ "sub": sub, "iss": iss })), &[]);
        assert_eq!(whose(&of("1", "a"), &of("1", "a")), Whose::TheSame);
        assert_eq!(whose(&of("1", "a"), &of("2", "a")), Whose::Another);
        assert_eq!(whose(&of("1", "a"), &of("1", "b")), Whose::Unknown, "names of two issuers");
        assert_eq!(whose(&of("1", "a"), &token("opaque", None, &[])), Whose::Unknown);
    }

    #[test]
    fn a_plugin_or_a_jwt_says_it_too() {
        let of = |id| token("opaque", None, &[("account_id", id), ("email", "a@b.example")]);
        assert_eq!(whose(&of("1"), &of("1")), Whose::TheSame);
        assert_eq!(whose(&of("1"), &of("2")), Whose::Another);
        let of = |claims: Value| token(&jwt(&claims), None, &[]);
        assert_eq!(whose(&of(json!({ "sub": "1" })), &of(json!({ "sub": "2" }))), Whose::Another);
        let client = || of(json!({ "sub": "app", "azp": "app" }));
        assert_eq!(whose(&client(), &client()), Whose::Unknown, "that is the client");
    }

    #[test]
    fn a_new_address_is_no_other_account() {
        let of = |profile: Value| Account::of_profile(&profile);
        let whose = |one, other| of(one).compare(&of(other));
        let moved = json!({ "sub": "1", "email": "new@b.example" });
        assert_eq!(whose(json!({ "sub": "1", "email": "a@b.example" }), moved), Whose::TheSame);
        assert_eq!(whose(json!({ "id": 7 }), json!({ "id": 8 })), Whose::Another);
        assert_eq!(whose(json!({ "id": 7 }), json!({ "email": "x" })), Whose::Unknown);
        assert!(of(json!({ "sub": "", "name": "Ann" })).is_unknown());
    }
}
