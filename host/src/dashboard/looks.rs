//! How somebody wants to see the pages: the zone of moments, light or dark. It is in cookies, which say nothing about
//! who that is.

use axum::extract::State;
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::dashboard::form::{Filled, given};
use crate::dashboard::refused::Refused;
use crate::dashboard::{Dashboard, PLACE};

const ZONE: &str = "keepfresh-zone";
const THEME: &str = "keepfresh-theme";

/// A year, in seconds.
const LONG: u32 = 31_536_000;

/// How somebody wants to see the pages.
#[derive(Clone, Debug)]
pub(super) struct Looks {
    /// The zone of moments.
    pub(super) zone: TimeZone,
    /// `light`, `dark`, or empty for what the system says.
    pub(super) theme: &'static str,
}

impl Default for Looks {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, theme: "" }
    }
}

impl Looks {
    /// As the cookies say.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let zone = cookie(headers, ZONE).and_then(|it| zone(&it.replace('~', "/")));
        let theme = cookie(headers, THEME).map_or("", |it| theme(&it));
        Self { zone: zone.unwrap_or(TimeZone::UTC), theme }
    }

    /// What the zone is called.
    pub(super) fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = all.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|it| it.iana_name().is_some())
}

fn theme(word: &str) -> &'static str {
    match word {
        "light" => "light",
        "dark" => "dark",
        _ => "",
    }
}

/// What the form in the footer brings.
#[derive(Deserialize)]
pub(super) struct Wanted {
    zone: Option<String>,
    theme: Option<String>,
    /// The page that it was on.
    back: Option<String>,
}

/// Remembers how somebody wants to see the pages.
pub(super) async fn set(
    State(dashboard): State<Dashboard>,
    Filled(wanted): Filled<Wanted>,
) -> Result<Response, Refused> {
    let base = dashboard.below() + PLACE;
    let zone = given(wanted.zone).map(|it| zone(&it).ok_or(Refused::Unreadable)).transpose()?;
    let zone = zone.unwrap_or(TimeZone::UTC);
    let zone = zone.iana_name().unwrap_or("UTC").replace('/', "~");
    let theme = theme(wanted.theme.as_deref().unwrap_or_default());
    let kept = |name, value: &str| {
        let cookie = format!("{name}={value}; Path={base}; Max-Age={LONG}; HttpOnly; SameSite=Lax");
        (SET_COOKIE, cookie)
    };
    let place = back(&base, wanted.back.as_deref());
    let headers = [kept(ZONE, &zone), kept(THEME, theme), (LOCATION, place)];
    Ok((StatusCode::SEE_OTHER, axum::response::AppendHeaders(headers)).into_response())
}

/// A page of this dashboard, whatever the form says.
pub(super) fn back(base: &str, wanted: Option<&str>) -> String {
    let plain = |it: &&str| {
        it.starts_with(&format!("{base}/"))
            && it.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
            && !it.contains("//")
            && !it.contains("/../")
    };
    wanted.filter(plain).map_or_else(|| format!("{base}/"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_say_zone_and_theme_and_nothing_else() {
        let of = |text: &str| Looks::of(&[(COOKIE, text.parse().unwrap())].into_iter().collect());
        let looks = of("a=b; keepfresh-zone=Asia~Tashkent; keepfresh-theme=dark");
        assert_eq!((looks.zone_name(), looks.theme), ("Asia/Tashkent", "dark"));
        let looks = of("keepfresh-zone=nowhere; keepfresh-theme=\"><script>");
        assert_eq!((looks.zone_name(), looks.theme), ("UTC", ""));
    }

    #[test]
    fn the_way_back_stays_here() {
        assert_eq!(back("/ui", Some("/ui/attempts?outcome=failed")), "/ui/attempts?outcome=failed");
        for elsewhere in
            ["https://evil.example/", "//evil.example", "/ui//evil", "/ui\\evil", "/ui/../x", "x"]
        {
            assert_eq!(back("/ui", Some(elsewhere)), "/ui/", "{elsewhere}");
        }
    }
}
