//! Client credentials, with each way in which a client proves who it is.

use e2e::home::Home;
use e2e::servers::RealServer;

use crate::real::home;

fn gets_tokens(home: &Home) {
    home.run(&["refresh", "oauth2/me"]).exits(0);
    let first = home.run(&["token", "get", "oauth2/me"]).exits(0).stdout;
    home.run(&["refresh", "oauth2/me", "--force"]).exits(0);
    assert_ne!(home.run(&["token", "get", "oauth2/me"]).exits(0).stdout, first);
}

#[test]
fn a_client_is_known_by_basic_credentials() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    gets_tokens(&home(&server, "svc", "", "client_secret = { env = \"SVC\" }"));
}

#[test]
fn a_client_is_known_by_its_secret_in_the_body() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let secret = "client_secret = { env = \"POST\" }";
    let home = home(&server, "post", ", client_auth = \"post\"", secret);
    gets_tokens(&home.with_env("POST", "post-secret"));
}

#[test]
fn a_client_is_known_by_what_it_signs() {
    for algorithm in ["rs256", "es256"] {
        let Some(server) = RealServer::oidc(&[]) else { return };
        let settings =
            format!(", client_auth = \"private_key_jwt\", key_algorithm = \"{algorithm}\"");
        let home = home(&server, "jwt", &settings, "private_key = { file = \"key.pem\" }");
        let key = std::fs::read_to_string(server.key(algorithm)).unwrap();
        e2e::stage::write_secret(&home, "key.pem", &key);
        gets_tokens(&home);
    }
}

#[test]
fn a_wrong_secret_is_a_persons_to_correct() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let home = home(&server, "svc", "", "client_secret = { env = \"SVC\" }");
    let home = home.with_env("SVC", "not-the-secret");
    let run = home.run(&["refresh", "oauth2/me"]).exits(4);
    assert!(run.stdout.contains("check `client_id` and its secret"), "{run:?}");
}
