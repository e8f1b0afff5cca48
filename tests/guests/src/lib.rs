//! What the guests share: a descriptor, a proper token request, and a request that the host must
//! stop. Each guest is one file in `examples/`, named after what it does wrong.

pub mod raw;

use sdk::{
    Answer, Descriptor, Failure, Field, Flow, Kind, Logins, Request, Tokens, refresh_token_at,
    secret, send,
};

pub use sdk;
pub use sdk::bindings::keepfresh::provider::{log, secrets};

/// The descriptor of a guest that has nothing special about it.
pub fn describe(name: &str) -> Descriptor {
    Descriptor::new(name, "0.1.0", name)
        .setting(Field::required("base_url", "Base URL", "Where the fake provider is."))
        .secret(Field::required("key", "Key", "Any text."))
        .logins(Logins::UNATTENDED)
        .access("POST {base_url}/token", &["key", "refresh-token"])
        .access("GET {base_url}/go", &["key"])
        .reads(Kind::Text, &["/echo", "/errors/**", "/note", "", "header:X-Echo"])
        .reads(Kind::Fact, &["/pin"])
}

/// A proper token request: after its misdeed a guest can still do its work.
pub fn tokens() -> Flow<Tokens> {
    send(Request::post("{base_url}/token").json([("key", secret("key"))]), |answer| {
        let mut tokens = Tokens::bearer("/access_token");
        tokens.refresh_token = refresh_token_at(answer, "/refresh_token")?;
        Ok(tokens)
    })
}

/// A request that the host must refuse. If an answer comes, the failure says so.
pub fn must_not_arrive(request: Request) -> Flow<Tokens> {
    send(request, |answer: &dyn Answer| {
        Err(Failure::Other(format!("arrived, and was answered {}", answer.status())))
    })
}

/// A guest: by its name and one flow for login and refresh, or by its three functions.
#[macro_export]
macro_rules! guest {
    ($name:literal, $flow:path) => {
        fn describe() -> $crate::sdk::Descriptor {
            $crate::describe($name)
        }
        $crate::guest!(describe, $flow, $flow);
    };
    ($describe:path, $login:path, $refresh:path) => {
        struct Plugin;

        impl $crate::sdk::Provider for Plugin {
            fn describe() -> $crate::sdk::Descriptor {
                $describe()
            }

            fn login(context: &$crate::sdk::Context) -> $crate::sdk::Flow<$crate::sdk::Tokens> {
                $login(context)
            }

            fn refresh(context: &$crate::sdk::Context) -> $crate::sdk::Flow<$crate::sdk::Tokens> {
                $refresh(context)
            }
        }

        $crate::sdk::export!(Plugin);
    };
}
