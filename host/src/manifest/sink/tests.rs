//! What a sink may be, and what is wrong with others.

use std::path::Path;

use crate::manifest::parse;
use crate::manifest::sink::{Columns, How, Of, Sink};
use crate::model::template::Form;

fn read(text: &str) -> Result<Vec<Sink>, String> {
    let path = Path::new("/etc/keepfresh/keepfresh.toml");
    let read = parse(text, path).map(|it| it.sinks);
    read.map_err(|it| it.iter().map(|it| it.render(text)).collect())
}

fn sink(lines: &str) -> Result<Sink, String> {
    read(&format!("[[sinks]]\n{lines}\n")).map(|it| it[0].clone())
}

fn refused(lines: &str) -> String {
    sink(lines).map(|it| panic!("{lines}: {it:?}")).unwrap_err()
}

const FILE: &str = "file = \"/run/a.env\"\ntemplate = \"A={{ token }}\\n\"";
const SQL: &str =
    "sql = { url = { env = \"URL\" }, table = \"users\", key = { id = \"{{ name }}\" } }";

#[test]
fn a_sink_is_called_by_its_kind_and_its_selection() {
    let one = sink(&format!("connection = \"eskiz\"\n{FILE}")).unwrap();
    assert_eq!((one.name.as_str(), one.outlet().as_str()), ("file:eskiz", "sink:file:eskiz"));
    assert_eq!(one.of, Of::Connection("eskiz/default".parse().unwrap()));
    let How::File(file) = one.how else { panic!("a file") };
    assert_eq!((file.mode, file.remove), (0o600, false));
    let sql =
        sink(&format!("label = \"gold\"\n{SQL}\nset = {{ a = \"{{{{ token }}}}\" }}")).unwrap();
    assert_eq!((sql.name.as_str(), sql.kind()), ("sql:gold", "sql"));
}

#[test]
fn a_sink_has_one_selection_and_one_place() {
    assert!(refused(FILE).contains("none of `connection`, `provider`, `label`"));
    assert!(refused(&format!("connection = \"a\"\nlabel = \"b\"\n{FILE}")).contains("only one of"));
    assert!(refused("connection = \"a\"").contains("none of `file`, `command`, `webhook`, `sql`"));
    let two = format!("connection = \"a\"\n{FILE}\ncommand = [\"a\"]");
    assert!(refused(&two).contains("only one of"));
    let foreign = format!("connection = \"a\"\n{FILE}\ntimeout = \"5s\"\nset = {{ a = \"1\" }}");
    let problems = refused(&foreign);
    assert!(problems.contains("`timeout`") && problems.contains("`set`"), "{problems}");
}

#[test]
fn several_connections_get_several_files() {
    let of = |of: &str, path: &str| sink(&format!("{of}\nfile = \"{path}\"\ntemplate = \"x\""));
    assert!(of("provider = \"p\"", "/run/a").unwrap_err().contains("the same file"));
    assert!(of("label = \"l\"", "/run/{{ name }}").unwrap_err().contains("the same file"));
    of("provider = \"p\"", "/run/{{ name }}").unwrap();
    of("label = \"l\"", "/run/{{ provider }}/{{ name }}").unwrap();
    assert!(of("provider = \"p\"", "/run/{{ connection }}").unwrap_err().contains("its slash"));
    assert!(
        of("provider = \"p\"", "/run/{{ token }}").unwrap_err().contains("could read the token")
    );
    let twice =
        format!("[[sinks]]\nconnection = \"a\"\n{FILE}\n[[sinks]]\nconnection = \"b\"\n{FILE}\n");
    assert!(read(&twice).unwrap_err().contains("the sink `file:a` writes the same file"));
}

#[test]
fn a_mode_that_lets_everybody_read_is_refused() {
    let mode = |mode: &str| sink(&format!("connection = \"a\"\n{FILE}\nmode = \"{mode}\""));
    for wrong in ["0644", "0604", "0601", "606", "0666"] {
        assert!(mode(wrong).unwrap_err().contains("everybody on this machine"), "{wrong}");
    }
    for wrong in ["", "0", "rw", "0900", "0700", "4600", "0200", "00600", "+600"] {
        assert!(mode(wrong).unwrap_err().contains("not a mode"), "{wrong}");
    }
    for fine in ["600", "0640", "0440", "0400", "0660"] {
        mode(fine).unwrap();
    }
}

#[test]
fn the_name_of_a_file_says_what_is_in_it() {
    let form = |path: &str| {
        let sink =
            sink(&format!("connection = \"a\"\nfile = \"{path}\"\ntemplate = \"x\"")).unwrap();
        let How::File(file) = sink.how else { panic!("a file") };
        file.template.form()
    };
    assert_eq!(form("/run/a.env"), Form::Env);
    assert_eq!(form("/srv/app/.env.production"), Form::Env);
    assert_eq!(form("/run/token-cache.json"), Form::Json);
    assert_eq!(form("/run/env/token"), Form::Text);
}

#[test]
fn a_template_names_what_it_is_given() {
    let file =
        |text: &str| sink(&format!("connection = \"a\"\nfile = \"/a\"\ntemplate = '{text}'"));
    for (text, says) in [
        ("{{ tokn }}", "did you mean `token`?"),
        ("{{ refresh_token }}", "a refresh token is given to nobody"),
        ("{{ attempt.id }}", "`attempt` is not there"),
        ("{{ token", "docs/sinks.md"),
        ("{{ token | shout }}", "shout"),
    ] {
        let read = file(text);
        assert!(read.as_ref().is_err_and(|it| it.contains(says)), "{text}: {read:?}");
    }
    file("{% for it in labels %}{{ it }}{{ loop.index }}{% endfor %}{{ profile.a }}").unwrap();
}

#[test]
fn arguments_of_a_program_do_not_hold_the_token() {
    let command = |argv: &str| sink(&format!("provider = \"p\"\ncommand = {argv}"));
    command("[\"redis-cli\", \"-x\", \"SET\", \"token:{{ name }}\"]").unwrap();
    let shown = command("[\"a\", \"{{ token }}\"]").unwrap_err();
    assert!(shown.contains("standard input"), "{shown}");
    for none in ["[]", "[\"\"]", "[\"{{ name }}\"]"] {
        assert!(command(none).unwrap_err().contains("no program"), "{none}");
    }
}

#[test]
fn a_row_is_found_by_its_key_alone() {
    let sql = |lines: &str| sink(&format!("provider = \"p\"\n{SQL}\n{lines}"));
    for (lines, says) in [
        ("", "add `set = "),
        ("set = { id = \"1\" }", "`id` is what the row is found by"),
        ("set = { \"a b\" = \"1\" }", "not the name of a column"),
        ("on_removed = { a = \"{{ token }}\" }", "could read the token"),
        ("on_attempt = { a = \"{{ attempt.outcme }}\" }", "did you mean `outcome`?"),
        ("set = { a = \"1\" }\non_attempt = { a = \"1\" }", "`set`"),
    ] {
        let read = sql(lines);
        assert!(read.as_ref().is_err_and(|it| it.contains(says)), "{lines}: {read:?}");
    }
    let by_mail = SQL.replace("{{ name }}", "{{ profile.email }}");
    let lines = format!("provider = \"p\"\n{by_mail}\nset = {{ a = \"1\" }}");
    sink(&lines).unwrap();
    assert!(refused(&format!("{lines}\non_removed = {{ a = \"1\" }}")).contains("gone then"));
    let by_token = SQL.replace("{{ name }}", "{{ token }}");
    assert!(
        refused(&format!("provider = \"p\"\n{by_token}\nset = {{ a = \"1\" }}")).contains("token")
    );
    let How::Sql(it) = sql("on_attempt = { a = \"{{ attempt.id }}\" }").unwrap().how else {
        panic!()
    };
    assert!(matches!(it.columns, Columns::Attempts(columns) if columns.len() == 1));
}

#[test]
fn a_table_is_named_alone_or_with_its_schema() {
    let named = |name: &str| {
        let sql = SQL.replace("\"users\"", &format!("\"{name}\""));
        sink(&format!("label = \"gold\"\n{sql}\nset = {{ a = \"{{{{ token }}}}\" }}"))
    };
    for name in ["users", "app.users", "App.users$1", "таблица"] {
        assert!(named(name).is_ok(), "{name}");
    }
    for name in ["", ".", "app.", ".users", "db.app.users", "users;", "us ers", "a\\\"b"] {
        assert!(named(name).unwrap_err().contains("not the name of a table"), "{name}");
    }
}

#[test]
fn the_password_of_a_database_is_not_in_the_manifest() {
    let at = |url: &str| {
        let sql = SQL.replace("{ env = \"URL\" }", &format!("\"{url}\""));
        sink(&format!("provider = \"p\"\n{sql}\nset = {{ a = \"1\" }}"))
    };
    let refused = at("postgres://app:CANARY@db/app").unwrap_err();
    assert!(refused.contains("a password in it") && !refused.contains("CANARY"), "{refused}");
    assert!(at("redis://db").unwrap_err().contains("no database"));
    at("sqlite:/var/lib/app.db").unwrap();
    at("postgres://app@/app?host=/run/postgresql").unwrap();
}
