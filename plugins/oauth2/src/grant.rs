//! Which grant a connection uses. A person's consent is never replaced by the client's own token:
//! that would be another account, and nobody would notice.

use sdk::{Context, Failure};

/// How tokens come into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// The client acts for itself; nobody is needed.
    ClientCredentials,
    /// A person agreed, by code or by device.
    AuthorizationCode,
}

/// Metadata: the grant that the tokens came from.
const REMEMBERED: &str = "grant";

impl Grant {
    /// The name in the settings and in metadata.
    fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
        }
    }

    /// What is worth remembering of it.
    pub(crate) fn metadata(self) -> (String, String) {
        (REMEMBERED.to_owned(), self.name().to_owned())
    }

    /// What the settings say, else what was, else what fits.
    pub(crate) fn of(context: &Context) -> Result<Self, Failure> {
        if let Some(chosen) = Self::chosen(context)? {
            return Ok(chosen);
        }
        let settings = &context.settings;
        let connected = match context.remembered(REMEMBERED) {
            Some(name) => name == Self::AuthorizationCode.name(),
            // Imported tokens say nothing; RFC 6749 4.4.3 has no refresh token for a client itself.
            None => context.has_refresh_token(),
        };
        let meant =
            ["authorize_url", "device_url"].iter().any(|it| settings.optional(it).is_some());
        let public = !["client_secret", "private_key"].iter().any(|it| context.has_secret(it));
        let no_credentials = public || settings.optional("client_auth") == Some("none");
        Ok(if connected || meant || no_credentials {
            Self::AuthorizationCode
        } else {
            Self::ClientCredentials
        })
    }

    /// Refuses to send a person anywhere for a connection that is said to need none.
    pub(crate) fn allow_person(context: &Context) -> Result<(), Failure> {
        match Self::chosen(context)? {
            Some(Self::ClientCredentials) => Err(Failure::misconfigured(
                "the setting `grant` is `client_credentials`, which needs no login by a person; \
                 for a person's tokens set grant = \"authorization_code\"",
            )),
            _ => Ok(()),
        }
    }

    fn chosen(context: &Context) -> Result<Option<Self>, Failure> {
        let all = [Self::ClientCredentials, Self::AuthorizationCode];
        context.settings.choice("grant", &all.map(|grant| (grant.name(), grant)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{context, ending};

    fn with(settings: &[(&str, &str)], secrets: &[&str]) -> Context {
        let secrets = secrets.iter().map(|it| (*it).to_owned()).collect();
        Context { secrets, ..context::<crate::Plugin>(settings) }
    }

    fn check(settings: &[(&str, &str)], secrets: &[&str], expected: Grant) {
        assert_eq!(Grant::of(&with(settings, secrets)).unwrap(), expected, "{settings:?}");
    }

    #[test]
    fn what_fits_is_chosen_where_nothing_is_said() {
        check(&[], &["client_secret"], Grant::ClientCredentials);
        check(&[], &["private_key"], Grant::ClientCredentials);
        check(&[], &[], Grant::AuthorizationCode);
        check(&[("client_auth", "none")], &["client_secret"], Grant::AuthorizationCode);
        check(&[("authorize_url", "https://a/x")], &["client_secret"], Grant::AuthorizationCode);
        check(&[("device_url", "https://a/x")], &["client_secret"], Grant::AuthorizationCode);
    }

    #[test]
    fn what_is_said_wins() {
        let said = [("grant", "client_credentials"), ("authorize_url", "https://a/x")];
        check(&said, &["client_secret"], Grant::ClientCredentials);
        check(&[("grant", "authorization_code")], &["client_secret"], Grant::AuthorizationCode);
        let wrong = Grant::of(&with(&[("grant", "password")], &[]));
        let text = "the setting `grant` must be one of `client_credentials`, `authorization_code`";
        assert_eq!(ending(&wrong), ("misconfigured", text));
    }

    #[test]
    fn a_person_who_once_agreed_is_not_replaced_by_the_client() {
        let remembered = vec![Grant::AuthorizationCode.metadata()];
        let context = Context { remembered, ..with(&[], &["client_secret"]) };
        assert_eq!(Grant::of(&context).unwrap(), Grant::AuthorizationCode);
    }

    #[test]
    fn an_imported_refresh_token_is_a_persons() {
        let imported = sdk::testing::context_with_tokens::<crate::Plugin>(&[]);
        assert_eq!(Grant::of(&imported).unwrap(), Grant::AuthorizationCode);
        let remembered = vec![Grant::ClientCredentials.metadata()];
        let own = Context { remembered, ..imported };
        assert_eq!(Grant::of(&own).unwrap(), Grant::ClientCredentials);
    }

    #[test]
    fn nobody_is_sent_anywhere_for_client_credentials() {
        let refused = Grant::allow_person(&with(&[("grant", "client_credentials")], &[]));
        assert_eq!(ending(&refused).0, "misconfigured");
        assert!(Grant::allow_person(&with(&[], &["client_secret"])).is_ok());
    }
}
