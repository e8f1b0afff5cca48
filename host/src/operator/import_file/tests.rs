//! What is read of a file, and how a row is named that is not.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::*;

fn all(file: &str, format: Format) -> (Vec<Row>, Vec<Trouble>) {
    let mut rows = Vec::new();
    let trouble = read(file.as_bytes(), format, &Names::new(), |row| rows.push(row));
    (rows, trouble)
}

fn token(row: &Row) -> (&str, Option<&str>, Option<i64>) {
    let token = row.token.as_ref().unwrap();
    (
        token.access_token.0.expose_secret(),
        token.refresh_token.as_ref().map(|it| it.0.expose_secret()),
        token.expires_at.map(Timestamp::as_second),
    )
}

#[test]
fn a_csv_file_has_a_heading_and_rows() {
    let file = "name,access_token,refresh_token,expires_at,labels,setting.scopes\n\
                ann,a1,r1,2030-01-01 00:00:00,eu gold,x y\nbob,a2,,1893456000,,\n";
    let (rows, trouble) = all(file, Format::Csv);
    assert!(trouble.is_empty(), "{trouble:?}");
    assert_eq!(token(&rows[0]), ("a1", Some("r1"), Some(1_893_456_000)));
    assert_eq!(rows[0].labels, ["eu", "gold"]);
    assert_eq!(rows[0].settings["scopes"], "x y");
    assert_eq!(token(&rows[1]), ("a2", None, Some(1_893_456_000)));
}

#[test]
fn json_is_a_list_or_one_object_a_line() {
    let one = r#"{"name":"ann","access_token":"a","expires_at":1893456000000,"labels":["x"],"secrets":{"password":"p"}}"#;
    let two = r#"{"name":"bob","settings":{"n":1}}"#;
    for file in [format!("[{one},{two}]"), format!("{one}\n{two}\n")] {
        let (rows, trouble) = all(&file, Format::Json);
        assert!(trouble.is_empty(), "{trouble:?}");
        assert_eq!(token(&rows[0]), ("a", None, Some(1_893_456_000)));
        assert_eq!(rows[0].secrets["password"].0.expose_secret(), "p");
        assert_eq!(rows[1].settings["n"], "1");
    }
}

#[test]
fn a_bad_row_is_named_and_the_others_are_read() {
    let file = "name,access_token,expires_at\nann,a,CANARY\n,a,\nbob,a,\nbob,b,\ncid,a\n";
    let (rows, trouble) = all(file, Format::Csv);
    assert_eq!(rows.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["bob"]);
    let said = trouble.iter().map(|it| (it.row, it.message.as_str())).collect::<Vec<_>>();
    assert_eq!(
        said,
        [
            (2, "expires_at is not a time; write 2030-01-31T12:00:00Z"),
            (3, "it has no name"),
            (5, "the name is in row 4 already"),
            (6, "it has 2 fields, the header has 3"),
        ]
    );
}

#[test]
fn a_time_is_read_as_it_was_meant_or_asked_for() {
    let end = |text: &str| {
        let file = format!("name,access_token,expires_at\nann,a,\"{text}\"\n");
        let (rows, trouble) = all(&file, Format::Csv);
        rows.first().map(|it| token(it).2).ok_or_else(|| trouble[0].message.clone())
    };
    let noon = Ok(Some(1_896_091_200));
    for text in [
        "1896091200",
        "1896091200000",
        "1896091200.0",
        "2030-01-31T12:00:00Z",
        "2030-01-31 12:00:00",
        "2030-01-31T13:00:00+01:00[Europe/Paris]",
        "20300131120000",
        "Thu, 31 Jan 2030 12:00:00 GMT",
    ] {
        assert_eq!(end(text), noon, "{text}");
    }
    assert_eq!(end("20300131"), Ok(Some(1_896_048_000)));
    for text in ["253402300799", "9999-12-31 23:59:59", "0000-00-00 00:00:00", "0", "NULL", "never"]
    {
        assert_eq!(end(text), Ok(None), "{text}");
    }
    for text in ["3600", "31.01.2030", "2030-01-31T12:00:00[Europe/Paris]", "soon"] {
        let asked = "expires_at is not a time; write 2030-01-31T12:00:00Z";
        assert_eq!(end(text), Err(asked.to_owned()), "{text}");
    }
}

#[test]
fn a_column_of_another_system_is_said_to_mean_one_of_ours() {
    let names = [("id", "name"), ("propel_access_token", "access_token")];
    let names = names.map(|(said, meant)| (said.to_owned(), meant.to_owned())).into();
    let mut rows = Vec::new();
    let file = b"id,propel_access_token\n7,a\n";
    assert!(read(file, Format::Csv, &names, |row| rows.push(row)).is_empty());
    assert_eq!((rows[0].name.as_str(), token(&rows[0]).0), ("7", "a"));
    let (_, trouble) = all("id\n7\n", Format::Csv);
    assert!(trouble[0].message.contains("--map id="), "{trouble:?}");
}

#[test]
fn a_token_that_would_not_stay_on_its_line_is_named_by_its_row() {
    for (member, named) in [
        (r#""access_token":"CANARY\r\nX-Evil: 1""#, "access_token"),
        (r#""access_token":"a","refresh_token":"CANARY b""#, "refresh_token"),
        (r#""access_token":"a","token_type":"CANARY\r\nX-Evil: 1""#, "token_type"),
    ] {
        let file = format!(r#"{{"name":"ann"}} {{"name":"bob",{member}}}"#);
        let (rows, trouble) = all(&file, Format::Json);
        assert_eq!((rows.len(), trouble.len()), (1, 1), "{trouble:?}");
        assert_eq!(trouble[0].row, 2);
        assert!(trouble[0].message.contains(named), "{trouble:?}");
        assert!(!trouble[0].message.contains("CANARY"), "{trouble:?}");
    }
}

#[test]
fn a_refresh_token_alone_is_no_token_set() {
    let (_, trouble) = all(r#"{"name":"ann","refresh_token":"r"}"#, Format::Json);
    assert_eq!(trouble[0].message, "it has refresh_token and no access_token");
}
