//! The formats of a login, which of them the credentials at hand allow, and the request that each makes.
//! Secrets are named and never seen; nothing here knows where a request goes or what came back.

use sdk::{Context, Failure, Request, Value, basic_header, client_basic, secret, text};

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
    email: bool,
    username: bool,
    password: bool,
    client_id: Option<String>,
    client_secret: bool,
    scopes: Vec<String>,
}

impl Credentials {
    pub(crate) fn of(context: &Context) -> Self {
        let scopes = context.settings.optional("scopes").unwrap_or_default();
        let pieces = scopes.split(|it: char| it == ',' || it.is_whitespace());
        Self {
            email: context.has_secret("email"),
            username: context.has_secret("username"),
            password: context.has_secret("password"),
            client_id: context.settings.optional("client_id").map(str::to_owned),
            client_secret: context.has_secret("client_secret"),
            scopes: pieces.filter(|it| !it.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// Whether there is enough for a format. An e-mail may serve as a user name.
    pub(crate) fn allow(&self, format: Format) -> bool {
        match format {
            Format::JsonEmail => self.email && self.password,
            Format::JsonUsername | Format::Form => (self.username || self.email) && self.password,
            Format::ClientCredentials => self.client_id.is_some() && self.client_secret,
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

    /// The failure when the secrets at hand allow nothing that is wanted.
    pub(crate) fn missing(&self, pinned: Option<Format>) -> Failure {
        Failure::Misconfigured(
            match pinned {
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
            }
            .to_owned(),
        )
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
        if client == Client::Basic && self.client_secret {
            let credentials = basic_header(client_basic(id, secret("client_secret")));
            return request.header("Authorization", credentials).form(members);
        }
        members.push(("client_id".to_owned(), text(id)));
        if client == Client::Body && self.client_secret {
            members.push(("client_secret".to_owned(), secret("client_secret")));
        }
        request.form(members)
    }

    fn has_client(&self) -> bool {
        self.client_id.is_some() && self.client_secret
    }

    /// The secret that fits a member's name best.
    fn identity(&self, member: &str) -> &'static str {
        let wants_email = member.to_ascii_lowercase().contains("mail");
        if self.email && (wants_email || !self.username) { "email" } else { "username" }
    }
}

pub(crate) fn grant(kind: &str) -> (String, Value) {
    ("grant_type".to_owned(), text(kind))
}
