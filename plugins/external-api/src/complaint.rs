//! What a server complains about in a 400 or a 422: which members of the login it names, and in which
//! words. The words are looked at for a few signs and never passed on: they are the provider's.

use sdk::Answer;

use crate::format::Shape;

/// Members that say who logs in, in the spellings that servers use.
const USERS: [&str; 14] = [
    "email",
    "username",
    "login",
    "user",
    "identifier",
    "user_name",
    "userName",
    "email_address",
    "phone",
    "mobile",
    "Email",
    "Username",
    "UserName",
    "Login",
];

const PASSWORDS: [&str; 5] = ["password", "Password", "passwd", "pass", "pwd"];

/// Laravel Sanctum's third member.
const DEVICE: &str = "device_name";

/// Objects whose members are the names of what is wrong.
const BASES: [&str; 5] = ["/errors", "/error", "/detail", "/message", "/fields"];

/// Where a server says more of a member: in those objects, and at the top under its name.
pub(crate) const MEMBERS: [&str; 20] = [
    "/errors/**",
    "/error/**",
    "/detail/**",
    "/message/**",
    "/fields/**",
    "/email/**",
    "/username/**",
    "/login/**",
    "/user/*",
    "/identifier/**",
    "/user_name/**",
    "/userName/**",
    "/email_address/**",
    "/phone/**",
    "/mobile/**",
    "/Email/**",
    "/Username/**",
    "/UserName/**",
    "/Login/**",
    "/device_name/**",
];

/// Where sentences are.
const SENTENCES: [&str; 13] = [
    "",
    "/message",
    "/message/0",
    "/error",
    "/error_description",
    "/error/message",
    "/detail",
    "/title",
    "/msg",
    "/hint",
    "/errors/0",
    "/errors/0/msg",
    "/errors/0/message",
];

/// Signs that something was not there.
const MISSING: [&str; 7] =
    ["required", "missing", "blank", "empty", "null", "not present", "not provided"];

/// Signs of the same, unless what was there is called wrong as well.
const DEMANDS: [&str; 3] = ["must", "should", "expected"];

/// Signs that what was there is wrong.
const WRONG: [&str; 12] = [
    "credential",
    "incorrect",
    "wrong",
    "match",
    "locked",
    "disabled",
    "inactive",
    "not found",
    "unable to log in",
    "invalid email",
    "invalid user",
    "invalid password",
];

/// What the complaint comes to.
#[derive(Debug, PartialEq)]
pub(crate) enum Complaint {
    /// The login was understood, and refused.
    Wrong,
    /// Members that were sent did not arrive: the encoding is the other one.
    Encoding,
    /// Other members are wanted.
    Members(Members),
    /// A grant is wanted, so this is the token endpoint of OAuth.
    Grant,
    /// Nothing that can be used.
    Unclear,
}

/// Names of members that the server wants.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Members {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) device: bool,
}

/// Reads the complaint of an answer to a login in this shape.
pub(crate) fn complaint(answer: &dyn Answer, sent: &Shape) -> Complaint {
    let said = sentences(answer);
    if says_encoding(&said, sent) {
        return Complaint::Encoding;
    }
    let listed = listed(answer);
    let is_named = |name: &&str| named(answer, &listed, name);
    if said.contains("grant_type") || said.contains("grant type") || is_named(&"grant_type") {
        return Complaint::Grant;
    }
    let names: Vec<_> = known().filter(is_named).collect();
    if names.is_empty() {
        return by_words(&said, sent, is_about_body(answer));
    }
    let lost = |name: &&str| {
        // What is said of a password is sealed, so the others speak for it.
        let speakers = if PASSWORDS.contains(name) { names.as_slice() } else { &[*name] };
        is_sent(sent, name)
            && (is_about_body(answer)
                || speakers.iter().any(|name| says_missing(answer, &listed, name)))
    };
    match members(&names, sent) {
        _ if names.iter().any(lost) => Complaint::Encoding,
        Some(members) => Complaint::Members(members),
        None => Complaint::Wrong,
    }
}

/// Every name that means something here.
fn known() -> impl Iterator<Item = &'static str> {
    USERS.into_iter().chain(PASSWORDS).chain([DEVICE])
}

/// A sentence that asks for members names all of them, whatever was sent.
fn by_words(said: &str, sent: &Shape, is_about_body: bool) -> Complaint {
    if asks(said) {
        let words: Vec<_> =
            said.split(|it: char| !it.is_ascii_alphanumeric() && it != '_').collect();
        let names: Vec<_> = known().filter(|name| words.contains(name)).collect();
        let arrived = names.iter().any(|name| USERS.contains(name) && is_sent(sent, name));
        return match members(&names, sent) {
            Some(members) if !arrived => Complaint::Members(members),
            _ if arrived => Complaint::Encoding,
            _ => Complaint::Unclear,
        };
    }
    if refuses(said) {
        return Complaint::Wrong;
    }
    if is_about_body { Complaint::Encoding } else { Complaint::Unclear }
}

/// Whether the words ask for something that was not there.
fn asks(said: &str) -> bool {
    let has = |signs: &[&str]| signs.iter().any(|sign| said.contains(sign));
    has(&MISSING) || (has(&DEMANDS) && !has(&WRONG))
}

/// Whether the words call the credentials wrong.
pub(crate) fn refuses(said: &str) -> bool {
    WRONG.iter().any(|sign| said.contains(sign))
}

/// Names among these that were not sent.
fn members(names: &[&str], sent: &Shape) -> Option<Members> {
    let first = |known: &[&str]| {
        let new = names.iter().find(|name| known.contains(name) && !is_sent(sent, name));
        new.map(|name| (*name).to_owned())
    };
    let device = names.contains(&DEVICE) && !sent.device;
    let members = Members { user: first(&USERS), password: first(&PASSWORDS), device };
    (members != Members::default()).then_some(members)
}

fn is_sent(sent: &Shape, name: &str) -> bool {
    sent.user == name || sent.password == name || (sent.device && name == DEVICE)
}

fn says_encoding(said: &str, sent: &Shape) -> bool {
    if sent.format.is_json() {
        return said.contains("form-urlencoded");
    }
    ["application/json", "json parse", "valid json", "malformed json"]
        .iter()
        .any(|sign| said.contains(sign))
}

/// Whether a member is named: as a member of an object, or in a list of complaints.
fn named(answer: &dyn Answer, listed: &[Listed], name: &str) -> bool {
    let has_list = answer.json(&format!("/{name}")).is_some_and(|json| json.starts_with('['));
    has_list
        || listed.iter().any(|complaint| complaint.name == name)
        || BASES.iter().any(|base| answer.json(&format!("{base}/{name}")).is_some())
}

/// One complaint of a list.
struct Listed {
    name: String,
    is_missing: bool,
}

/// The complaints of `FastAPI`, of express-validator and of class-validator.
fn listed(answer: &dyn Answer) -> Vec<Listed> {
    let complaint = |index: usize| {
        let places = [
            format!("/detail/{index}/loc/1"),
            format!("/errors/{index}/path"),
            format!("/errors/{index}/param"),
            format!("/errors/{index}/field"),
        ];
        let said = [format!("/message/{index}"), format!("/errors/{index}/msg")]
            .iter()
            .find_map(|place| answer.text(place))
            .unwrap_or_default();
        let first_word = || said.split_ascii_whitespace().next().map(str::to_owned);
        let name = places.iter().find_map(|place| answer.text(place)).or_else(first_word)?;
        Some(Listed { name, is_missing: asks(&said.to_ascii_lowercase()) })
    };
    (0..8).filter_map(complaint).collect()
}

/// `FastAPI` says where in the body something was missing.
fn is_about_body(answer: &dyn Answer) -> bool {
    answer.text("/detail/0/loc/0").as_deref() == Some("body")
}

fn says_missing(answer: &dyn Answer, listed: &[Listed], name: &str) -> bool {
    let said = |place: String| answer.text(&place).unwrap_or_default().to_ascii_lowercase();
    let in_object = |base: &&str| {
        asks(&said(format!("{base}/{name}"))) || asks(&said(format!("{base}/{name}/0")))
    };
    listed.iter().any(|complaint| complaint.name == name && complaint.is_missing)
        || BASES.iter().chain(&[""]).any(in_object)
}

/// All that the answer says in words, in lower case.
pub(crate) fn sentences(answer: &dyn Answer) -> String {
    let said: Vec<_> = SENTENCES.iter().filter_map(|place| answer.text(place)).collect();
    said.join("\n").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Client, Format};
    use sdk::testing::Canned;

    fn sent(format: Format) -> Shape {
        let user = if format == Format::JsonEmail { "email" } else { "username" };
        let (user, password) = (user.to_owned(), "password".to_owned());
        Shape { format, user, password, client: Client::Id, device: false }
    }

    fn about(format: Format, body: &str) -> Complaint {
        complaint(&Canned::new(400, body), &sent(format))
    }

    fn wants(name: &str) -> Complaint {
        Complaint::Members(Members { user: Some(name.to_owned()), ..Members::default() })
    }

    #[test]
    fn names_that_were_not_sent_are_wanted() {
        for body in [
            r#"{"username":["This field is required."]}"#,
            r#"{"errors":{"username":["The username field is required."]}}"#,
            r#"{"message":{"username":["required"]}}"#,
            r#"{"detail":[{"type":"missing","loc":["body","username"],"msg":"Field required"}]}"#,
            r#"{"errors":[{"msg":"Invalid value","path":"username"}]}"#,
            r#"{"errors":[{"msg":"Invalid value","param":"username"}]}"#,
            r#"{"message":["username should not be empty","username must be a string"]}"#,
            r#"{"message":"Username is required: username, password"}"#,
            r#"{"error":"missing username or password"}"#,
            r#"{"email":["Enter a valid address."],"username":["Обязательное поле."]}"#,
        ] {
            assert_eq!(about(Format::JsonEmail, body), wants("username"), "{body}");
        }
        let aspnet = r#"{"title":"x","errors":{"UserName":["The UserName field is required."]}}"#;
        assert_eq!(about(Format::JsonUsername, aspnet), wants("UserName"));
    }

    #[test]
    fn members_that_did_not_arrive_mean_the_other_encoding() {
        for body in [
            r#"{"detail":[{"loc":["body","username"]},{"loc":["body","password"]}]}"#,
            r#"{"username":["This field is required."],"password":["This field is required."]}"#,
            r#"{"message":"username is required"}"#,
            r#"{"detail":[{"loc":["body"],"msg":"Input should be a valid dictionary"}]}"#,
            r#"{"error":"invalid_request","error_description":"only application/x-www-form-urlencoded content-type bodies are supported"}"#,
        ] {
            assert_eq!(about(Format::JsonUsername, body), Complaint::Encoding, "{body}");
        }
        let json = r#"{"detail":"JSON parse error - Expecting value: line 1 column 1 (char 0)"}"#;
        assert_eq!(about(Format::Form, json), Complaint::Encoding);
    }

    #[test]
    fn credentials_that_arrived_and_were_refused_are_wrong() {
        for body in [
            r#"{"message":"x","errors":{"email":["The provided credentials are incorrect."]}}"#,
            r#"{"errors":{"email":["These credentials do not match our records."]}}"#,
            r#"{"email":["Неверный адрес"]}"#,
            r#"{"detail":"Incorrect username or password"}"#,
            r#"{"message":"Invalid email or password"}"#,
            r#"{"error":{"message":"The account is locked"}}"#,
            r#"{"password":["Wrong"]}"#,
        ] {
            assert_eq!(about(Format::JsonEmail, body), Complaint::Wrong, "{body}");
        }
    }

    #[test]
    fn a_grant_is_asked_for_in_many_words() {
        for body in [
            r#"{"error":"invalid_request","error_description":"missing required parameter 'grant_type'"}"#,
            r#"{"message":"The grant type is missing."}"#,
            r#"{"errors":{"grant_type":["required"]}}"#,
        ] {
            assert_eq!(about(Format::JsonEmail, body), Complaint::Grant, "{body}");
        }
    }

    #[test]
    fn a_name_for_the_device_can_be_wanted() {
        let body = r#"{"errors":{"device_name":["The device name field is required."]}}"#;
        let members = Members { device: true, ..Members::default() };
        assert_eq!(about(Format::JsonEmail, body), Complaint::Members(members));
    }

    #[test]
    fn what_says_nothing_is_unclear() {
        for body in ["", "{}", "<html>Bad Request</html>", r#"{"message":"Bad Request"}"#, "[]"] {
            assert_eq!(about(Format::JsonEmail, body), Complaint::Unclear, "{body}");
        }
        let body = r#"{"message":"Missing credentials"}"#;
        assert_eq!(about(Format::JsonEmail, body), Complaint::Unclear);
    }
}
