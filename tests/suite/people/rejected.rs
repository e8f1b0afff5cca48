//! A caller's 401: one refresh for everybody who had the same token.

use std::sync::Arc;
use std::time::Duration;

use e2e::database::Database;
use e2e::inside::Inside;
use futures_util::future::join_all;
use secrecy::ExposeSecret as _;

use crate::people::Crowd;

fn crowd() -> Crowd {
    let crowd = Crowd::new("");
    crowd.file("people.csv", &crowd.roster(&["ann"], 3_600));
    crowd.import(&["people.csv"]).exits(0);
    crowd
}

#[test]
fn a_refused_token_is_replaced_and_the_new_one_is_printed() {
    let crowd = crowd();
    let old = crowd.home.run(&["token", "get", "rotor/ann"]).exits(0).stdout;
    let young = crowd.home.run(&["token", "rejected", "rotor/ann"]).exits(1);
    assert!(young.stderr.contains("its age is not the reason"), "{young:?}");
    // As if it had been stored a minute ago.
    let database = Database::at(&crowd.home.path("keepfresh.db"));
    database.run("update connections set issued_at = issued_at - 60000");
    let run = crowd.home.run(&["token", "rejected", "rotor/ann", "--generation", "1"]).exits(0);
    assert_ne!(run.stdout, old);
    // Whoever comes later with the old one gets what is there.
    let late = crowd.home.run(&["token", "rejected", "rotor/ann", "--generation", "1"]).exits(0);
    assert_eq!(late.stdout, run.stdout);
    assert_eq!(crowd.fake.control().family("ann").unwrap().rotations, 1);
    let unknown = crowd.home.run(&["token", "rejected", "rotor/ann", "--generation", "9"]).exits(1);
    assert!(unknown.stderr.contains("generation 9 has never existed"), "{unknown:?}");
}

#[tokio::test]
async fn two_thousand_complaints_about_one_token_are_one_request() {
    let crowd = crowd();
    let inside = Arc::new(Inside::open(&crowd.home).await);
    inside.advance(Duration::from_mins(1), &[&crowd.fake]);
    let callers = (0..2_000).map(|_| {
        let inside = Arc::clone(&inside);
        async move {
            let id = "rotor/ann".parse().unwrap();
            let served = inside.app.refresher.serving.rejected(&id, Some(1)).await.unwrap();
            served.token.expose_secret().to_owned()
        }
    });
    let mut tokens = join_all(callers).await;
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all of them got the same new token");
    assert_eq!(crowd.fake.control().seen(), 1);
}
