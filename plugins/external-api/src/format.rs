//! The formats of a login, which of them the credentials at hand allow, and the request that each makes.
//! Secrets are named and never seen; nothing here knows where a request goes or what came back.

use sdk::{Context, Failure, Request, Value, basic_header, client_basic, listed, secret, text};

/// How a login is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Format {
    JsonEmail,
    JsonUsername,
    Form,
    ClientCredentials,
}

impl Format {
    /// In the order in which they are tried at a login of no particular kind.
    pub(crate) const ALL: [Self; 4] =
        [Self::JsonEmail, Self::JsonUsername, Self::Form, Self::ClientCredentials];

    /// The same for the token endpoint of OAuth, which takes forms.
    const OAUTH: [Self; 4] =
        [Self::Form, Self::ClientCredentials, Self::JsonEmail, Self::JsonUsername];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::JsonEmail => "json-email",
            Self::JsonUsername => "json-username",
            Self::Form => "form",
            Self::ClientCredentials => "client-credentials",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    pub(crate) fn is_json(self) -> bool {
        matches!(self, Self::JsonEmail | Self::JsonUsername)
    }
}

/// How an OAuth client says who it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Client {
    /// Not at all, or only by its id.
    Id,
    Basic,
    Body,
}

/// One way to write a login: a format, and what the server has said about it so far.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) format: Format,
    /// Name of the member that says who logs in.
    pub(crate) user: String,
    /// Name of the member that holds the password.
    pub(crate) password: String,
    pub(crate) client: Client,
    /// Whether the server wants a name for the device: Laravel Sanctum does.
    pub(crate) device: bool,
}

/// What the connection can show, without any secret in it.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// Names of the secrets that are there.
    secrets: Vec<String>,
    client_id: Option<String>,
    scopes: Vec<String>,
}

impl Credentials {
    pub(crate) fn of(context: &Context) -> Self {
        let scopes = listed(context.settings.optional("scopes").unwrap_or_default());
        Self {
            secrets: context.secrets.clone(),
            client_id: context.settings.optional("client_id").map(str::to_owned),
            scopes: scopes.map(str::to_owned).collect(),
        }
    }

    /// Whether there is enough for a format. An e-mail may serve as a user name.
    pub(crate) fn allow(&self, format: Format) -> bool {
        let has_name = self.has("username") || self.has("email");
        match format {
            Format::JsonEmail => self.has("email") && self.has("password"),
            Format::JsonUsername | Format::Form => has_name && self.has("password"),
            Format::ClientCredentials => self.has_client(),
        }
    }

    /// The ways worth trying at a path, best first; `pinned` is the operator's own choice.
    pub(crate) fn shapes(&self, path: &str, pinned: Option<Format>) -> Vec<Shape> {
        let order = if path.contains("oauth") { Format::OAUTH } else { Format::ALL };
        let wanted =
            |format: &Format| self.allow(*format) && pinned.is_none_or(|pinned| pinned == *format);
        order.into_iter().filter(wanted).map(|format| self.shape(format)).collect()
    }

    /// A format as it usually is.
    pub(crate) fn shape(&self, format: Format) -> Shape {
        let user = if format == Format::JsonEmail { "email" } else { "username" };
        let client = if self.has_client() { Client::Basic } else { Client::Id };
        let (user, password) = (user.to_owned(), "password".to_owned());
        Shape { format, user, password, client, device: false }
    }

    /// The request of a login in this shape.
    pub(crate) fn login(&self, url: String, shape: &Shape) -> Request {
        let user = || (shape.user.clone(), secret(self.identity(&shape.user)));
        let password = || (shape.password.clone(), secret("password"));
        let mut members = match shape.format {
            Format::JsonEmail | Format::JsonUsername => vec![user(), password()],
            Format::Form => vec![grant("password"), user(), password()],
            Format::ClientCredentials => vec![grant("client_credentials")],
        };
        if shape.device {
            members.push(("device_name".to_owned(), text("keepfresh")));
        }
        let request = Request::post(url).header("Accept", text("application/json"));
        if shape.format.is_json() {
            return request.json(members);
        }
        if !self.scopes.is_empty() {
            members.push(("scope".to_owned(), text(self.scopes.join(" "))));
        }
        self.as_client(request, members, shape.client)
    }

    /// A form that an OAuth client sends.
    pub(crate) fn as_client(
        &self,
        request: Request,
        mut members: Vec<(String, Value)>,
        client: Client,
    ) -> Request {
        let Some(id) = &self.client_id else { return request.form(members) };
        if client == Client::Basic && self.has("client_secret") {
            let credentials = basic_header(client_basic(id, secret("client_secret")));
            return request.header("Authorization", credentials).form(members);
        }
        members.push(("client_id".to_owned(), text(id)));
        if client == Client::Body && self.has("client_secret") {
            members.push(("client_secret".to_owned(), secret("client_secret")));
        }
        request.form(members)
    }

    fn has_client(&self) -> bool {
        self.client_id.is_some() && self.has("client_secret")
    }

    fn has(&self, name: &str) -> bool {
        self.secrets.iter().any(|it| it == name)
    }

    /// The secret that fits a member's name best.
    fn identity(&self, member: &str) -> &'static str {
        let wants_email = member.to_ascii_lowercase().contains("mail");
        if self.has("email") && (wants_email || !self.has("username")) {
            "email"
        } else {
            "username"
        }
    }
}

pub(crate) fn grant(kind: &str) -> (String, Value) {
    ("grant_type".to_owned(), text(kind))
}

/// The failure when the secrets at hand allow nothing that is wanted.
pub(crate) fn missing(pinned: Option<Format>) -> Failure {
    Failure::misconfigured(match pinned {
        Some(Format::JsonEmail) => "the format `json-email` needs `email` and `password`",
        Some(Format::JsonUsername | Format::Form) => {
            "this format needs `password`, and `username` or `email`"
        }
        Some(Format::ClientCredentials) => {
            "the format `client-credentials` needs the setting `client_id` and the secret \
             `client_secret`"
        }
        None => {
            "nothing to log in with; give `email` or `username` with `password`, or \
             `client_id` with `client_secret`"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::context;
    use sdk::{Body, Place};

    fn credentials(secrets: &[&str], client: &str) -> Credentials {
        let settings = [("login_url", "https://a.example"), ("client_id", client)];
        let mut context = context::<crate::Plugin>(&settings);
        context.secrets = secrets.iter().map(|name| (*name).to_owned()).collect();
        Credentials::of(&context)
    }

    fn formats(secrets: &[&str], client: &str, path: &str) -> Vec<&'static str> {
        let shapes = credentials(secrets, client).shapes(path, None);
        shapes.iter().map(|shape| shape.format.name()).collect()
    }

    /// The secret that a login presents as who it is.
    fn presented(secrets: &[&str], user: &str) -> Value {
        let credentials = credentials(secrets, "");
        let shape = Shape { user: user.to_owned(), ..credentials.shape(Format::JsonUsername) };
        match credentials.login(String::new(), &shape).body {
            Body::Json(members) => members[0].1.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_formats_that_the_secrets_allow_are_tried() {
        let person = ["json-email", "json-username", "form"];
        assert_eq!(formats(&["email", "password"], "", "/login"), person);
        assert_eq!(formats(&["username", "password"], "", "/login"), person[1..]);
        assert_eq!(formats(&["client_secret"], "app", "/login"), ["client-credentials"]);
        for (secrets, client) in
            [(vec!["password"], ""), (vec!["email"], "app"), (vec!["client_secret"], "")]
        {
            assert!(formats(&secrets, client, "/login").is_empty(), "{secrets:?}");
        }
    }

    #[test]
    fn a_token_endpoint_is_offered_forms_first() {
        let all = formats(&["email", "password", "client_secret"], "app", "/oauth/token");
        assert_eq!(all, ["form", "client-credentials", "json-email", "json-username"]);
    }

    #[test]
    fn the_secret_that_fits_the_name_is_presented() {
        let named = |name: &str| Value::Secret(Place::Connection(name.to_owned()));
        let both = ["email", "username", "password"];
        assert_eq!(presented(&both, "email_address"), named("email"));
        assert_eq!(presented(&both, "login"), named("username"));
        assert_eq!(presented(&["email", "password"], "username"), named("email"));
        assert_eq!(presented(&["username", "password"], "email"), named("username"));
    }

    #[test]
    fn a_format_has_one_name() {
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Some(format));
        }
    }
}
