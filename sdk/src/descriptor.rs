//! Building a descriptor. The record itself is the contract's; here are only short ways to fill
//! it, so that `describe` reads like a data sheet.

use crate::bindings::exports::keepfresh::provider::provider::{
    Descriptor, Field, Logins, Rotation,
};

impl Descriptor {
    /// A descriptor that declares nothing yet: no login, no access, rotation unknown.
    pub fn new(name: &str, version: &str, title: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            title: title.to_owned(),
            about: String::new(),
            documentation: None,
            settings: Vec::new(),
            secrets: Vec::new(),
            logins: Logins::empty(),
            rotation: Rotation::Unknown,
            access: Vec::new(),
            sealed: Vec::new(),
            lifetime: None,
            schedule: None,
            extra: Vec::new(),
        }
    }

    /// One or two sentences for people.
    #[must_use]
    pub fn about(mut self, about: &str) -> Self {
        about.clone_into(&mut self.about);
        self
    }

    /// Where the provider documents its API.
    #[must_use]
    pub fn documentation(mut self, url: &str) -> Self {
        self.documentation = Some(url.to_owned());
        self
    }

    /// Adds a setting.
    #[must_use]
    pub fn setting(mut self, field: Field) -> Self {
        self.settings.push(field);
        self
    }

    /// Adds a secret.
    #[must_use]
    pub fn secret(mut self, field: Field) -> Self {
        self.secrets.push(field);
        self
    }

    /// How a connection gets its first token.
    #[must_use]
    pub fn logins(mut self, logins: Logins) -> Self {
        self.logins = logins;
        self
    }

    /// What happens to the old refresh token.
    #[must_use]
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// Adds a request that the plugin makes: `POST {base_url}/token`.
    #[must_use]
    pub fn access(mut self, pattern: &str) -> Self {
        self.access.push(pattern.to_owned());
        self
    }

    /// Adds a response member that holds a secret under a name that the host cannot guess.
    #[must_use]
    pub fn sealed(mut self, member: &str) -> Self {
        self.sealed.push(member.to_owned());
        self
    }

    /// Seconds that a token lives when nothing else says so.
    #[must_use]
    pub fn lifetime(mut self, seconds: u32) -> Self {
        self.lifetime = Some(seconds);
        self
    }

    /// Requests that one call may make, up to 16; 8 when this is not said.
    #[must_use]
    pub fn requests(mut self, count: u32) -> Self {
        self.extra.push(("requests".to_owned(), count.to_string()));
        self
    }

    /// The cron expression used when the manifest gives none.
    #[must_use]
    pub fn schedule(mut self, cron: &str) -> Self {
        self.schedule = Some(cron.to_owned());
        self
    }
}

impl Field {
    /// A setting or secret that a connection cannot do without.
    pub fn required(name: &str, title: &str, help: &str) -> Self {
        let (name, title, help) = (name.to_owned(), title.to_owned(), help.to_owned());
        Self { name, title, help, required: true, default: None }
    }

    /// A setting or secret that may be left out.
    pub fn optional(name: &str, title: &str, help: &str) -> Self {
        Self { required: false, ..Self::required(name, title, help) }
    }

    /// The value used when a connection gives none.
    #[must_use]
    pub fn or(mut self, default: &str) -> Self {
        self.default = Some(default.to_owned());
        self
    }
}
