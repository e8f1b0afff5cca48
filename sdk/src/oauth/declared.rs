//! What the readers of this folder read of an answer, to be declared by the plugins that use them.

use crate::bindings::exports::keepfresh::provider::provider::{Descriptor, Kind};

impl Descriptor {
    /// The answers of a token endpoint, RFC 6749 5: the error's code, the token's type, lifetimes and
    /// scopes.
    #[must_use]
    pub fn reads_oauth(self) -> Self {
        self.reads(Kind::Code, &["/error", "/token_type"])
            .reads(
                Kind::Number,
                &["/expires_in", "/refresh_token_expires_in", "/refresh_expires_in"],
            )
            .reads(Kind::Date, &["/expires_at", "/refresh_token_expires_at"])
            .reads(Kind::Fact, &["/scope", "/scope/*"])
    }

    /// The answer that begins the device grant, RFC 8628 3.2.
    #[must_use]
    pub fn reads_device(self) -> Self {
        self.reads(Kind::Fact, &["/user_code"])
            .reads(Kind::Number, &["/interval"])
            .reads(Kind::Address, &["/verification_uri", "/verification_url"])
            .reads(Kind::Fact, &["/verification_uri_complete", "/verification_url_complete"])
    }
}
