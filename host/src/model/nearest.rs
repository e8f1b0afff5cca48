//! Guesses what a person meant to write.

/// The candidate with the fewest changed letters, if they are few.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let limit = (word.chars().count() / 3).max(1);
    let ranked = candidates.into_iter().map(|it| (distance(word, it), it));
    ranked.filter(|it| it.0 <= limit).min_by_key(|it| it.0).map(|it| it.1)
}

/// How many letters must be added, dropped or changed to get from one word to the other.
pub fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (y, letter) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], y + 1);
        for x in 0..to.len() {
            let changed = diagonal + usize::from(letter != to[x]);
            diagonal = row[x + 1];
            row[x + 1] = changed.min(row[x] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let keys = ["schedule", "settings", "secrets", "retry"];
        assert_eq!(nearest("schedul", keys), Some("schedule"));
        assert_eq!(nearest("shcedule", keys), Some("schedule"));
        assert_eq!(nearest("setings", keys), Some("settings"));
        assert_eq!(nearest("secret", keys), Some("secrets"));
        assert_eq!(nearest("base_url", keys), None);
        assert_eq!(nearest("", keys), None);
    }
}
