//! What an operator gets wrong is shown, and the secret in it is not.

use e2e::home::Home;

use crate::canary::Canaries;

#[test]
fn a_password_written_into_the_manifest_is_not_shown() {
    let mut canaries = Canaries::new();
    let password = canaries.hatch_plain("literal");
    for line in [
        format!("secrets = {{ password = \"{password}\" }}"),
        format!("secrets = {{ password = {{ value = \"{password}\" }} }}"),
        format!("secrets = {{ password = {{ env = \"A\", value = \"{password}\" }} }}"),
        format!("secrets = {{ password = [\"{password}\"] }}"),
        format!("secrets = {{ password = \"{password} }}"),
        format!("secrets = {{ password = {password} }}"),
        format!("secrets = {{ password = 1{password}=x, email = {{ env = \"E\" }} }}"),
        format!("secrets = {{ password = [{password}] }}"),
        format!("secrets.password = {password}"),
        format!("secrets.password = '''\n{password}'''"),
        format!("secrets.password = \"\"\"\n{password}\n"),
        format!("secret = {{ password = \"{password}\" }}"),
        format!("password = \"{password}\""),
    ] {
        let home = Home::new("").with_plugin("eskiz");
        home.write_manifest(&format!("[providers.eskiz]\n{line}\n"));
        for arguments in [&["check"][..], &["check", "--json"], &["status"], &["refresh", "--json"]]
        {
            let run = home.run(arguments);
            assert_eq!(run.code, 78, "{line}: {run:#?}");
            canaries.not_said_by(&run, arguments);
        }
    }
}

#[test]
fn a_token_that_is_none_is_not_repeated() {
    let mut canaries = Canaries::new();
    let token = canaries.hatch("token");
    let home = Home::new("[providers.eskiz]\n").with_plugin("eskiz");
    let broken = format!("{{ \"access_token\": \"{token}");
    let wrong = format!("{{ \"access_token\": [\"{token}\"], \"expires_in\": \"{token}\" }}");
    for input in [token.as_str(), &broken, &wrong] {
        for arguments in [&["token", "set", "eskiz"][..], &["token", "set", "eskiz", "--json"]] {
            let run = home.run_with_input(arguments, input);
            assert_ne!(run.code, 0, "{run:#?}");
            canaries.not_said_by(&run, arguments);
        }
    }
    canaries.not_in_files(&home);
}

#[test]
fn a_secret_given_as_a_file_that_is_no_text_is_not_repeated() {
    let mut canaries = Canaries::new();
    let password = canaries.hatch_plain("file");
    let home = Home::new("").with_plugin("eskiz").with_env("EMAIL", "a@example.uz");
    std::fs::create_dir(home.path("secrets")).unwrap();
    std::fs::write(home.path("secrets/password"), [password.as_bytes(), b"\xff"].concat()).unwrap();
    home.write_manifest(
        "[providers.eskiz]\nsecrets = { email = { env = \"EMAIL\" }, password = { file = \"secrets/password\" } }",
    );
    for arguments in
        [&["check"][..], &["refresh"], &["refresh", "--json"], &["status"], &["doctor"]]
    {
        canaries.not_said_by(&home.run(arguments), arguments);
    }
    canaries.not_in_files(&home);
}
