//! How each framework words what it does not like.

use serde_json::{Map, Value, json};

use crate::provider::{
    answer::Answer,
    call::{Call, Format},
    login::settings::{ErrorStyle, Lock},
};

impl ErrorStyle {
    /// The login knows no such method.
    pub(super) fn wrong_method(self, call: &Call) -> Answer {
        let method = call.method.as_str();
        let body = match self {
            Self::Drf401 | Self::Drf400 => {
                json!({"detail": format!("Method \"{method}\" not allowed.")})
            }
            Self::Laravel422 => {
                json!({"message": format!("The {method} method is not supported for this route.")})
            }
            Self::OAuth400 => json!({"error": "method_not_allowed"}),
            Self::FastApi => json!({"detail": "Method Not Allowed"}),
        };
        Answer::json(405, &body).header("allow", "POST")
    }

    /// The body is of another kind than `expected`.
    pub(super) fn wrong_format(self, call: &Call, expected: Format, names: &[&str]) -> Answer {
        let broken = call.format == Format::Broken;
        match self {
            Self::Drf401 | Self::Drf400 if broken => {
                Answer::json(400, &json!({"detail": "JSON parse error - Expecting value: line 1"}))
            }
            Self::Drf401 | Self::Drf400 => {
                let kind = call.content_type.as_deref().unwrap_or_default();
                let detail = format!("Unsupported media type \"{kind}\" in request.");
                Answer::json(415, &json!({ "detail": detail }))
            }
            Self::Laravel422 => self.missing(call, names),
            Self::OAuth400 => {
                let description =
                    "only application/x-www-form-urlencoded content-type is supported";
                oauth(400, "invalid_request", description)
            }
            Self::FastApi if expected == Format::Form => self.missing(call, names),
            Self::FastApi => {
                let msg = "Input should be a valid dictionary or object to extract fields from";
                let fault = json!({"type": "model_attributes_type", "loc": ["body"], "msg": msg});
                Answer::json(422, &json!({"detail": [fault]}))
            }
        }
    }

    /// These fields are not there.
    pub(super) fn missing(self, call: &Call, names: &[&str]) -> Answer {
        match self {
            Self::Drf401 | Self::Drf400 => {
                Answer::json(400, &each(names, |_| json!(["This field is required."])))
            }
            Self::Laravel422 => {
                let message = |name: &str| format!("The {name} field is required.");
                let errors = each(names, |name| json!([message(name)]));
                laravel(call, &message(names.first().unwrap_or(&"")), &errors)
            }
            Self::OAuth400 => {
                let name = names.first().unwrap_or(&"");
                oauth(400, "invalid_request", &format!("missing required parameter '{name}'"))
            }
            Self::FastApi => {
                let fault = |name: &&str| json!({"type": "missing", "loc": ["body", name], "msg": "Field required"});
                let faults: Vec<_> = names.iter().map(fault).collect();
                Answer::json(422, &json!({ "detail": faults }))
            }
        }
    }

    /// The credentials are wrong. `name` is the field that is blamed.
    pub(super) fn wrong_credentials(self, call: &Call, name: &str) -> Answer {
        match self {
            Self::Drf401 => {
                let detail = "No active account found with the given credentials";
                Answer::json(401, &json!({ "detail": detail }))
                    .header("www-authenticate", "Bearer realm=\"api\"")
            }
            Self::Drf400 => {
                let errors = ["Unable to log in with provided credentials."];
                Answer::json(400, &json!({"non_field_errors": errors}))
            }
            Self::Laravel422 => {
                let message = "The provided credentials are incorrect.";
                laravel(call, message, &each(&[name], |_| json!([message])))
            }
            Self::OAuth400 => oauth(400, "invalid_grant", "Invalid credentials given."),
            Self::FastApi => {
                Answer::json(401, &json!({"detail": "Incorrect username or password"}))
                    .header("www-authenticate", "Bearer")
            }
        }
    }

    /// The resource does not take the token, or there is none.
    pub(super) fn bad_token(self, present: bool) -> Answer {
        let body = match self {
            Self::Drf401 | Self::Drf400 if !present => {
                json!({"detail": "Authentication credentials were not provided."})
            }
            Self::Drf401 => {
                let message = json!({
                    "token_class": "AccessToken", "token_type": "access",
                    "message": "Token is expired",
                });
                json!({
                    "detail": "Given token not valid for any token type",
                    "code": "token_not_valid", "messages": [message],
                })
            }
            Self::Drf400 => json!({"detail": "Invalid token."}),
            Self::Laravel422 => json!({"message": "Unauthenticated."}),
            Self::OAuth400 => json!({"error": "invalid_token"}),
            Self::FastApi => json!({"detail": "Could not validate credentials"}),
        };
        Answer::json(401, &body).header("www-authenticate", "Bearer")
    }
}

impl Lock {
    pub(super) fn answer(self) -> Answer {
        let text = "Account locked: too many login attempts.";
        match self {
            Self::Forbidden => Answer::json(403, &json!({ "detail": text })),
            Self::TooMany => {
                Answer::json(429, &json!({ "detail": text })).header("retry-after", "900")
            }
        }
    }
}

/// 401 for a client, whatever the framework.
pub(super) fn wrong_client(call: &Call) -> Answer {
    let answer = oauth(401, "invalid_client", "Client authentication failed");
    if call.basic.is_some() {
        return answer.header("www-authenticate", "Basic realm=\"OAuth\"");
    }
    answer
}

/// RFC 6749, 5.2.
pub(super) fn oauth(status: u16, code: &str, description: &str) -> Answer {
    Answer::json(status, &json!({"error": code, "error_description": description}))
}

/// The page of everything that is not there.
pub(super) fn not_found() -> Answer {
    let page = "<!doctype html>\n<html lang=\"en\">\n<head><title>Not Found</title></head>\n\
                <body><h1>Not Found</h1><p>The requested resource was not found on this server.</p></body>\n\
                </html>\n";
    Answer::new(404, "text/html; charset=utf-8", page)
}

/// Who does not say that JSON is fine is taken for a browser and sent back to its form.
fn laravel(call: &Call, message: &str, errors: &Value) -> Answer {
    let accept = call.accept.as_deref().unwrap_or_default();
    if accept.contains("/json") || accept.contains("+json") {
        return Answer::json(422, &json!({"message": message, "errors": errors}));
    }
    Answer::redirect("/")
}

fn each(names: &[&str], value: impl Fn(&str) -> Value) -> Value {
    let members: Map<_, _> = names.iter().map(|it| ((*it).to_owned(), value(it))).collect();
    Value::Object(members)
}
