//! Declares an address on the machine itself, and calls it.

use sdk::{Context, Descriptor, Field, Flow, Logins, Request, Tokens};

fn describe() -> Descriptor {
    Descriptor::new("asks-localhost", "0.1.0", "asks-localhost")
        .secret(Field::required("key", "Key", ""))
        .logins(Logins::UNATTENDED)
        .access("GET https://localhost:1/x", &[])
}

fn ask(_: &Context) -> Flow<Tokens> {
    guests::must_not_arrive(Request::get("https://localhost:1/x"))
}

guests::guest!(describe, ask, ask);
