//! Members and headers that are named like a secret. What stands under such a name cannot be read,
//! whatever a descriptor declares.

/// Names that hold a secret, and under which nothing but numbers and dates can be read.
const SECRET: &[&str] = &[
    "access",
    "refresh",
    "jwt",
    "assertion",
    "password",
    "passwd",
    "pass",
    "pwd",
    "passphrase",
    "passcode",
    "otp",
    "key",
    "apikey",
    "secretkey",
    "privatekey",
    "devicecode",
    "session",
    "sessionid",
    "sessionkey",
    "sid",
    "cookie",
    "cookies",
    "bearer",
    "ticket",
    "credential",
    "credentials",
    "signature",
    "nonce",
];

/// Endings of such names: `accessToken`, `client-secret`, `id_tokens`.
const SECRET_ENDINGS: &[&str] = &[
    "token",
    "tokens",
    "tokenvalue",
    "secret",
    "secrets",
    "password",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "sessionid",
];

/// Names that hold a secret when a string stands there, and are only a wrapper around an object.
const WRAPPERS: &[&str] = &["authorization", "authentication", "auth", "tokens"];

/// Headers that may be read as they are: they speak of the message. Every other has to be declared.
const PLAIN_HEADERS: &[&str] = &[
    "allow",
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "server",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// A name without its spelling: letters and digits in lower case.
pub(in crate::sandbox) fn fold(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Names of one call: the host's, and those that the plugin seals besides.
#[derive(Clone, Debug, Default)]
pub(in crate::sandbox) struct Names {
    sealed: Vec<String>,
}

impl Names {
    /// The host's names and these.
    pub(in crate::sandbox) fn new(sealed: &[String]) -> Self {
        Self { sealed: sealed.iter().map(|it| fold(it)).collect() }
    }

    /// Whether a string, a number or whatever else stands there is a secret.
    pub(in crate::sandbox) fn is_secret(&self, name: &str) -> bool {
        self.is_closed(name) || WRAPPERS.contains(&fold(name).as_str())
    }

    /// Whether what stands below it is a secret too: `{"token": {"value": ...}}`.
    pub(in crate::sandbox) fn is_closed(&self, name: &str) -> bool {
        let name = fold(name);
        !WRAPPERS.contains(&name.as_str())
            && (SECRET.contains(&name.as_str())
                || SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending))
                || self.sealed.contains(&name))
    }

    /// Whether a header may be declared as readable: one that is named like a secret may not.
    pub(in crate::sandbox) fn is_secret_header(&self, name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        let bare = lower.strip_prefix("x-").unwrap_or(&lower);
        let told = ["authenticate", "authorization", "cookie", "authinfo", "authenticationinfo"];
        self.is_secret(bare) || told.iter().any(|it| fold(bare).ends_with(it))
    }
}

/// Whether a header speaks of the message alone.
pub(in crate::sandbox) fn is_plain_header(name: &str) -> bool {
    PLAIN_HEADERS.iter().any(|it| it.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_name_in_any_spelling() {
        let names = Names::new(&["magic_word".to_owned()]);
        for name in [
            "access",
            "accessToken",
            "ACCESS_TOKEN",
            "refresh-token",
            "clientSecret",
            "magicWord",
            "session_id",
            "sessionId",
            "passwd",
            "key",
            "api-key",
            "bearer",
            "ticket",
            "credential",
            "cookie",
            "tokens",
            "authorization",
            "id_tokens",
            "New-Password",
            "jwt",
            "sid",
            "SecretAccessKey",
            "access_token_value",
            "PHPSESSIONID",
        ] {
            assert!(names.is_secret(name), "{name}");
        }
        for name in [
            "token_type",
            "expires_in",
            "error",
            "code",
            "message",
            "user_code",
            "id",
            "status",
            "authorization_endpoint",
            "refresh_token_expires_in",
            "keys_url",
        ] {
            assert!(!names.is_secret(name), "{name}");
        }
    }

    #[test]
    fn below_a_wrapper_things_go_by_their_own_names() {
        let names = Names::default();
        for (name, closed) in
            [("token", true), ("access_token", true), ("tokens", false), ("authorization", false)]
        {
            assert_eq!(names.is_closed(name), closed, "{name}");
        }
    }

    #[test]
    fn a_header_is_readable_only_if_it_speaks_of_the_message() {
        for name in ["Content-Type", "RETRY-AFTER", "date"] {
            assert!(is_plain_header(name), "{name}");
        }
        let names = Names::default();
        for name in [
            "X-Auth-Token",
            "X-Subject-Token",
            "X-Api-Key",
            "Set-Cookie",
            "Authorization",
            "WWW-Authenticate",
            "Proxy-Authenticate",
            "Authentication-Info",
            "X-Session-Id",
        ] {
            assert!(names.is_secret_header(name) && !is_plain_header(name), "{name}");
        }
        assert!(!is_plain_header("Location") && !names.is_secret_header("X-Request-Id"));
    }
}
