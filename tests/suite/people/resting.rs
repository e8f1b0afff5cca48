//! `active_within`: what nobody asks for is left alone, and refreshed for whoever asks again.

use std::time::Duration;

use e2e::database::Database;
use e2e::inside::Inside;
use keepfresh::model::state::{State, state_of};

use crate::people::Crowd;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn a_connection_that_nobody_asks_for_rests_until_somebody_does() {
    let crowd = Crowd::new("active_within = \"7d\"");
    crowd.file("people.csv", &crowd.roster(&["ann", "bob"], 3_600));
    crowd.import(&["people.csv"]).exits(0);
    let inside = Inside::open(&crowd.home).await;
    let ann = "rotor/ann".parse().unwrap();
    inside.app.refresher.serving.token(&ann, Duration::ZERO).await.unwrap();
    inside.app.scheduler().start();
    let due = inside.connection("rotor/ann").await.due.unwrap().at;
    inside
        .advance_to(due.max(inside.connection("rotor/bob").await.due.unwrap().at), &[&crowd.fake]);
    inside.settles("rotor/ann", 1).await;
    while inside.connection("rotor/bob").await.due.is_some() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(crowd.fake.control().family("ann").unwrap().rotations, 1);
    assert_eq!(crowd.fake.control().family("bob").unwrap().rotations, 0);
    inside.advance(2 * DAY, &[&crowd.fake]);
    let bob = inside.connection("rotor/bob").await;
    assert_eq!(state_of(&bob, inside.app.clock.now()), State::Paused);
    // The caller who comes back gets a fresh one, and the connection is looked after again.
    inside
        .app
        .refresher
        .serving
        .token(&"rotor/bob".parse().unwrap(), Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(crowd.fake.control().family("bob").unwrap().rotations, 1);
    assert!(inside.connection("rotor/bob").await.due.is_some());
}

#[test]
fn a_resting_connection_says_so_and_alarms_nobody() {
    let crowd = Crowd::new("active_within = \"7d\"");
    let text = crowd.roster(&["ann"], -60);
    let (access, refresh) = {
        let fields = text.lines().nth(1).unwrap().split(',').collect::<Vec<_>>();
        (fields[1].to_owned(), fields[2].to_owned())
    };
    crowd.file(
        "people.csv",
        &format!(
            "name,access_token,refresh_token,expires_at,active_at\nann,{access},{refresh},2020-01-01T00:00:00Z,2020-01-01T00:00:00Z\n"
        ),
    );
    crowd.import(&["people.csv"]).exits(0);
    let daemon = crowd.home.serve();
    let begun = std::time::Instant::now();
    while crowd.show("rotor/ann")["state"] != "paused" {
        assert!(begun.elapsed().as_secs() < 20, "{}", crowd.show("rotor/ann"));
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = crowd.home.run(&["status"]).exits(0);
    assert!(status.stdout.contains("No caller has requested its token for "), "{status:?}");
    assert_eq!(crowd.fake.control().seen(), 0, "nothing was sent for it");
    drop(daemon);
}

#[tokio::test]
async fn what_rests_is_refreshed_once_before_its_refresh_token_ends() {
    let crowd = Crowd::new("active_within = \"7d\"");
    let pair = crowd.fake.control().issue_family("ann");
    let (now, day) = (crowd.fake.control().now().as_second(), 86_400);
    let ends = format!("{},{}", now + 3_600, now + 20 * day);
    let row = format!("ann,{},{},{ends}", pair.access_token, pair.refresh_token);
    let heading = "name,access_token,refresh_token,expires_at,refresh_expires_at";
    crowd.file("people.csv", &format!("{heading}\n{row}\n"));
    crowd.import(&["people.csv"]).exits(0);
    let inside = Inside::open(&crowd.home).await;
    inside.app.scheduler().start();
    let first = inside.connection("rotor/ann").await.due.unwrap().at;
    inside.advance_to(first, &[&crowd.fake]);
    let rests = inside.settles("rotor/ann", 0).await;
    let (due, ends) = (rests.due.unwrap().at, rests.token.unwrap().refresh_expires_at.unwrap());
    assert!(due < ends && due >= ends - 3 * DAY, "{due} of {ends}");
    inside.advance(DAY, &[&crowd.fake]);
    let resting = inside.connection("rotor/ann").await;
    assert_eq!(state_of(&resting, inside.app.clock.now()), State::Paused);
    assert_eq!(crowd.fake.control().family("ann").unwrap().rotations, 0);
    // The look that found it at rest may end only now, and puts it off by ten seconds then.
    inside.advance_to(due + Duration::from_secs(11), &[&crowd.fake]);
    inside.settles("rotor/ann", 1).await;
    assert_eq!(crowd.fake.control().family("ann").unwrap().rotations, 1);
}

#[test]
fn people_who_look_with_sql_read_the_same_states() {
    let crowd = Crowd::new("active_within = \"7d\"");
    let now = crowd.fake.control().now().as_second();
    let past = now - 60;
    let rows = [
        ("failing", past),
        ("fresh", now + 3_600),
        ("kept", past),
        ("put-off", past),
        ("resting", past),
    ];
    let mut text = "name,access_token,refresh_token,expires_at\n".to_owned();
    for (name, end) in rows {
        let pair = crowd.fake.control().issue_family(name);
        text = text
            + &[name, &pair.access_token, &pair.refresh_token].join(",")
            + &format!(",{end}\n");
    }
    crowd.file("people.csv", &text);
    crowd.import(&["people.csv"]).exits(0);
    let database = Database::at(&crowd.home.path("keepfresh.db"));
    database.run("update connections set due_at = null where name = 'resting'");
    database.run("update connections set failures = 1 where name = 'failing'");
    database
        .run("update connections set due_at = (unixepoch() + 60) * 1000 where name = 'put-off'");
    database.run(
        "update connections
         set refresh_expires_at = (unixepoch() + 20 * 86400) * 1000,
             due_at = (unixepoch() + 18 * 86400) * 1000
         where name = 'kept'",
    );
    let found =
        database.texts("select connection || ' ' || state from token_status order by 1", &[]);
    let expected = [
        "rotor/failing expired",
        "rotor/fresh fresh",
        "rotor/kept paused",
        "rotor/put-off expired",
        "rotor/resting paused",
    ];
    assert_eq!(found, expected);
    let status = crowd.home.run(&["status", "--json"]).json();
    let said = status["connections"].as_array().unwrap().iter();
    let said =
        said.map(|it| format!("{} {}", it["id"].as_str().unwrap(), it["state"].as_str().unwrap()));
    assert_eq!(said.collect::<Vec<_>>(), found);
}
