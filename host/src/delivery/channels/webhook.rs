//! A message as JSON, signed.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::delivery::channels::notice::Notice;
use crate::delivery::channels::sending::Parcel;
use crate::delivery::posting::{CHANNEL, Post};
use crate::delivery::signing;
use crate::delivery::undelivered::Undelivered;
use crate::egress::{Body, Method};
use crate::manifest::channel::Endpoint;
use crate::vault::source::Source;

pub(super) async fn send(
    parcel: &Parcel<'_>,
    to: &Endpoint,
    secret: Option<&Source>,
) -> Result<(), Undelivered> {
    let (now, body) = (parcel.clock.now(), body(parcel).to_string());
    let whose = parcel.whose();
    let post = Post { whose: &whose, section: "[[channels]]", to, codes: &CHANNEL };
    let headers = signing::headers(&post, secret, &parcel.id, now, &body).await?;
    post.send(parcel.gate, Method::Post, headers, Body::Json(body.into()), now).await
}

/// `type`, `timestamp` and `data`, with the words beside the facts.
fn body(parcel: &Parcel<'_>) -> Value {
    let text = parcel.text();
    let mut data = serde_json::to_value(parcel.notice).unwrap_or_default();
    if let Some(data) = data.as_object_mut() {
        data.remove("about");
        data.insert("title".to_owned(), text.title.clone().into());
        data.insert("text".to_owned(), text.plain().into());
    }
    let (kind, at) = kind(parcel.notice);
    json!({ "type": kind, "timestamp": at, "data": data })
}

fn kind(notice: &Notice) -> (String, Timestamp) {
    match notice {
        Notice::Alert(it) => {
            let tell = serde_json::to_value(&it.tell).unwrap_or_default();
            (format!("alert.{}", tell.as_str().unwrap_or_default()), it.at)
        }
        Notice::Summary(it) => ("summary".to_owned(), it.at),
        Notice::Person(it) => ("person".to_owned(), it.at),
        Notice::Test(it) => ("test".to_owned(), it.at),
    }
}
