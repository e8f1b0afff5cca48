//! The parts of an authorization server that `oauth`, `google` and `propelauth` share: RFC 6749 with PKCE, device
//! codes and signed assertions. Decides and says `Refused`; how that is worded, and at which path, is the vendor's.

/// What one server asks for.
pub mod rules;

/// Why something was not granted.
pub(crate) mod refused;

/// What was consented to, and the tokens for it.
pub(crate) mod tokens;

/// The page that a person is sent to.
pub(crate) mod authorize;

/// Codes that are good once.
pub(crate) mod codes;

/// Who calls.
pub(crate) mod client;

/// A client that signs instead of showing a secret.
pub(crate) mod assertion;

/// Devices without a browser.
pub(crate) mod device;

/// What changes from one login to the next.
pub mod behaviour;

/// The grants of the token endpoint.
pub(crate) mod token;

/// Access tokens at a resource.
pub(crate) mod bearer;

use jiff::Timestamp;

use crate::provider::{
    authorization::{
        assertion::Seen, behaviour::Behaviour, codes::Codes, device::Devices, rules::Rules,
        tokens::Grant, tokens::Tokens,
    },
    credentials::Credentials,
    ledger::Handed,
    mint::Mint,
    service::Pair,
};

/// One server with one client.
pub(crate) struct Authorization {
    pub(crate) rules: Rules,
    pub(crate) credentials: Credentials,
    pub(crate) tokens: Tokens,
    pub(crate) devices: Devices,
    /// Whether the person says no.
    pub(crate) denying: bool,
    pub(crate) behaviour: Behaviour,
    codes: Codes,
    seen: Seen,
    mint: Mint,
}

impl Authorization {
    pub(crate) fn new(rules: Rules, credentials: Credentials, tokens: Tokens) -> Self {
        let codes = Codes::new(rules.code_lifetime);
        let devices = Devices::new(rules.device_lifetime, rules.device_interval);
        let (seen, mint) = (Seen::default(), Mint::new(""));
        let behaviour = Behaviour::default();
        Self { rules, credentials, tokens, devices, denying: false, behaviour, codes, seen, mint }
    }

    /// A grant that nobody asked for, with everything in it.
    pub(crate) fn issue(&mut self, name: &str, now: Timestamp) -> Pair {
        let grant = Grant { offline: true, ..self.whole_grant() };
        let handed = self.tokens.open(name.to_owned(), grant, now);
        self.tokens.ledger.delivered(handed);
        self.tokens.pair(handed, now)
    }

    /// Opens a family that is named after its place.
    pub(crate) fn open(&mut self, grant: Grant, now: Timestamp) -> Handed {
        let name = format!("login-{}", self.tokens.ledger.len());
        self.tokens.open(name, grant, now)
    }

    /// The account's consent to every scope.
    pub(crate) fn whole_grant(&self) -> Grant {
        Grant {
            subject: self.rules.account.clone(),
            scope: self.rules.scopes.clone(),
            audience: self.rules.target.as_ref().map(|target| target.value.clone()),
            offline: false,
            public: self.rules.is_public(),
            nonce: None,
        }
    }
}
