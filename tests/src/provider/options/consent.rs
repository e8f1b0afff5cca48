//! The flags of the kinds that ask a person for consent.

use std::fs;

use crate::provider::{
    authorization::rules::{ClientAuth, GrantType, Pkce, Refreshing, Target},
    google::{self, Failure, Publishing},
    oauth::{self, Discovery},
    options::flags::Flags,
    propelauth,
};

impl Flags {
    pub(super) fn oauth(&mut self) -> Result<oauth::Settings, String> {
        let base = oauth::Settings::default();
        Ok(oauth::Settings {
            client_id: self.value("client-id", base.client_id)?,
            client_secret: self.value("client-secret", base.client_secret)?,
            client_auth: self.client_auth(base.client_auth)?,
            grants: self.grants(&base.grants)?,
            redirect_uris: self.list("redirect-uris", base.redirect_uris),
            scopes: self.list("scopes", base.scopes),
            pkce: self.choice(
                "pkce",
                base.pkce,
                &[
                    ("required", Pkce::Required),
                    ("optional", Pkce::Optional),
                    ("plain", Pkce::OptionalOrPlain),
                ],
            )?,
            discovery: self.choice(
                "discovery",
                base.discovery,
                &[
                    ("both", Discovery::Both),
                    ("openid", Discovery::OpenId),
                    ("oauth", Discovery::OAuth),
                    ("off", Discovery::Off),
                ],
            )?,
            class: self.class(base.class)?,
            refreshing: self.choice(
                "refreshing",
                base.refreshing,
                &[
                    ("always", Refreshing::Always),
                    ("with-scope", Refreshing::WithScope),
                    ("never", Refreshing::Never),
                ],
            )?,
            omit_unrotated: !self.switch("always-send-refresh")?,
            target: self.target()?,
            jwt: self.switch("jwt")?,
            deny: self.switch("deny")?,
            prefix: self.value("prefix", base.prefix)?,
            lifetime: self.value("lifetime", base.lifetime)?,
            refresh_lifetime: self.value("refresh-lifetime", base.refresh_lifetime)?,
            code_lifetime: self.value("code-lifetime", base.code_lifetime)?,
            device_lifetime: self.value("device-lifetime", base.device_lifetime)?,
            device_interval: self.value("device-interval", base.device_interval)?,
        })
    }

    pub(super) fn google(&mut self) -> Result<google::Settings, String> {
        let base = google::Settings::default();
        let failures = [
            ("revoked", Some(Failure::Revoked)),
            ("rapt", Some(Failure::Reauthentication)),
            ("deleted-client", Some(Failure::DeletedClient)),
        ];
        let granted = self.list("grant-scopes", Vec::new());
        let testing = self.switch("testing")?;
        Ok(google::Settings {
            client_id: self.value("client-id", base.client_id)?,
            client_secret: self.value("client-secret", base.client_secret)?,
            redirect_uris: self.list("redirect-uris", base.redirect_uris),
            scopes: self.list("scopes", base.scopes),
            grant_scopes: if granted.is_empty() { None } else { Some(granted) },
            account: self.value("account", base.account)?,
            publishing: if testing { Publishing::Testing } else { Publishing::Production },
            failure: self.choice("failure", base.failure, &failures)?,
            most_refresh_tokens: self.value("most-refresh-tokens", base.most_refresh_tokens)?,
            deny: self.switch("deny")?,
            lifetime: self.value("lifetime", base.lifetime)?,
        })
    }

    pub(super) fn propelauth(&mut self) -> Result<propelauth::Settings, String> {
        let base = propelauth::Settings::default();
        Ok(propelauth::Settings {
            client_id: self.value("client-id", base.client_id)?,
            client_secret: self.value("client-secret", base.client_secret)?,
            public: self.switch("public")?,
            api_key: self.value("api-key", base.api_key)?,
            redirect_uris: self.list("redirect-uris", base.redirect_uris),
            class: self.class(base.class)?,
            lifetime: self.value("lifetime", base.lifetime)?,
            refresh_lifetime: self.value("refresh-lifetime", base.refresh_lifetime)?,
            active_org: self.switch("active-org")?,
            deny: self.switch("deny")?,
        })
    }

    /// A file with a public key is a client that signs.
    fn client_auth(&mut self, default: ClientAuth) -> Result<ClientAuth, String> {
        let ways = [
            ("basic-or-post", ClientAuth::BasicOrPost),
            ("basic", ClientAuth::Basic),
            ("post", ClientAuth::Post),
            ("public", ClientAuth::Public),
            ("secret-or-pkce", ClientAuth::SecretOrPkce),
        ];
        let Some(path) = self.optional::<String>("public-key")? else {
            return self.choice("client-auth", default, &ways);
        };
        let pem = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        Ok(ClientAuth::PrivateKeyJwt(pem))
    }

    fn grants(&mut self, default: &[GrantType]) -> Result<Vec<GrantType>, String> {
        let names = self.list("grants", default.iter().map(|it| it.name().to_owned()).collect());
        let known = |name: &String| {
            let grant = GrantType::ALL.into_iter().find(|it| it.name().ends_with(name.as_str()));
            grant.ok_or_else(|| format!("`{name}` is no grant"))
        };
        names.iter().map(known).collect()
    }

    fn target(&mut self) -> Result<Option<Target>, String> {
        for parameter in ["resource", "audience"] {
            if let Some(value) = self.optional(parameter)? {
                return Ok(Some(Target { parameter: parameter.to_owned(), value }));
            }
        }
        Ok(None)
    }
}
