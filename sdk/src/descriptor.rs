//! Building a descriptor. The record itself is the contract's; here are only short ways to fill
//! it, so that `describe` reads like a data sheet.

use crate::bindings::exports::keepfresh::provider::provider::{
    Access, Descriptor, Field, Kind, Logins, Read, Rotation,
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
            reads: Vec::new(),
            sealed: Vec::new(),
            signs: Vec::new(),
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

    /// Adds a request that the plugin makes, and what goes there: `POST {base_url}/token`, names of
    /// secrets, and `access-token`, `refresh-token`, `extra-tokens`, `code`, `code-verifier`,
    /// `device-code` or `answer`.
    #[must_use]
    pub fn access(mut self, request: &str, carries: &[&str]) -> Self {
        let carries = carries.iter().map(|&it| it.to_owned()).collect();
        self.access.push(Access { request: request.to_owned(), carries });
        self
    }

    /// Adds places in answers that the plugin reads, and what is there. `/errors/*/code` is one step
    /// of any name, `**/code` any depth, the empty place a text body, `header:NAME` a header. What is
    /// not declared reads as if it were not there.
    #[must_use]
    pub fn reads(mut self, kind: Kind, places: &[&str]) -> Self {
        let read = |place: &&str| Read { place: (*place).to_owned(), kind };
        self.reads.extend(places.iter().map(read));
        self
    }

    /// Adds the members below `base` that [`facts`](crate::facts) takes.
    #[must_use]
    pub fn reads_facts(mut self, base: &str, names: &[&str]) -> Self {
        let read = |name: &&str| Read { place: format!("{base}/{name}"), kind: Kind::Fact };
        self.reads.extend(names.iter().map(read));
        self
    }

    /// Adds a secret that signs.
    #[must_use]
    pub fn signs(mut self, secret: &str) -> Self {
        self.signs.push(secret.to_owned());
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
