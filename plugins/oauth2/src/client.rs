//! How the client proves who it is, at every endpoint in the same way: RFC 6749 2.3 and RFC 7523.

use std::fmt::Write as _;

use sdk::{
    Context, Failure, JwtAlgorithm, Request, SignedJwt, Value, basic_header, client_basic, secret,
    text,
};

/// How the client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    Basic,
    Post,
    PrivateKeyJwt,
    /// A public client: its id says who it is, and nothing proves it.
    None,
}

/// Seconds that a signed proof is good for: enough for a clock that is wrong, short for a thief.
const PROOF_LIFETIME: u64 = 120;

impl Proof {
    /// What the settings say, else what the secrets allow.
    pub(crate) fn of(context: &Context) -> Result<Self, Failure> {
        let has = |name| context.has_secret(name);
        let all = [
            ("basic", Self::Basic),
            ("post", Self::Post),
            ("private_key_jwt", Self::PrivateKeyJwt),
            ("none", Self::None),
        ];
        let (proof, needed) = match context.settings.choice("client_auth", &all)? {
            None if has("client_secret") => return Ok(Self::Basic),
            None if has("private_key") => return Ok(Self::PrivateKeyJwt),
            None | Some(Self::None) => return Ok(Self::None),
            Some(proof @ (Self::Basic | Self::Post)) => (proof, "client_secret"),
            Some(Self::PrivateKeyJwt) => (Self::PrivateKeyJwt, "private_key"),
        };
        if has(needed) {
            return Ok(proof);
        }
        Err(Failure::misconfigured(format!(
            "the setting `client_auth` requires the secret `{needed}`, which the connection does \
             not have; add it"
        )))
    }
}

/// A form to one of the provider's endpoints, in the client's name. `unique` is one for each request
/// of a call, because a proof may be used once.
pub(crate) fn request(
    context: &Context,
    url: &str,
    fields: &[(&'static str, Value)],
    unique: &str,
) -> Result<Request, Failure> {
    let id = context.settings.required("client_id")?;
    let proof = Proof::of(context)?;
    let mut form = fields.to_vec();
    if proof != Proof::Basic {
        form.push(("client_id", text(id)));
    }
    match proof {
        Proof::Post => form.push(("client_secret", secret("client_secret"))),
        Proof::PrivateKeyJwt => {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            form.push(("client_assertion_type", text(kind)));
            form.push(("client_assertion", assertion(context, url, unique)?));
        }
        Proof::Basic | Proof::None => {}
    }
    let request = Request::post(url).header("Accept", text("application/json")).form(form);
    Ok(if proof == Proof::Basic {
        let credentials = client_basic(id, secret("client_secret"));
        request.header("Authorization", basic_header(credentials))
    } else {
        request
    })
}

/// A JWT that says who the client is. It is for the issuer where that is known: a proof for an
/// endpoint's address could be used by whoever can choose that address.
fn assertion(context: &Context, url: &str, unique: &str) -> Result<Value, Failure> {
    let settings = &context.settings;
    let algorithms = [("rs256", JwtAlgorithm::Rs256), ("es256", JwtAlgorithm::Es256)];
    let algorithm = settings.choice("key_algorithm", &algorithms)?.unwrap_or(JwtAlgorithm::Rs256);
    let audience = match settings.optional("issuer") {
        Some(issuer) => issuer.to_owned(),
        None => settings.fill(url)?,
    };
    let kid = settings.optional("key_id").map(|it| format!(r#","kid":{}"#, quoted(it)));
    let (id, audience) = (quoted(settings.required("client_id")?), quoted(&audience));
    let (iat, exp, jti) = (context.now, context.now + PROOF_LIFETIME, quoted(unique));
    let claims = format!(
        r#"{{"iss":{id},"sub":{id},"aud":{audience},"iat":{iat},"exp":{exp},"jti":{jti}}}"#
    );
    let header = format!(r#"{{"typ":"JWT"{}}}"#, kid.unwrap_or_default());
    let key = secret("private_key");
    Ok(Value::SignedJwt(Box::new(SignedJwt { key, algorithm, header, claims })))
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            control if control < ' ' => {
                // Writing to a string does not fail.
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
            plain => json.push(plain),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::Body;
    use sdk::testing::{context, ending};

    const TOKEN: [(&str, &str); 2] =
        [("client_id", "c \"1\""), ("token_url", "https://id.example/token")];

    fn with(settings: &[(&str, &str)], secrets: &[&str]) -> Context {
        let context = context::<crate::Plugin>(&[TOKEN.as_slice(), settings].concat());
        Context { secrets: secrets.iter().map(|it| (*it).to_owned()).collect(), ..context }
    }

    fn sent(context: &Context) -> Request {
        request(context, "{token_url}", &[("grant_type", text("x"))], "u1").unwrap()
    }

    fn form(request: &Request) -> Vec<&str> {
        let Body::Form(fields) = &request.body else { panic!() };
        fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn signed(request: &Request) -> SignedJwt {
        let Body::Form(fields) = &request.body else { panic!() };
        match &fields.last().unwrap().1 {
            Value::SignedJwt(jwt) => (**jwt).clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn secrets_decide_where_nothing_is_said() {
        let proof = |secrets: &[&str]| Proof::of(&with(&[], secrets)).unwrap();
        assert_eq!(proof(&["client_secret", "private_key"]), Proof::Basic);
        assert_eq!((proof(&["private_key"]), proof(&[])), (Proof::PrivateKeyJwt, Proof::None));
    }

    #[test]
    fn a_proof_without_its_secret_is_the_operators_to_correct() {
        let missing = Proof::of(&with(&[("client_auth", "private_key_jwt")], &["client_secret"]));
        let (case, text) = ending(&missing);
        assert_eq!(case, "misconfigured");
        assert!(text.contains("the secret `private_key`"), "{text}");
        let unknown = Proof::of(&with(&[("client_auth", "tls")], &[]));
        assert!(ending(&unknown).1.contains("must be one of `basic`, `post`"));
    }

    #[test]
    fn basic_has_id_and_secret_in_the_header_alone() {
        let request = sent(&with(&[], &["client_secret"]));
        let credentials = client_basic("c \"1\"", secret("client_secret"));
        assert!(request.headers.contains(&("Authorization".to_owned(), basic_header(credentials))));
        assert_eq!(form(&request), ["grant_type"]);
    }

    #[test]
    fn post_has_both_in_the_body_and_none_has_the_id() {
        let post = sent(&with(&[("client_auth", "post")], &["client_secret"]));
        assert_eq!(form(&post), ["grant_type", "client_id", "client_secret"]);
        let none = sent(&with(&[("client_auth", "none")], &["client_secret"]));
        assert_eq!(form(&none), ["grant_type", "client_id"]);
        assert!([post, none].iter().all(|it| it.headers.len() == 1));
    }

    #[test]
    fn a_signed_proof_is_for_the_issuer_once_and_briefly() {
        let settings =
            [("issuer", "https://id.example"), ("key_id", "k1"), ("key_algorithm", "es256")];
        let request = sent(&with(&settings, &["private_key"]));
        let names = ["grant_type", "client_id", "client_assertion_type", "client_assertion"];
        assert_eq!(form(&request), names);
        let jwt = signed(&request);
        assert_eq!((jwt.key, jwt.algorithm), (secret("private_key"), JwtAlgorithm::Es256));
        assert_eq!(jwt.header, r#"{"typ":"JWT","kid":"k1"}"#);
        let claims = r#"{"iss":"c \"1\"","sub":"c \"1\"","aud":"https://id.example","iat":1700000000,"exp":1700000120,"jti":"u1"}"#;
        assert_eq!(jwt.claims, claims);
    }

    #[test]
    fn without_an_issuer_the_proof_is_for_the_endpoint() {
        let jwt = signed(&sent(&with(&[], &["private_key"])));
        assert!(jwt.claims.contains(r#""aud":"https://id.example/token""#), "{}", jwt.claims);
        assert_eq!((jwt.header.as_str(), jwt.algorithm), (r#"{"typ":"JWT"}"#, JwtAlgorithm::Rs256));
    }

    #[test]
    fn an_algorithm_that_nobody_knows_is_refused() {
        let context = with(&[("key_algorithm", "hs256")], &["private_key"]);
        let result = request(&context, "{token_url}", &[], "u");
        let text = "the setting `key_algorithm` must be one of `rs256`, `es256`";
        assert_eq!(ending(&result), ("misconfigured", text));
    }

    #[test]
    fn a_json_string_hides_nothing_and_breaks_nothing() {
        assert_eq!(quoted("a\"b\\c\n"), r#""a\"b\\c\u000a""#);
    }
}
