//! What the optional interfaces return, checked: a device's code, an address, a profile. Each may reach
//! a person's eyes, a browser or the database.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::code;
use crate::model::failure::Failure;
use crate::model::plain::is_plain;
use crate::sandbox::bindings::exports::device;
use crate::sandbox::calling::call::Call;
use crate::sandbox::calling::exports::DeviceGrant;
use crate::sandbox::calling::state::CallState;
use crate::sandbox::machine::limits::{MAX_PROFILE, MAX_STRING};
use crate::sandbox::secrets::known::Known;

/// A provider that names no interval worth the name is not polled in a spin.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);

pub(in crate::sandbox) fn device_grant(
    call: &mut Call,
    grant: device::Grant,
) -> Result<DeviceGrant, Failure> {
    let found = call.store.data().table.get(&grant.device_code);
    let handle = found.map_err(|it| call.broken(&it.into()))?;
    // It is handed to later calls under a name of its own: what is in it must be the provider's alone.
    if !handle.is_whole() {
        let what = "returned a device code that is not exactly what the provider sent";
        return Err(call.fault(code::Plugin::OutputInvalid, what));
    }
    let device_code = handle.text().into();
    let complete = grant.verification_uri_complete;
    Ok(DeviceGrant {
        device_code,
        user_code: user_code(call, grant.user_code)?,
        verification_uri: short(call, &grant.verification_uri)?,
        verification_uri_complete: complete.map(|it| short(call, &it)).transpose()?,
        expires_in: Duration::from_secs(grant.expires_in.into()),
        interval: Duration::from_secs(grant.interval.into()).max(LEAST_INTERVAL),
    })
}

/// What a person types in: nothing that could look like more than a code.
fn user_code(call: &Call, code: String) -> Result<String, Failure> {
    let fits = |it: u8| it.is_ascii_alphanumeric() || b"- ".contains(&it);
    if (1..=64).contains(&code.len()) && code.bytes().all(fits) {
        return Ok(code);
    }
    let what = "returned a user code that is not 1 to 64 letters, digits, dashes and spaces";
    Err(call.fault(code::Plugin::OutputInvalid, what))
}

/// A text for a person's eyes or browser.
pub(in crate::sandbox) fn short(call: &mut Call, text: &str) -> Result<String, Failure> {
    if text.len() <= MAX_STRING && !text.is_empty() && is_plain(text) {
        let state = call.store.data_mut();
        return Ok(state.look_over(|it| it.known.strike(text).into_owned()));
    }
    Err(call.fault(
        code::Plugin::OutputInvalid,
        "returned a text that is empty, too long or has control characters",
    ))
}

/// A profile: a JSON object of bounded size, with every secret struck out.
pub(in crate::sandbox) fn profile_text(call: &mut Call, text: &str) -> Result<String, Failure> {
    if text.len() > MAX_PROFILE {
        let what = format!("returned a profile of {} bytes (limit {MAX_PROFILE})", text.len());
        return Err(call.fault(code::Plugin::OutputInvalid, &what));
    }
    let Ok(facts) = serde_json::from_str::<Map<String, Value>>(text) else {
        let what = "returned a profile that is not a JSON object";
        return Err(call.fault(code::Plugin::OutputInvalid, what));
    };
    let struck = |it: &mut CallState| strike_values(Value::Object(facts), &mut it.known);
    Ok(call.store.data_mut().look_over(struck).to_string())
}

/// A document without secrets, and still a document.
fn strike_values(value: Value, known: &mut Known) -> Value {
    match value {
        Value::String(text) => known.strike(&text).into_owned().into(),
        Value::Array(items) => items.into_iter().map(|it| strike_values(it, known)).collect(),
        Value::Object(members) => {
            let mut struck = Map::new();
            for (name, value) in members {
                let value = strike_values(value, known);
                struck.insert(known.strike(&name).into_owned(), value);
            }
            Value::Object(struck)
        }
        other => other,
    }
}
