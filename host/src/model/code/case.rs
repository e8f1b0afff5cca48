//! The case of a code where the original case is not known: in rows from before cases were stored,
//! and in replies of an older daemon.

use crate::model::code::{Code, Egress, Plugin, Provider, Refresh, Secret, Token};
use crate::model::failure::Case;

impl Code {
    /// The case that failures with this code usually have.
    pub fn usual_case(&self) -> Case {
        match self {
            Self::Provider(code) => of_provider(*code),
            Self::Egress(code) => of_egress(*code),
            Self::Refresh(code) => of_refresh(*code),
            Self::Token(code) => of_token(*code),
            Self::Secret(code) => of_secret(*code),
            Self::Plugin(Plugin::SecretUnfit)
            | Self::Command(_)
            | Self::Manifest(_)
            | Self::PluginFile(_)
            | Self::Attempt(_)
            | Self::Replay(_)
            | Self::Connect(_)
            | Self::Connection(_)
            | Self::Import(_)
            | Self::Export(_)
            | Self::ApiKey(_)
            | Self::Account(_)
            | Self::Login(_)
            | Self::Auth(_)
            | Self::Http(_)
            | Self::Proxy(_) => Case::Misconfigured,
            Self::Plugin(_) => Case::PluginFault,
            Self::Daemon(_)
            | Self::Instance(_)
            | Self::Init(_)
            | Self::Vault(_)
            | Self::Storage(_)
            | Self::Internal(_) => Case::HostFault,
            // It is tried again, which is right for most.
            Self::Channel(_) | Self::Sink(_) | Self::Unknown(_) => Case::Unavailable,
        }
    }
}

fn of_provider(code: Provider) -> Case {
    match code {
        Provider::InvalidCredentials => Case::InvalidCredentials,
        Provider::GrantExpired => Case::GrantExpired,
        Provider::TokenRejected => Case::TokenRejected,
        Provider::Misconfigured => Case::Misconfigured,
        Provider::RateLimited => Case::RateLimited(None),
        Provider::Unavailable => Case::Unavailable,
        Provider::Unexpected | Provider::Failed => Case::Unexpected,
        Provider::Timeout
        | Provider::ConnectionLost
        | Provider::HttpInvalid
        | Provider::HeadersTooLarge
        | Provider::BodyTooLarge
        | Provider::EncodingInvalid
        | Provider::EncodingUnsupported => Case::InDoubt,
    }
}

fn of_egress(code: Egress) -> Case {
    match code {
        Egress::RequestInvalid
        | Egress::ClientFailed
        | Egress::DnsFailed
        | Egress::ConnectFailed
        | Egress::ConnectTimeout
        | Egress::TlsFailed => Case::Unavailable,
        _ => Case::Misconfigured,
    }
}

fn of_refresh(code: Refresh) -> Case {
    match code {
        Refresh::NeedsPerson | Refresh::GrantLost => Case::GrantExpired,
        Refresh::OutcomeUnknown | Refresh::Interrupted => Case::InDoubt,
        Refresh::Held | Refresh::Fenced => Case::HostFault,
    }
}

fn of_token(code: Token) -> Case {
    match code {
        Token::None | Token::RejectedWhenFresh | Token::NotReplaced => Case::Unavailable,
        Token::Invalid | Token::GenerationUnknown => Case::Misconfigured,
        Token::Unprintable | Token::DeadOnArrival => Case::Unexpected,
    }
}

/// What may pass by itself is an outage of this machine; what does not is for a person.
fn of_secret(code: Secret) -> Case {
    match code {
        Secret::FileMissing
        | Secret::FileUnreadable
        | Secret::CredentialMissing
        | Secret::ExecFailed
        | Secret::ExecTimeout
        | Secret::Empty => Case::HostFault,
        Secret::EnvMissing
        | Secret::FileMode
        | Secret::NotText
        | Secret::TooLarge
        | Secret::SourceForm => Case::Misconfigured,
    }
}
