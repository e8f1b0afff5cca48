//! What is read of a file, and how a row is named that is not.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::*;

fn with(file: &[u8], name: &str, rules: &Rules) -> (Vec<Row>, Reading) {
    let mut rows = Vec::new();
    let reading = read(file, name, rules, |row| rows.push(row));
    (rows, reading)
}

/// Rows of a file without faults, and those that cannot be read.
fn all(file: &str, name: &str) -> (Vec<Row>, Vec<Trouble>) {
    let (rows, reading) = with(file.as_bytes(), name, &Rules::default());
    assert_eq!(reading.faults, Vec::<String>::new());
    (rows, reading.trouble)
}

/// What is wrong with the columns of a table.
fn faults(heading: &str, rules: &Rules) -> Vec<String> {
    with(format!("{heading}\n").as_bytes(), "a.csv", rules).1.faults
}

fn rules(map: &[(&str, &str)], ignore: &[&str]) -> Rules {
    let owned = |(said, meant): &(&str, &str)| ((*said).to_owned(), (*meant).to_owned());
    let map = map.iter().map(owned).collect();
    Rules { map, ignore: ignore.iter().map(|&it| it.to_owned()).collect(), ..Rules::default() }
}

fn token(row: &Row) -> (&str, Option<&str>, Option<i64>) {
    let token = row.token.as_ref().unwrap();
    (
        token.access_token.as_ref().map_or("", |it| it.0.expose_secret()),
        token.refresh_token.as_ref().map(|it| it.0.expose_secret()),
        token.expires_at.map(Timestamp::as_second),
    )
}

fn said(trouble: &[Trouble]) -> Vec<(u64, &str)> {
    trouble.iter().map(|it| (it.line, it.message.as_str())).collect()
}

#[test]
fn a_csv_file_has_a_heading_and_rows() {
    let file = "name,access_token,refresh_token,expires_at,labels,setting.scopes\n\
                ann,a1,r1,2030-01-01 00:00:00,eu gold,x y\nbob,a2,,1893456000,,\n";
    let (rows, trouble) = all(file, "a.csv");
    assert!(trouble.is_empty(), "{trouble:?}");
    assert_eq!(token(&rows[0]), ("a1", Some("r1"), Some(1_893_456_000)));
    assert_eq!(rows[0].labels.as_deref(), Some(["eu".to_owned(), "gold".to_owned()].as_slice()));
    assert_eq!(rows[1].labels, None);
    assert_eq!(rows[0].settings["scopes"], "x y");
    assert_eq!(token(&rows[1]), ("a2", None, Some(1_893_456_000)));
}

#[test]
fn json_is_a_list_or_one_object_a_line() {
    let one = r#"{"name":"ann","access_token":"a","expires_at":1893456000000,"labels":["x"],"secrets":{"password":"p"}}"#;
    let two = r#"{"name":"bob","settings":{"n":1}}"#;
    for file in [format!("[{one},{two}]"), format!("{one}\n{two}\n")] {
        let (rows, trouble) = all(&file, "a.json");
        assert!(trouble.is_empty(), "{trouble:?}");
        assert_eq!(token(&rows[0]), ("a", None, Some(1_893_456_000)));
        assert_eq!(rows[0].secrets["password"].0.expose_secret(), "p");
        assert_eq!(rows[1].settings["n"], "1");
    }
}

#[test]
fn a_bad_row_is_named_and_the_others_are_read() {
    let file = "name,access_token,expires_at\nann,a,CANARY\n,a,\nbob,a,\nbob,b,\ncid,a\n";
    let (rows, trouble) = all(file, "a.csv");
    assert_eq!(rows.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["bob"]);
    assert_eq!(
        said(&trouble),
        [
            (2, "its expires_at is not a time; write 2030-01-31T12:00:00Z"),
            (3, "it has no name"),
            (5, "its name is in line 4 already"),
            (6, "it has 2 fields, the heading has 3"),
        ]
    );
}

#[test]
fn a_time_is_read_as_it_was_meant_or_asked_for() {
    let end = |text: &str| {
        let file = format!("name,access_token,expires_at\nann,a,\"{text}\"\n");
        let (rows, trouble) = all(&file, "a.csv");
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
        let asked = "its expires_at is not a time; write 2030-01-31T12:00:00Z";
        assert_eq!(end(text), Err(asked.to_owned()), "{text}");
    }
}

#[test]
fn a_column_of_another_system_is_said_to_mean_one_of_ours() {
    let rules = rules(&[("id", "name"), ("propel_access_token", "access_token")], &[]);
    let (rows, reading) = with(b"id,propel_access_token\n7,a\n", "a.csv", &rules);
    assert!(reading.faults.is_empty() && reading.trouble.is_empty(), "{reading:?}");
    assert_eq!((rows[0].name.as_str(), token(&rows[0]).0), ("7", "a"));
}

#[test]
fn columns_without_a_meaning_are_named_at_once_with_what_helps() {
    let none = Rules::default();
    let two = faults("name,email,access_token,created_at", &none);
    let help = "there are no columns `email` and `created_at`; leave out what is not needed with \
                --ignore email --ignore created_at, and say what others mean with --map email=COLUMN";
    assert_eq!(two[0], help);
    assert!(two[1].starts_with("columns that have a meaning: name, access_token"), "{two:?}");
    assert!(faults("Name,access_token", &none)[0].contains("--map Name=name"));
    assert!(faults("name,acces_token", &none)[0].contains("--map acces_token=access_token"));
    assert!(faults("name,Created At", &none)[0].contains("--ignore 'Created At'"));
    let many = (0..40).map(|it| format!("a{it}")).collect::<Vec<_>>().join(",");
    let many = faults(&format!("name,{many}"), &none);
    assert!(many[0].contains("and 28 more; leave out what is not needed with --ignore '*'"));
    for ignore in [["email", "created_at"].as_slice(), &["*"]] {
        assert_eq!(faults("name,email,created_at", &rules(&[], ignore)), Vec::<String>::new());
    }
    // The same in JSON, where each row has its own.
    let rows = "{\"name\":\"a\",\"x\":1}\n{\"name\":\"b\",\"y\":{}}\n";
    let json = with(rows.as_bytes(), "a.jsonl", &none).1.faults;
    assert!(json[0].starts_with("there are no columns `x` and `y`;"), "{json:?}");
    let left = with(rows.as_bytes(), "a.jsonl", &rules(&[], &["x", "y"]));
    assert_eq!((left.0.len(), left.1.faults.len()), (2, 0));
}

#[test]
fn two_columns_that_mean_the_same_are_both_named() {
    let map = rules(&[("id", "name")], &[]);
    let both =
        "the columns `id` and `name` both mean `name`; leave one out: --ignore id or --ignore name";
    assert_eq!(faults("id,name,access_token", &map), [both]);
    assert!(faults("id,name", &rules(&[("id", "name")], &["name"])).is_empty());
    let twice = "the column `name` is there twice; leave one of them out of the file";
    assert_eq!(faults("name,access_token,name", &Rules::default()), [twice]);
    let row = br#"{"name":"a","access_token":"x","access_token":"y"}"#;
    let faults = with(row, "a.json", &Rules::default()).1.faults;
    assert_eq!(
        faults,
        ["the column `access_token` is there twice; leave one of them out of the file"]
    );
    let row = br#"{"name":"a","settings":{"x":"1"},"setting.x":"2"}"#;
    assert!(with(row, "a.json", &Rules::default()).1.faults[0].contains("`setting.x`"));
}

#[test]
fn what_is_said_of_columns_is_checked_too() {
    let wrong = faults("id", &rules(&[("id", "nam")], &[]));
    assert_eq!(wrong[0], "--map id=nam: there is no column `nam`; did you mean `name`?");
    let both = faults("id,name", &rules(&[("id", "name")], &["id"]));
    assert_eq!(both[0], "--map id=name: the same column is left out by --ignore");
    let absent = faults("name", &rules(&[("id", "access_token")], &[]));
    assert_eq!(absent, ["--map id=...: the file has no such column"]);
    assert_eq!(faults("", &Rules::default()), ["it is empty; its first line names the columns"]);
}

#[test]
fn a_first_line_that_is_no_heading_is_not_shown() {
    let rows = "ann,CANARY1aaaaaaaaaaaaaaaaaa,CANARY2bbbbbbbbbbbbbbbbb";
    let headless = faults(rows, &Rules::default());
    assert!(headless[0].starts_with("its first line is no heading"), "{headless:?}");
    let one = faults("name,CANARY1aaaaaaaaaaaaaaaaaa,", &Rules::default());
    assert!(one[0].contains("`#2` and `#3`") && !one[0].contains("CANARY"), "{one:?}");
    assert!(faults("name,CANARY1aaaaaaaaaaaaaaaaaa,", &rules(&[], &["#2", "#3"])).is_empty());
}

#[test]
fn nothing_is_written_in_many_ways() {
    for nothing in ["", "NULL", "null", "\\N", "(null)", "#N/A", " NULL "] {
        let file =
            format!("name,access_token,refresh_token,expires_at\nann,a,{nothing},{nothing}\n");
        let (rows, trouble) = all(&file, "a.csv");
        assert!(trouble.is_empty(), "{nothing}: {trouble:?}");
        assert_eq!(token(&rows[0]), ("a", None, None), "{nothing}");
    }
    let (rows, trouble) = all("name,access_token,token_type\nann,NULL,Bearer\nNULL,a,\n", "a.csv");
    assert!(rows.len() == 1 && rows[0].token.is_none(), "{rows:?}");
    assert_eq!(said(&trouble), [(3, "it has no name")]);
    // What is no way to say nothing in a table, and no token either.
    for word in ["None", "undefined", "nan", "********", "{}"] {
        let (_, trouble) = all(&format!("name,access_token\nann,{word}\n"), "a.csv");
        assert!(trouble[0].message.starts_with("its access_token is"), "{word}: {trouble:?}");
    }
    let (_, trouble) = all(r#"{"name":"ann","access_token":"NULL"}"#, "a.json");
    assert!(trouble[0].message.contains("a word that programs write for nothing"), "{trouble:?}");
}

#[test]
fn lines_are_those_of_the_file_whatever_stands_between() {
    for end in ["\n", "\r\n", "\r"] {
        let lines = [
            "",
            "name,access_token,labels",
            "ann,a,\"x",
            "y\"",
            "",
            ",b,",
            ",,",
            "bob,c c,",
            "cid,d,\"open",
            "",
        ];
        let (rows, trouble) = all(&lines.join(end), "a.csv");
        assert_eq!(rows.iter().map(|it| it.line).collect::<Vec<_>>(), [3], "{end:?}");
        let lines = trouble.iter().map(|it| it.line).collect::<Vec<_>>();
        assert_eq!(lines, [6, 8, 9], "{end:?}: {trouble:?}");
        assert!(trouble[2].message.contains("quotation mark is not closed"), "{trouble:?}");
    }
    let list = "[\n {\"name\": \"ann\"},\n\n {\"name\": \"\"}, {\"name\": \"bob\"},\n 7,\n {\"na";
    let (rows, trouble) = all(list, "a.json");
    assert_eq!(rows.iter().map(|it| it.line).collect::<Vec<_>>(), [2, 4]);
    let cut = "it is not closed, so the file was cut off";
    assert_eq!(said(&trouble), [(4, "it has no name"), (5, "it is not a JSON object"), (6, cut)]);
    let lines = "{\"name\":\"ann\"}\n{\"name\n\n{\"name\":\"bob\"}\n";
    let (rows, trouble) = all(lines, "a.jsonl");
    assert_eq!(rows.iter().map(|it| it.line).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(trouble[0].line, 2);
}

#[test]
fn the_way_a_file_is_written_is_seen_from_its_name_and_its_beginning() {
    let object = r#"{"name":"ann","access_token":"a"}"#;
    for (name, file) in [
        ("a.csv", "name,access_token\nann,a\n".to_owned()),
        ("a.csv", "name;access_token\nann;a\n".to_owned()),
        ("a.csv", "sep=;\r\nname;access_token\r\nann;a\r\n".to_owned()),
        ("a.csv", "name\taccess_token\nann\ta\n".to_owned()),
        ("a.TSV", "name\taccess_token\nann\ta\n".to_owned()),
        ("-", "name\taccess_token\nann\ta\n".to_owned()),
        ("-", "name, access_token\nann, a\n,\n".to_owned()),
        ("-", format!("{object}\n")),
        ("-", format!("[{object}]")),
        ("a.txt", "{\n  \"name\": \"ann\",\n  \"access_token\": \"a\"\n}\n".to_owned()),
        ("a.csv", format!("[{object}]")),
        ("a.ndjson", format!("\u{feff}{object}\n")),
    ] {
        let (rows, trouble) = all(&file, name);
        assert!(trouble.is_empty(), "{file}: {trouble:?}");
        assert_eq!((rows[0].name.as_str(), token(&rows[0]).0), ("ann", "a"), "{name} {file}");
    }
    let utf16 = "\u{feff}name,access_token\nann,a\n".encode_utf16();
    let utf16 = utf16.flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    assert_eq!(with(&utf16, "a.csv", &Rules::default()).0.len(), 1);
}

#[test]
fn bytes_that_are_no_text_stand_only_in_the_way_of_who_needs_them() {
    let file = b"name,access_token,full_name\nann,a,Ren\xe9\n";
    let (rows, reading) = with(file, "a.csv", &rules(&[], &["full_name"]));
    assert!(rows.len() == 1 && reading.trouble.is_empty(), "{reading:?}");
    let labels = rules(&[("full_name", "labels")], &[]);
    let (_, reading) = with(file, "a.csv", &labels);
    assert_eq!(said(&reading.trouble), [(2, "its labels is not UTF-8; save the file as UTF-8")]);
}

#[test]
fn a_list_keeps_its_items_and_a_number_its_digits() {
    let row = r#"{"name":7,"access_token":"a","scopes":["x,y","z"],"labels":[]}"#;
    let (rows, _) = all(row, "a.json");
    assert_eq!(rows[0].token.as_ref().unwrap().scopes, ["x,y", "z"]);
    assert_eq!((rows[0].name.as_str(), rows[0].labels.as_deref()), ("7", Some([].as_slice())));
    let (_, trouble) = all(r#"{"name":12345678901234567890123}"#, "a.json");
    assert_eq!(trouble[0].message, "its name is too long for a number; write it as a string");
    let (rows, _) = all("name,access_token,scopes\nann,a,\"[\"\"x,y\"\",\"\"z\"\"]\"\n", "a.csv");
    assert_eq!(rows[0].token.as_ref().unwrap().scopes, ["x,y", "z"]);
}

#[test]
fn a_secret_keeps_its_white_space_and_a_token_has_none() {
    let file = "name, access_token ,secret.pin\n ann , a ,\" p \"\n";
    let (rows, reading) = with(file.as_bytes(), "a.csv", &Rules::default());
    assert_eq!(rows[0].secrets["pin"].0.expose_secret(), " p ");
    assert_eq!((rows[0].name.as_str(), token(&rows[0]).0), ("ann", "a"));
    let remark = reading.remarks.iter().next().unwrap();
    assert_eq!(remark.message, "secret.pin begins or ends with white space, which is kept");
}

#[test]
fn a_name_that_is_none_is_refused_where_the_file_is_read() {
    for (name, why) in [
        ("a/b", "its name has '/', which is not allowed (letters, digits and . _ - @ + : are)"),
        (
            "Bob CANARY",
            "its name has ' ', which is not allowed (letters, digits and . _ - @ + : are)",
        ),
        (&"a".repeat(129), "its name has more than 128 bytes"),
    ] {
        let (rows, trouble) = all(&format!("name,access_token\n{name},a\n"), "a.csv");
        assert!(rows.is_empty());
        assert_eq!(said(&trouble), [(2, why)]);
    }
}

#[test]
fn what_was_not_taken_literally_is_remarked() {
    let file = "name,access_token,expires_at\nann,a,1893456000000\nbob,b,2030-01-01 00:00:00\ncid,c,never\ndan,d,1893456000\n";
    let (rows, reading) = with(file.as_bytes(), "a.csv", &Rules::default());
    assert_eq!(rows.len(), 4);
    let remarks = reading.remarks.iter().map(|it| (it.lines[0], it.message)).collect::<Vec<_>>();
    assert_eq!(
        remarks,
        [
            (4, "expires_at gives no expiry: it says that there is no end"),
            (2, "expires_at: taken for milliseconds"),
            (3, "expires_at: without a time zone, so taken for UTC"),
        ]
    );
}

#[test]
fn a_token_that_would_not_stay_on_its_line_is_named_by_its_row() {
    for (member, named) in [
        (r#""access_token":"CANARY\r\nX-Evil: 1""#, "access_token"),
        (r#""access_token":"a","refresh_token":"CANARY b""#, "refresh_token"),
        (r#""access_token":"a","token_type":"CANARY\r\nX-Evil: 1""#, "token_type"),
        (r#""access_token":"a","extra":{"id_token":"CANARY b"}"#, "extra.id_token"),
    ] {
        let file = format!("{{\"name\":\"ann\"}}\n{{\"name\":\"bob\",{member}}}");
        let (rows, trouble) = all(&file, "a.json");
        assert_eq!((rows.len(), trouble.len()), (1, 1), "{trouble:?}");
        assert_eq!(trouble[0].line, 2);
        assert!(trouble[0].message.contains(named), "{trouble:?}");
        assert!(!trouble[0].message.contains("CANARY"), "{trouble:?}");
    }
}

#[test]
fn a_refresh_token_alone_is_taken() {
    let (rows, trouble) = all(r#"{"name":"ann","refresh_token":"r"}"#, "a.json");
    assert!(trouble.is_empty(), "{trouble:?}");
    let token = rows[0].token.as_ref().unwrap();
    assert!(token.access_token.is_none() && token.refresh_token.is_some());
}
