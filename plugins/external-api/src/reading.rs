//! What an answer to a login means for the search. One rule stands above all: a server that refuses the
//! credentials is not asked again, because the next guess may lock the account.

use sdk::{Answer, Failure, Settings, Source};

use crate::address::{Address, Redirect};
use crate::complaint::{Complaint, Members, complaint, refuses, sentences};
use crate::extract::access_token;
use crate::format::{Client, Format, Shape};

/// What to do next.
#[derive(Debug)]
pub(crate) enum Meaning {
    /// Here is the token.
    Token(Source),
    /// No login here.
    NotHere,
    /// The same login, at the same path with a slash.
    Moved(Address),
    /// A login that takes the other encoding.
    OtherEncoding,
    /// A login that wants other members.
    Members(Members),
    /// A token endpoint that wants another grant.
    OtherGrant,
    /// The client may have to say who it is in the body.
    ClientInBody,
    /// Perhaps a login; what it wants is not clear.
    Unclear,
    /// The search is over.
    Stop(Failure),
}

/// A login that was sent, as far as its answer's meaning depends on it.
pub(crate) struct Sent<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) address: &'s Address,
    pub(crate) shape: &'s Shape,
    pub(crate) token_at: Option<&'s Source>,
}

impl Sent<'_> {
    pub(crate) fn read(&self, answer: &dyn Answer) -> Meaning {
        match answer.status() {
            200..300 => self.success(answer),
            301 | 307 | 308 => self.redirect(answer),
            300..400 | 404 | 405 | 410 | 419 | 501 => Meaning::NotHere,
            400 | 422 => self.refused(answer),
            401 if self.is_about_client(answer) => self.client(),
            401 | 423 => Meaning::Stop(self.wrong()),
            403 => Meaning::Stop(self.forbidden()),
            415 => Meaning::OtherEncoding,
            _ => Meaning::Stop(Failure::of(answer, &self.place(), "a login")),
        }
    }

    fn success(&self, answer: &dyn Answer) -> Meaning {
        if let Some(token) = access_token(answer, self.settings, self.token_at) {
            return Meaning::Token(token);
        }
        if answer.is_page() {
            return Meaning::NotHere;
        }
        if refuses(&sentences(answer)) {
            return Meaning::Stop(self.wrong());
        }
        Meaning::Stop(self.without_token(answer))
    }

    fn redirect(&self, answer: &dyn Answer) -> Meaning {
        let location = answer.header("location").unwrap_or_default();
        match self.address.redirected(&location, self.settings) {
            Redirect::Slash(address) => Meaning::Moved(address),
            Redirect::Elsewhere => Meaning::NotHere,
            Redirect::Away => Meaning::Stop(Failure::misconfigured(format!(
                "{} redirects to another server, or from http to https; credentials do not \
                 follow redirects, so set `login_url` to the new address",
                self.place()
            ))),
        }
    }

    fn refused(&self, answer: &dyn Answer) -> Meaning {
        match error(answer).as_deref() {
            Some("invalid_grant") => return Meaning::Stop(self.wrong()),
            Some("invalid_client") => return self.client(),
            Some("unsupported_grant_type" | "unauthorized_client") => return Meaning::OtherGrant,
            Some("invalid_scope") => return Meaning::Stop(bad_scopes()),
            _ => {}
        }
        let general = ["/non_field_errors", "/errors/non_field_errors"];
        if general.iter().any(|place| answer.json(place).is_some()) {
            return Meaning::Stop(self.wrong());
        }
        match complaint(answer, self.shape) {
            Complaint::Wrong => Meaning::Stop(self.wrong()),
            Complaint::Encoding => Meaning::OtherEncoding,
            Complaint::Members(members) => Meaning::Members(members),
            Complaint::Grant => Meaning::OtherGrant,
            Complaint::Unclear => Meaning::Unclear,
        }
    }

    /// Keycloak says `unauthorized_client` of a wrong secret.
    fn is_about_client(&self, answer: &dyn Answer) -> bool {
        let code = error(answer);
        !self.shape.format.is_json()
            && matches!(code.as_deref(), Some("invalid_client" | "unauthorized_client"))
    }

    fn client(&self) -> Meaning {
        match self.shape.client {
            Client::Basic => Meaning::ClientInBody,
            Client::Id | Client::Body => Meaning::Stop(Failure::invalid_credentials(format!(
                "{} refused the client; check `client_id` and `client_secret`",
                self.place()
            ))),
        }
    }

    fn wrong(&self) -> Failure {
        let check = match self.shape.format {
            Format::ClientCredentials => "`client_id` and `client_secret`",
            Format::JsonEmail => "`email` and `password`",
            Format::JsonUsername | Format::Form => "`username` or `email`, and `password`",
        };
        let guess = match self.address {
            Address::Login | Address::Refresh => "",
            Address::Path(_) => "; if the login is elsewhere, set `login_url` to its address",
        };
        Failure::invalid_credentials(format!(
            "{} refused the login ({}); check {check}{guess}",
            self.place(),
            self.shape.format.name()
        ))
    }

    fn forbidden(&self) -> Failure {
        Failure::misconfigured(format!(
            "{} forbids the login (403); it may block this machine's IP address, the account, or \
             logins without a browser",
            self.place()
        ))
    }

    fn without_token(&self, answer: &dyn Answer) -> Failure {
        let place = self.place();
        if let Some(pointer) = self.settings.optional("token_pointer") {
            return Failure::unexpected(format!(
                "{place} answered without a token at {pointer}; check `token_pointer`"
            ));
        }
        let hint = if answer.has_secret_header("set-cookie") {
            "it set a cookie, which is not a token"
        } else {
            "set `token_pointer` if the token has an unusual name; a login with a second factor \
             cannot be automated"
        };
        Failure::unexpected(format!("{place} answered without a token; {hint}"))
    }

    fn place(&self) -> String {
        self.address.full(self.settings).unwrap_or_else(|_| "the server".to_owned())
    }
}

/// The code of an OAuth error, or of an error object.
fn error(answer: &dyn Answer) -> Option<String> {
    let code = ["/error", "/error/code", "/code"].iter().find_map(|place| answer.text(place));
    code.map(|code| code.to_ascii_lowercase())
}

fn bad_scopes() -> Failure {
    Failure::misconfigured("the server does not grant these scopes; check `scopes`")
}
