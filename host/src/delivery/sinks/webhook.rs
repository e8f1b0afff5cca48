//! A text to an address of the operator's, signed as Standard Webhooks has it. What the text says is not known here.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::IgnoredAny;

use crate::delivery::posting::{Codes, Post};
use crate::delivery::signing;
use crate::delivery::undelivered::Undelivered;
use crate::egress::{Body, Gate, Method};
use crate::manifest::channel::Endpoint;
use crate::model::code::{self, Code};
use crate::vault::source::Source;

const SINK: Codes = Codes {
    url_invalid: Code::Sink(code::Sink::WebhookUrl),
    secret_invalid: Code::Sink(code::Sink::WebhookSecret),
    status: Code::Sink(code::Sink::WebhookStatus),
    redirect: Code::Sink(code::Sink::WebhookRedirect),
    gone: Code::Sink(code::Sink::WebhookGone),
};

/// One text on its way.
pub struct Parcel<'a> {
    /// Who sends, for messages: "the sink `ops`".
    pub whose: &'a str,
    /// Where to.
    pub to: &'a Endpoint,
    /// What it is signed with.
    pub secret: Option<&'a Source>,
    /// What the receiver knows it by: the same at every try.
    pub id: &'a str,
    /// What is sent.
    pub body: &'a SecretString,
}

/// Sends it; any status from 200 to 299 is a success.
pub async fn post(parcel: &Parcel<'_>, gate: &Gate, now: Timestamp) -> Result<(), Undelivered> {
    let Parcel { whose, to, secret, id, body } = parcel;
    let post = Post { whose, section: "[[sinks]]", to, codes: &SINK };
    let headers = signing::headers(&post, *secret, id, now, body.expose_secret()).await?;
    post.send(gate, Method::Post, headers, as_body(body), now).await
}

/// The text as it is, byte for byte: that is what is signed. A receiver is told JSON where it is JSON.
fn as_body(text: &SecretString) -> Body {
    match serde_json::from_str::<IgnoredAny>(text.expose_secret()) {
        Ok(_) => Body::Json(text.clone()),
        Err(_) => Body::Text(text.clone()),
    }
}
