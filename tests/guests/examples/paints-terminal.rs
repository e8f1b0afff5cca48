//! Says of itself and of its tokens what a terminal would obey or nobody would see, wherever it is not
//! refused for it. The host must write all of it out.

use sdk::{Answer, Context, Descriptor, Failure, Field, Flow, Logins, Request, Tokens};
use sdk::{secret, send};

/// Clears the screen, forges a line, turns it around, hides.
const PAINT: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\r\nforged\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}\u{e0041}\u{7f}";

fn describe() -> Descriptor {
    let note = Field::optional("note", PAINT, PAINT);
    Descriptor::new("paints-terminal", "0.1.0", PAINT)
        .about(PAINT)
        .setting(Field::required("base_url", "Base URL", PAINT))
        .setting(note)
        .secret(Field::required("key", PAINT, PAINT))
        .logins(Logins::UNATTENDED)
        .access("POST {base_url}/token", &["key"])
}

fn login(_: &Context) -> Flow<Tokens> {
    let request = Request::post("{base_url}/token").json([("key", secret("key"))]);
    send(request, |answer: &dyn Answer| {
        if !answer.is_success() {
            return Err(Failure::of(answer, "the provider", "tokens"));
        }
        let mut tokens = Tokens::bearer("/access_token");
        tokens.scopes = vec![PAINT.to_owned()];
        tokens.metadata = vec![(PAINT.to_owned(), PAINT.to_owned())];
        Ok(tokens)
    })
}

fn refresh(_: &Context) -> Flow<Tokens> {
    Err(Failure::Unexpected(PAINT.to_owned()))
}

guests::guest!(describe, login, refresh);
