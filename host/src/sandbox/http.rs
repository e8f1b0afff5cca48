//! The host's side of `http`: a request described with handles becomes a real one at the door, and
//! the answer is durable before the plugin sees it.

use std::time::Instant;

use secrecy::SecretString;
use serde_json::{Map, Value};
use wasmtime::component::Resource;
use zeroize::Zeroizing;

use crate::egress::{self, EgressError};
use crate::sandbox::answer::Answer;
use crate::sandbox::bindings::imports::http;
use crate::sandbox::secrets::Handle;
use crate::sandbox::state::CallState;

impl http::Host for CallState {
    async fn send(
        &mut self,
        request: http::Request,
    ) -> wasmtime::Result<Result<Resource<Answer>, http::Failure>> {
        let sent = match self.prepare(&request)? {
            Ok(prepared) => self.pass(prepared).await?,
            Err(denied) => Err(denied),
        };
        match sent {
            Ok(response) => {
                self.trouble = None;
                let answer = Answer::new(response, self.sealer.clone());
                Ok(Ok(self.table.push(answer)?))
            }
            Err(error) => {
                let told = failure(&error);
                self.trouble = Some(error);
                Ok(Err(told))
            }
        }
    }
}

/// A request that is ready, its place in the call, and the name that a replay finds it by.
struct Prepared {
    request: egress::Request,
    seq: u32,
    name: String,
}

impl CallState {
    /// Puts the plaintext in; refuses what is too much.
    fn prepare(
        &mut self,
        request: &http::Request,
    ) -> wasmtime::Result<Result<Prepared, EgressError>> {
        let Some(network) = &mut self.network else {
            return Ok(Err(denied(
                "egress.denied",
                "this call may not use the network".to_owned(),
            )));
        };
        let seq = network.requests;
        network.requests += 1;
        let most = network.most_requests;
        if seq >= most {
            let message = format!("{} made more than {most} requests in one call", self.plugin);
            return Ok(Err(denied("egress.too_many_requests", message)));
        }
        let method = method(request.method);
        let url = request.url.split('?').next().unwrap_or_default();
        let name = format!("{} {}", method.as_str(), self.known.strike(url));
        let query = self.texts(&request.query)?;
        let headers = self.texts(&request.headers)?;
        let body = match &request.body {
            http::Body::Empty => egress::Body::Empty,
            http::Body::Form(fields) => egress::Body::Form(self.texts(fields)?),
            http::Body::Multipart(fields) => egress::Body::Multipart(self.texts(fields)?),
            http::Body::Json(fields) => match self.json(fields)? {
                Ok(json) => egress::Body::Json(json),
                Err(message) => return Ok(Err(denied("egress.json_invalid", message))),
            },
        };
        let request = egress::Request { method, url: request.url.clone(), query, headers, body };
        Ok(Ok(Prepared { request, seq, name }))
    }

    /// Sends, or recalls; then makes the answer durable.
    async fn pass(
        &mut self,
        prepared: Prepared,
    ) -> wasmtime::Result<Result<egress::Response, EgressError>> {
        let Some(network) = &self.network else { wasmtime::bail!("no network") };
        let doubted = self.unanswered;
        let Prepared { request, seq, name } = prepared;
        if let Some(response) = network.journal.recall(seq, &name) {
            return Ok(Ok(response));
        }
        let left = network.deadline.saturating_duration_since(Instant::now());
        self.unanswered = true;
        let response = match network.gate.send(&network.policy, request, left).await {
            Ok(response) => response,
            Err(error) => {
                let harmless =
                    matches!(error, EgressError::Denied { .. } | EgressError::NotSent { .. });
                self.unanswered = doubted || !harmless;
                return Ok(Err(error));
            }
        };
        if let Err(failure) = network.journal.capture(seq, &name, &response).await {
            let message = failure.message.clone();
            self.host_failure = Some(failure);
            wasmtime::bail!("the answer could not be made durable: {message}");
        }
        self.unanswered = false;
        Ok(Ok(response))
    }

    fn texts(&self, fields: &[http::Field]) -> wasmtime::Result<Vec<(String, SecretString)>> {
        let text = |field: &http::Field| {
            let text = match &field.value {
                http::Value::Text(text) | http::Value::Json(text) => text.as_str(),
                http::Value::Secret(handle) => self.expose(handle)?,
            };
            Ok((field.name.clone(), SecretString::from(text)))
        };
        fields.iter().map(text).collect()
    }

    /// A JSON object of the fields; a name that starts with `/` is a pointer to a nested member.
    fn json(&self, fields: &[http::Field]) -> wasmtime::Result<Result<SecretString, String>> {
        let mut document = Value::Object(Map::new());
        for field in fields {
            let value = match &field.value {
                http::Value::Text(text) => Value::from(text.as_str()),
                http::Value::Secret(handle) => Value::from(self.expose(handle)?),
                http::Value::Json(text) => match serde_json::from_str(text) {
                    Ok(value) => value,
                    Err(_) => return Ok(Err(format!("the value of {} is not JSON", field.name))),
                },
            };
            if !put(&mut document, &field.name, value) {
                return Ok(Err(format!("{} points into something that is no object", field.name)));
            }
        }
        let text = Zeroizing::new(document.to_string());
        Ok(Ok(SecretString::from(text.as_str())))
    }
}

/// Sets `name`, or the member that it points to, making the objects on the way.
fn put(document: &mut Value, name: &str, value: Value) -> bool {
    let mut place = document;
    if let Some(pointer) = name.strip_prefix('/') {
        for step in pointer.split('/') {
            let Value::Object(members) = place else { return false };
            let step = step.replace("~1", "/").replace("~0", "~");
            place = members.entry(step).or_insert_with(|| Value::Object(Map::new()));
        }
        *place = value;
        return true;
    }
    let Value::Object(members) = place else { return false };
    members.insert(name.to_owned(), value);
    true
}

fn method(method: http::Method) -> egress::Method {
    match method {
        http::Method::Get => egress::Method::Get,
        http::Method::Post => egress::Method::Post,
        http::Method::Put => egress::Method::Put,
        http::Method::Patch => egress::Method::Patch,
        http::Method::Delete => egress::Method::Delete,
    }
}

fn denied(code: &'static str, message: String) -> EgressError {
    EgressError::Denied { code, message }
}

fn failure(error: &EgressError) -> http::Failure {
    let text = error.to_string();
    match error {
        EgressError::Denied { .. } => http::Failure::Denied(text),
        EgressError::NotSent { .. } => http::Failure::NotSent(text),
        EgressError::InDoubt { .. } => http::Failure::InDoubt(text),
        EgressError::Unreadable { .. } => http::Failure::Unreadable(text),
    }
}

impl http::HostResponse for CallState {
    fn status(&mut self, this: Resource<Answer>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&this)?.status())
    }

    fn header(&mut self, this: Resource<Answer>, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&this)?.header(&name))
    }

    fn secret_header(
        &mut self,
        this: Resource<Answer>,
        name: String,
    ) -> wasmtime::Result<Option<Resource<Handle>>> {
        let secret = self.table.get(&this)?.secret_header(&name);
        secret.map(|it| self.hand_out(it)).transpose()
    }

    fn json(
        &mut self,
        this: Resource<Answer>,
        pointer: String,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&this)?.json(&pointer))
    }

    fn text(
        &mut self,
        this: Resource<Answer>,
        pointer: String,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&this)?.text(&pointer))
    }

    fn secret(
        &mut self,
        this: Resource<Answer>,
        pointer: String,
    ) -> wasmtime::Result<Option<Resource<Handle>>> {
        let secret = self.table.get(&this)?.secret(&pointer);
        secret.map(|it| self.hand_out(it)).transpose()
    }

    fn drop(&mut self, this: Resource<Answer>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_makes_the_objects_on_its_way() {
        let mut document = json!({});
        assert!(put(&mut document, "grant", "x".into()));
        assert!(put(&mut document, "/auth/user", "ann".into()));
        assert!(put(&mut document, "/auth/a~1b", 1.into()));
        assert_eq!(document, json!({"grant": "x", "auth": {"user": "ann", "a/b": 1}}));
        assert!(!put(&mut document, "/grant/x", 1.into()));
    }
}
