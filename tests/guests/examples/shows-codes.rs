//! Asks a person to type a code in on another machine, and gives them a page or a code that they should
//! never see. The settings `page`, `complete`, `words` and `device` say what.

use guests::raw::{copy, other, post, secret, setting, take};
use sdk::bindings::device::exports::keepfresh::provider::device;
use sdk::bindings::exports::keepfresh::provider::provider::Guest;
use sdk::bindings::keepfresh::provider::secrets::Secret;
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};
use sdk::{Descriptor, Failure, Field, Logins};

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Descriptor {
        guests::describe("shows-codes")
            .setting(Field::required("page", "Page", "Where a person is sent."))
            .setting(Field::optional("complete", "Complete", "The same with the code."))
            .setting(Field::required("words", "Code", "What they type, as JSON has it."))
            .setting(Field::required("device", "Device", "Whose the device code is."))
            .logins(Logins::INTERACTIVE)
            .access("POST {base_url}/device", &["key"])
            .access("GET https://declared.example/device", &[])
            .access("GET http://plain.example/device", &[])
    }

    fn login(_: Connection) -> Result<TokenSet, Failure> {
        Err(other("needs a person"))
    }

    fn refresh(connection: Connection, _: TokenSet) -> Result<TokenSet, Failure> {
        Self::login(connection)
    }
}

impl device::Guest for Plugin {
    fn start(connection: Connection, _: Vec<String>) -> Result<device::Grant, Failure> {
        let key = secret(&connection, "key")?;
        let answer = post(&connection, "/device", key)?;
        let device_code = match setting(&connection, "device") {
            "key" => copy(key),
            "composed" => copy(&take(&answer, "/device_code")?),
            _ => take(&answer, "/device_code")?,
        };
        let complete = setting(&connection, "complete");
        Ok(device::Grant {
            device_code,
            user_code: setting(&connection, "words").replace("ESC", "\u{1b}"),
            verification_uri: setting(&connection, "page").to_owned(),
            verification_uri_complete: (!complete.is_empty()).then(|| complete.to_owned()),
            expires_in: 600,
            interval: 1,
        })
    }

    fn poll(_: Connection, _: Secret) -> Result<device::Progress, Failure> {
        Err(other("was polled"))
    }
}

sdk::export!(Plugin, device);
