//! Guesses which time zone a person meant to write.

use jiff::tz;

use crate::model::nearest::distance;

/// A time zone whose name, or whose city, is nearly this.
pub(super) fn nearest_zone(word: &str) -> Option<String> {
    let word = word.to_lowercase();
    let names: Vec<String> = tz::db().available().map(|it| it.to_string()).collect();
    let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
    let whole = names.iter().min_by_key(|it| distance(&word, &it.to_lowercase()))?;
    if distance(&word, &whole.to_lowercase()) <= 2 {
        return Some(whole.clone());
    }
    names.iter().find(|it| city(it) == word || distance(&city(it), &word) == 1).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_recognised_by_its_city() {
        assert_eq!(nearest_zone("Asia/Tashkant").as_deref(), Some("Asia/Tashkent"));
        assert_eq!(nearest_zone("tashkent").as_deref(), Some("Asia/Tashkent"));
        assert_eq!(nearest_zone("the office"), None);
    }
}
