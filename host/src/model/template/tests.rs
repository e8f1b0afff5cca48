//! What templates print, and what they refuse to.

use secrecy::ExposeSecret;

use crate::model::fixture::at;
use crate::model::template::{Cell, Form, Refusal, Template, TemplateError, Values};

fn values() -> Values {
    Values::default()
        .text("token", Some("CANARY'tok\"en"))
        .text("plain", Some("abc.DEF-1"))
        .text("evil", Some("x\nADMIN=1"))
        .text("dots", Some(".."))
        .text("nothing", None)
        .time("expires_at", Some(at(60)))
        .time("now", Some(at(0)))
        .number("failures", Some(3))
        .flag("removed", false)
        .json("profile", &serde_json::json!({ "name": "Ann", "ids": [1, 2], "half": 0.5 }))
}

fn render(text: &str, form: Form) -> Result<String, TemplateError> {
    let rendered = Template::parse(text, form)?.render(&values())?;
    Ok(rendered.expose_secret().to_owned())
}

fn cell(text: &str) -> Result<String, TemplateError> {
    let cell = Template::parse(text, Form::Value)?.cell(&values())?;
    Ok(match cell {
        Cell::Text(text) => format!("text {}", text.expose_secret()),
        other => format!("{other:?}"),
    })
}

#[test]
fn a_file_of_one_line_keeps_its_line_break_and_nothing_prints_as_nothing() {
    assert_eq!(render("T={{ plain }}\n", Form::Env).unwrap(), "T=abc.DEF-1\n");
    assert_eq!(render("T={{ nothing }}\n", Form::Env).unwrap(), "T=\n");
    assert_eq!(render("{{ expires_at }} {{ expires_at.unix }}", Form::Text).unwrap(), {
        format!("{} {}", at(60), at(60).as_second())
    });
    assert_eq!(render("{{ expires_at > now }}", Form::Text).unwrap(), "true");
}

#[test]
fn a_value_cannot_break_out_of_its_place() {
    let refused = |text, form| match render(text, form) {
        Err(TemplateError::Refused(_, refusal)) => refusal,
        other => panic!("{text}: {other:?}"),
    };
    for form in [Form::Text, Form::Env, Form::Json, Form::Path] {
        assert_eq!(refused("a\n{{ evil }}", form), Refusal::Control, "{form:?}");
    }
    assert_eq!(refused("T={{ token }}", Form::Env), Refusal::Env);
    assert_eq!(refused("{\"t\": \"{{ token }}\"}", Form::Json), Refusal::Json);
    assert_eq!(refused("T={{ evil | quote }}", Form::Env), Refusal::Quoted);
    assert_eq!(refused("/run/{{ dots }}/a", Form::Path), Refusal::Path);
    assert_eq!(refused("/run/{{ nothing }}/a", Form::Path), Refusal::Path);
    assert_eq!(refused("T={{ profile }}", Form::Env), Refusal::Env);
}

#[test]
fn filters_make_a_value_fit_for_its_place() {
    assert_eq!(render("T={{ token | quote }}", Form::Env).unwrap(), r#"T='CANARY'\''tok"en'"#);
    assert_eq!(render("{{ evil | tojson }}", Form::Json).unwrap(), r#""x\nADMIN=1""#);
    assert_eq!(render("{{ evil | urlencode }}", Form::Env).unwrap(), "x%0AADMIN%3D1");
    assert_eq!(render("{{ evil | safe }}", Form::Text).unwrap(), "x\nADMIN=1");
    assert_eq!(render("{{ profile | tojson }}", Form::Json).unwrap().replace(' ', ""), {
        r#"{"half":0.5,"ids":[1,2],"name":"Ann"}"#
    });
}

#[test]
fn what_is_no_text_is_printed_as_json_has_it() {
    let all = "{{ profile.ids }} {{ removed }} {{ failures }} {{ profile.half }}";
    for form in [Form::Text, Form::Json] {
        assert_eq!(render(all, form).unwrap(), "[1,2] false 3 0.5", "{form:?}");
    }
    assert_eq!(render("{{ [token] }}", Form::Json).unwrap(), r#"["CANARY'tok\"en"]"#);
}

#[test]
fn an_error_names_the_place_and_never_a_value() {
    for (text, says) in [
        ("a\n{{ profile.nme }}", "it needs a value that is not there: `profile.nme`"),
        ("{{ profile.nme | quote }}", "that is not there: `profile.nme`"),
        ("{{ profile.nme | tojson }}", "that is not there: `profile.nme`"),
        ("{{ profile.nme | urlencode }}", "that is not there: `profile.nme`"),
        ("{{ tokn }}", "it needs a value that is not there: `tokn`"),
        ("a\n{{ token + 1 }}", "line 2 cannot be evaluated: a value is not of the kind"),
        ("{{ token | int }}", "line 1 cannot be evaluated: a value is not of the kind"),
        ("{{ token | round }}", "line 1 cannot be evaluated: a value is not of the kind"),
        ("{{ token.x.y }}", "it needs a value that is not there: `token.x.y`"),
        ("{{ token[0:'a'] }}", "line 1 cannot be evaluated"),
        ("{% for a in range(1000) %}{% for b in range(1000) %}.{% endfor %}{% endfor %}", "steps"),
        ("{% for a in range(9) %}{{ token | batch(a) }}{% endfor %}", "line 1"),
    ] {
        let error = render(text, Form::Text).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(says), "{text}: {shown}");
        assert!(!shown.contains("CANARY") && !shown.contains("tok\""), "{text}: {shown}");
    }
}

#[test]
fn what_does_not_compile_is_found_before_there_are_values() {
    for (text, says) in [
        ("{{ token", "line 1: "),
        ("a\n{% if token %}", "line 2: "),
        ("{{ token | shout }}", "filter shout is unknown"),
        ("{{ shout(token) }}", "shout is unknown"),
        ("{% include 'other' %}", "line 1: "),
    ] {
        let error = Template::parse(text, Form::Text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn one_expression_keeps_its_type() {
    for (text, is) in [
        ("{{ nothing }}", "Null"),
        ("{{ none }}", "Null"),
        ("{{ true }}", "Bool(true)"),
        ("{{ failures }}", "Int(3)"),
        ("{{ profile.half }}", "Float(0.5)"),
        ("{{ profile.ids }}", "text [1,2]"),
        ("{{ profile }}", r#"text {"half":0.5,"ids":[1,2],"name":"Ann"}"#),
        ("{{ evil }}", "text x\nADMIN=1"),
        ("{{ \"}} {{\" }}", "text }} {{"),
        ("{{ plain }} {{ failures }}", "text abc.DEF-1 3"),
        ("7", "text 7"),
        ("", "text "),
    ] {
        assert_eq!(cell(text).unwrap(), is, "{text}");
    }
    assert_eq!(cell("{{ expires_at }}").unwrap(), format!("Time({})", at(60)));
    let missing = TemplateError::NotThere("`profile.other`".to_owned());
    assert_eq!(cell("{{ profile.other }}"), Err(missing));
}

#[test]
fn a_template_tells_which_values_it_names() {
    let template = "{% set a = token %}{{ a }}{{ profile.name }}{{ range(3) }}";
    let template = Template::parse(template, Form::Text).unwrap();
    let names = template.names().into_iter().collect::<Vec<_>>();
    assert_eq!(names, ["profile.name", "token"]);
    assert!(template.mentions("profile") && !template.mentions("name"));
}
