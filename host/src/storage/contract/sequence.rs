//! Sequences of steps, as they are made up: of a few connections and attempts, so that they cross.

use proptest::prelude::*;

use crate::storage::Captured;

/// Connections of two providers; those that are not in the manifest are there once somebody adds them.
pub(super) const NAMES: [&str; 4] = ["x/a", "x/b", "x/c", "y/a"];
pub(super) const IN_MANIFEST: usize = 2;
/// One step, of the connection with this number. An attempt is one of those that were begun, counted
/// from the newest; a generation is the current one, or that many before it.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Begin {
        of: usize,
        owner: usize,
        adopts: bool,
        behind: u64,
        captured: Captured,
        doubts: bool,
    },
    Renew {
        of: usize,
        back: usize,
        seconds: u64,
    },
    Depart {
        of: usize,
        back: usize,
        seq: u32,
    },
    Capture {
        of: usize,
        back: usize,
        seq: u32,
    },
    Succeed {
        of: usize,
        back: usize,
        dead: bool,
        due: Option<u64>,
    },
    Fail {
        of: usize,
        back: usize,
        way: Way,
        due: Option<u64>,
    },
    Abandon {
        of: usize,
        back: usize,
    },
    Skip {
        of: usize,
    },
    SetManually {
        of: usize,
        adopts: bool,
        behind: u64,
        gives: bool,
        due: Option<u64>,
    },
    Enrol {
        of: usize,
        is_new: bool,
        behind: u64,
        gives: bool,
        secret: bool,
        due: Option<u64>,
    },
    Reconcile {
        of: usize,
        forgive: bool,
        due: Option<u64>,
    },
    Remove {
        of: usize,
        listed: bool,
    },
    Pause {
        of: usize,
        until: Option<u64>,
    },
    Resume {
        of: usize,
        due: Option<u64>,
    },
    SetDue {
        of: usize,
        due: Option<u64>,
    },
    Wake {
        of: usize,
    },
    WakeInterrupted {
        owner: usize,
    },
    Touch {
        of: usize,
    },
    Pass {
        seconds: u64,
    },
    /// The process ends, and the next one opens the database.
    Reopen,
}

/// How a try fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Outage,
    InDoubt,
    Kept,
    Dead,
    Misconfigured,
    /// What it says is of another generation.
    OfAnother,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let of = || 0..NAMES.len();
    let back = || prop_oneof![5 => Just(0_usize), 1 => Just(1), 1 => 0..4_usize];
    let behind = || prop_oneof![6 => Just(0_u64), 1 => Just(1), 1 => Just(2)];
    let due = || prop::option::weighted(0.7, 0..200_u64);
    let rarely = || prop::bool::weighted(0.25);
    let captured = prop_oneof![
        3 => Just(Captured::Stay), 1 => Just(Captured::AreRead), 1 => Just(Captured::AreGivenUp),
    ];
    let way = prop_oneof![
        Just(Way::Outage),
        Just(Way::InDoubt),
        Just(Way::Kept),
        Just(Way::Dead),
        Just(Way::Misconfigured),
        Just(Way::OfAnother),
    ];
    let begin = (of(), 0..2_usize, any::<bool>(), behind(), captured, any::<bool>());
    let enrol = (of(), any::<bool>(), behind(), any::<bool>(), rarely(), due());
    let attempt = prop_oneof![
        6 => begin.prop_map(|(of, owner, adopts, behind, captured, doubts)|
            Step::Begin { of, owner, adopts, behind, captured, doubts }),
        1 => (of(), back(), 0..200_u64)
            .prop_map(|(of, back, seconds)| Step::Renew { of, back, seconds }),
        2 => (of(), back(), 0..3_u32).prop_map(|(of, back, seq)| Step::Depart { of, back, seq }),
        3 => (of(), back(), 0..3_u32).prop_map(|(of, back, seq)| Step::Capture { of, back, seq }),
        4 => (of(), back(), rarely(), due())
            .prop_map(|(of, back, dead, due)| Step::Succeed { of, back, dead, due }),
        3 => (of(), back(), way, due())
            .prop_map(|(of, back, way, due)| Step::Fail { of, back, way, due }),
        1 => (of(), back()).prop_map(|(of, back)| Step::Abandon { of, back }),
        1 => of().prop_map(|of| Step::Skip { of }),
    ];
    let person = prop_oneof![
        3 => (of(), any::<bool>(), behind(), any::<bool>(), due()).prop_map(
            |(of, adopts, behind, gives, due)|
            Step::SetManually { of, adopts, behind, gives, due }),
        3 => enrol.prop_map(|(of, is_new, behind, gives, secret, due)|
            Step::Enrol { of, is_new, behind, gives, secret, due }),
        1 => (of(), any::<bool>(), due())
            .prop_map(|(of, forgive, due)| Step::Reconcile { of, forgive, due }),
        1 => (of(), any::<bool>()).prop_map(|(of, listed)| Step::Remove { of, listed }),
        2 => (of(), due()).prop_map(|(of, until)| Step::Pause { of, until }),
        2 => (of(), due()).prop_map(|(of, due)| Step::Resume { of, due }),
    ];
    let times = prop_oneof![
        2 => (of(), due()).prop_map(|(of, due)| Step::SetDue { of, due }),
        1 => of().prop_map(|of| Step::Wake { of }),
        1 => (0..2_usize).prop_map(|owner| Step::WakeInterrupted { owner }),
        1 => of().prop_map(|of| Step::Touch { of }),
        2 => (1..150_u64).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(prop_oneof![5 => attempt, 3 => person, 2 => times], 1..=30)
}
