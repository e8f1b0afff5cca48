//! How it is told: a row for each race, their medians, and Keepfresh beside the others.

use crate::entrants::{Entrant, PROCESSOR, WRITTEN, Who};
use crate::heat::Figures;

/// The names of the figures.
pub(crate) fn head() {
    println!(
        "{:<26} {:>11} {:>10} {:>10} {:>9} {:>11} {:>9}",
        "", "refreshes/s", "processor", "written", "memory", "connections", "provider"
    );
}

/// The figures of one race.
pub(crate) fn row(entrant: Entrant, it: &Figures) {
    println!(
        "{entrant:<26} {:>11.0} {:>7.3} ms {:>7.1} KB {:>5.0} MiB {:>11.0} {:>6.3} ms",
        it.rate, it.processor, it.written, it.memory, it.accepted, it.provider
    );
}

/// What came out of all rounds.
pub(crate) fn medians(all: &[(Entrant, Figures)]) {
    println!("\nmedians");
    head();
    for (entrant, figures) in all {
        row(*entrant, figures);
    }
}

/// Keepfresh beside the others over the same transport, and its goals.
pub(crate) fn ratios(all: &[(Entrant, Figures)]) {
    println!(
        "\nratios, with goals where there are any; a refresh is to take at most {PROCESSOR} ms of the processor and"
    );
    println!("to write at most {WRITTEN} KB");
    println!(
        "{:<26} {:>16} {:>16} {:>10} {:>10}",
        "", "over node", "over aiohttp", "processor", "written"
    );
    for (entrant, it) in all.iter().filter(|(it, _)| matches!(it.who, Who::Keepfresh(..))) {
        let goals = entrant.goals();
        let over = |who, goal| ratio(it, rate_of(all, entrant.beside(who)), goal);
        let node = over(Who::Node, goals.map(|it| it[0]));
        let aiohttp = over(Who::Aiohttp, goals.map(|it| it[1]));
        println!(
            "{entrant:<26} {node:>16} {aiohttp:>16} {:>7.3} ms {:>7.1} KB",
            it.processor, it.written
        );
    }
}

fn rate_of(all: &[(Entrant, Figures)], entrant: Entrant) -> Option<f64> {
    all.iter().find(|(it, _)| *it == entrant).map(|(_, figures)| figures.rate)
}

/// `1.523 (1.5)`, or a dash where there is nobody to compare with.
fn ratio(it: &Figures, other: Option<f64>, goal: Option<f64>) -> String {
    let Some(other) = other else { return "-".to_owned() };
    let goal = goal.map(|it| format!(" ({it})")).unwrap_or_default();
    format!("{:.3}{goal}", it.rate / other)
}

/// What they asked of the kernel.
pub(crate) fn calls(all: impl Iterator<Item = (Entrant, Option<String>)>) {
    println!("\ncalls of the kernel for each refresh, by strace");
    for (entrant, calls) in all {
        println!(
            "{entrant:<26} {}",
            calls.unwrap_or_else(|| "not counted: install strace".to_owned())
        );
    }
}
