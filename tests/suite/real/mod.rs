//! Against servers and a browser that others wrote. Where they are not installed a test says so in one
//! line and passes; `./dev servers` installs them.

/// oidc-provider: grants of a program.
mod clients;

/// oidc-provider: grants of a person.
mod persons;

/// Django with four kinds of login.
mod django;

use e2e::home::Home;
use e2e::servers::RealServer;
use e2e::stage::write_secret;
use serde_json::{Value, json};

/// A home with `oauth2` against a real authorization server, as this client of it.
fn home(server: &RealServer, client: &str, settings: &str, secrets: &str) -> Home {
    let home = Home::new(&format!(
        "[providers.oauth2]\nconnections = [{{ name = \"me\" }}]\nrotation = \"strict\"\n\
         settings = {{ issuer = \"{}\", client_id = \"{client}\"{settings} }}\n\
         secrets = {{ {secrets} }}\n\
         egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        server.base_url()
    ));
    home.with_plugin("oauth2").with_env("SVC", "svc-secret")
}

/// The client that people use, with Basic.
pub(crate) fn web(server: &RealServer) -> Home {
    let settings = ", grant = \"authorization_code\", scopes = \"openid offline_access api:read\"";
    let home = home(server, "web", settings, "client_secret = { file = \"web.secret\" }");
    write_secret(&home, "web.secret", "web-secret");
    home
}

/// The first tokens of a family, moved in by hand; returns the grant's id and the tokens.
fn moved_in(server: &RealServer, home: &Home) -> (String, Value) {
    let body = json!({ "client_id": "web", "scope": "openid offline_access api:read" });
    let family = server.tell("family", &body);
    let token = json!({
        "access_token": family["access_token"], "refresh_token": family["refresh_token"],
        "expires_in": family["expires_in"],
    });
    home.run_with_input(&["token", "set", "oauth2/me"], &token.to_string()).exits(0);
    (family["grant_id"].as_str().unwrap().to_owned(), token)
}

fn state(home: &Home) -> Value {
    home.run(&["status", "oauth2/me", "--json"]).json()["connections"][0]["state"].clone()
}
