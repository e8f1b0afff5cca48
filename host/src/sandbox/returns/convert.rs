//! From the contract's types to the model's: what a plugin says about itself, and what it says went
//! wrong.

use crate::model::code;
use crate::model::descriptor::{Access, Descriptor, Field, Kind, Read};
use crate::model::failure::{Case, Failure};
use crate::model::rotation::Rotation;
use crate::sandbox::bindings::exports::provider as wit;
use crate::sandbox::bindings::imports::types;
use crate::sandbox::calling::state::CallState;

/// What a plugin said about itself.
pub(in crate::sandbox) fn descriptor(raw: wit::Descriptor) -> Descriptor {
    let fields = |fields: Vec<wit::Field>| fields.into_iter().map(field).collect();
    Descriptor {
        name: raw.name,
        version: raw.version,
        title: raw.title,
        about: raw.about,
        documentation: raw.documentation,
        settings: fields(raw.settings),
        secrets: fields(raw.secrets),
        unattended: raw.logins.contains(wit::Logins::UNATTENDED),
        interactive: raw.logins.contains(wit::Logins::INTERACTIVE),
        rotation: rotation(raw.rotation),
        access: raw.access.into_iter().map(access).collect(),
        reads: raw.reads.into_iter().map(read).collect(),
        sealed: raw.sealed,
        signs: raw.signs,
        lifetime: raw.lifetime,
        schedule: raw.schedule,
        extra: raw.extra,
    }
}

fn field(raw: wit::Field) -> Field {
    let wit::Field { name, title, help, required, default } = raw;
    Field { name, title, help, required, default }
}

fn access(raw: wit::Access) -> Access {
    let wit::Access { request, carries } = raw;
    Access { request, carries }
}

fn read(raw: wit::Read) -> Read {
    let kind = match raw.kind {
        wit::Kind::Number => Kind::Number,
        wit::Kind::Date => Kind::Date,
        wit::Kind::Code => Kind::Code,
        wit::Kind::Text => Kind::Text,
        wit::Kind::Fact => Kind::Fact,
        wit::Kind::Address => Kind::Address,
    };
    Read { place: raw.place, kind }
}

fn rotation(raw: wit::Rotation) -> Rotation {
    match raw {
        wit::Rotation::None => Rotation::None,
        wit::Rotation::Grace(seconds) => Rotation::Grace(seconds),
        wit::Rotation::UntilUsed => Rotation::UntilUsed,
        wit::Rotation::Strict => Rotation::Strict,
        wit::Rotation::Unknown => Rotation::Unknown,
    }
}

/// What a plugin says went wrong, cleaned.
pub(in crate::sandbox) fn failure(state: &mut CallState, raw: types::Failure) -> Failure {
    use types::Failure as Wit;
    let plugin = state.plugin.clone();
    let mut text = |text: String| state.known.clean(&text, 500);
    match raw {
        Wit::InvalidCredentials(it) => {
            Failure::new(Case::InvalidCredentials, code::Provider::InvalidCredentials, text(it))
        }
        Wit::GrantExpired(it) => {
            Failure::new(Case::GrantExpired, code::Provider::GrantExpired, text(it))
        }
        Wit::TokenRejected(it) => {
            Failure::new(Case::TokenRejected, code::Provider::TokenRejected, text(it))
        }
        Wit::RateLimited(seconds) => {
            let wait = seconds.map(|it| std::time::Duration::from_secs(u64::from(it)));
            let message = format!("{plugin} reports a rate limit");
            Failure::new(Case::RateLimited(wait), code::Provider::RateLimited, message)
        }
        Wit::Unavailable(it) => {
            Failure::new(Case::Unavailable, code::Provider::Unavailable, text(it))
        }
        Wit::InDoubt(it) => Failure::new(Case::InDoubt, code::Refresh::OutcomeUnknown, text(it)),
        Wit::Misconfigured(it) => {
            Failure::new(Case::Misconfigured, code::Provider::Misconfigured, text(it))
        }
        Wit::Unexpected(it) => Failure::new(Case::Unexpected, code::Provider::Unexpected, text(it)),
        Wit::Other(it) => Failure::new(Case::Unexpected, code::Provider::Failed, text(it)),
    }
}
