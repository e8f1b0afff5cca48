//! The flags of the kinds that have no browser in them.

use crate::provider::{
    eskiz, finnotech, jibit,
    options::flags::Flags,
    playmobile::{self, Unauthorized},
    rotor,
};

impl Flags {
    pub(super) fn eskiz(&mut self) -> Result<eskiz::Settings, String> {
        let base = eskiz::Settings::default();
        Ok(eskiz::Settings {
            email: self.value("email", base.email)?,
            password: self.value("password", base.password)?,
            lifetime: self.value("lifetime", base.lifetime)?,
            role: self.value("role", base.role)?,
            revoke_old_on_refresh: self.switch("revoke-old-on-refresh")?,
            refresh_expired: self.switch("refresh-expired")?,
        })
    }

    pub(super) fn jibit(&mut self) -> Result<jibit::Settings, String> {
        let base = jibit::Settings::default();
        Ok(jibit::Settings {
            api_key: self.value("api-key", base.api_key)?,
            secret_key: self.value("secret-key", base.secret_key)?,
            class: self.class(base.class)?,
            access_lifetime: self.value("lifetime", base.access_lifetime)?,
            refresh_lifetime: self.value("refresh-lifetime", base.refresh_lifetime)?,
            flat_ide: self.switch("flat-ide")?,
            bad_refresh_status: self.value("bad-refresh-status", base.bad_refresh_status)?,
        })
    }

    pub(super) fn rotor(&mut self) -> Result<rotor::Settings, String> {
        let base = rotor::Settings::default();
        let client = match (self.optional("client-id")?, self.optional("client-secret")?) {
            (Some(id), Some(secret)) => Some((id, secret)),
            (None, None) => None,
            _ => return Err("--client-id and --client-secret go together".to_owned()),
        };
        Ok(rotor::Settings {
            class: self.class(base.class)?,
            prefix: self.value("prefix", base.prefix)?,
            lifetime: self.value("lifetime", base.lifetime)?,
            refresh_lifetime: self.value("refresh-lifetime", base.refresh_lifetime)?,
            key: self.value("key", base.key)?,
            client,
            omit_unrotated: !self.switch("always-send-refresh")?,
        })
    }

    pub(super) fn finnotech(&mut self) -> Result<finnotech::Settings, String> {
        let base = finnotech::Settings::default();
        Ok(finnotech::Settings {
            client_id: self.value("client-id", base.client_id)?,
            client_secret: self.value("client-secret", base.client_secret)?,
            nid: self.value("nid", base.nid)?,
            scopes: self.list("scopes", base.scopes),
            class: self.class(base.class)?,
            lifetime: self.value("lifetime", base.lifetime)?,
            refresh_lifetime: self.value("refresh-lifetime", base.refresh_lifetime)?,
            lifetime_as_text: self.switch("lifetime-as-text")?,
            date_as_number: self.switch("date-as-number")?,
            bad_token_status: self.value("bad-token-status", base.bad_token_status)?,
        })
    }

    pub(super) fn playmobile(&mut self) -> Result<playmobile::Settings, String> {
        let base = playmobile::Settings::default();
        let bodies = [
            ("empty", Unauthorized::Empty),
            ("html", Unauthorized::Html),
            ("json", Unauthorized::Json),
        ];
        Ok(playmobile::Settings {
            login: self.value("login", base.login)?,
            password: self.value("password", base.password)?,
            unauthorized: self.choice("unauthorized", base.unauthorized, &bodies)?,
            locked: self.switch("locked")?,
            empty_code: self.value("empty-code", base.empty_code)?,
            code_as_text: self.switch("code-as-text")?,
        })
    }
}
