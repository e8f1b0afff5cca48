//! What the readers of this folder read of an answer, to be declared by the plugins that use them.

use crate::bindings::exports::keepfresh::provider::provider::{Descriptor, Kind};
use crate::oauth::words::{CODES_AT, LISTED_AT, NUMBERS_AT, TEXTS_AT};

impl Descriptor {
    /// The answers of a token endpoint, RFC 6749 5: the token's type, lifetimes and scopes, and the words of a
    /// refusal wherever providers have them.
    #[must_use]
    pub fn reads_oauth(self) -> Self {
        self.reads(Kind::Code, &["/token_type"])
            .reads(Kind::Text, &TEXTS_AT)
            .reads(Kind::Code, &CODES_AT)
            .reads(Kind::Text, &LISTED_AT)
            .reads(
                Kind::Number,
                &["/expires_in", "/refresh_token_expires_in", "/refresh_expires_in", NUMBERS_AT],
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
