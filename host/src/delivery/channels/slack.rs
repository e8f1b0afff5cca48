//! A message as Slack and its kin take it: one text. What they read as markup is escaped.

use serde_json::json;

use crate::delivery::channels::sending::Parcel;
use crate::delivery::channels::text::Text;
use crate::delivery::posting::{CHANNEL, Post};
use crate::delivery::undelivered::Undelivered;
use crate::egress::{Body, Method};
use crate::manifest::channel::Endpoint;

pub(super) async fn send(parcel: &Parcel<'_>, to: &Endpoint) -> Result<(), Undelivered> {
    let whose = parcel.whose();
    let post = Post { whose: &whose, section: "[[channels]]", to, codes: &CHANNEL };
    let body = json!({ "text": text(&parcel.text()) }).to_string();
    post.send(parcel.gate, Method::Post, Vec::new(), Body::Json(body.into()), parcel.clock.now())
        .await
}

fn text(text: &Text) -> String {
    let title = format!("*{}*", escaped(&text.title).replace('*', " "));
    let lines = text.lines.iter().map(|it| escaped(it));
    let command = text.command.iter().map(|it| format!("`{}`", escaped(it).replace('`', "'")));
    std::iter::once(title).chain(lines).chain(command).collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_slack_takes_for_markup_is_escaped() {
        let said = text(&Text {
            title: "a <!channel> & *b*".to_owned(),
            lines: vec!["<https://evil.example|click>".to_owned()],
            command: Some("keepfresh status".to_owned()),
        });
        let expected = "*a &lt;!channel&gt; &amp;  b *\n&lt;https://evil.example|click&gt;\n`keepfresh status`";
        assert_eq!(said, expected);
    }
}
