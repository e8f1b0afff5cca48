//! Devices without a browser (RFC 8628). Knows requests and times; what a grant is worth is not decided here.

use jiff::{SignedDuration, Timestamp};

use crate::provider::authorization::{
    refused::{Fault, Refused},
    tokens::Grant,
};

pub(crate) struct Devices {
    lifetime: u32,
    interval: u32,
    all: Vec<Device>,
}

struct Device {
    /// What the device polls with.
    secret: String,
    /// What the person types.
    shown: String,
    grant: Grant,
    started: Timestamp,
    interval: u32,
    polled: Option<Timestamp>,
    decision: Decision,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Pending,
    Approved,
    Denied,
    Spent,
}

/// RFC 8628, 3.5: what each poll that came too early adds for good.
const PENALTY: u32 = 5;

impl Devices {
    pub(crate) fn new(lifetime: u32, interval: u32) -> Self {
        Self { lifetime, interval, all: Vec::new() }
    }

    pub(crate) fn lifetime(&self) -> u32 {
        self.lifetime
    }

    pub(crate) fn interval(&self) -> u32 {
        self.interval
    }

    pub(crate) fn start(&mut self, secret: String, shown: String, grant: Grant, now: Timestamp) {
        self.all.push(Device {
            secret,
            shown,
            grant,
            started: now,
            interval: self.interval,
            polled: None,
            decision: Decision::Pending,
        });
    }

    pub(crate) fn poll(&mut self, device_code: &str, now: Timestamp) -> Result<Grant, Refused> {
        let lifetime = self.lifetime;
        let device = self.all.iter_mut().find(|it| it.secret == device_code);
        let device = device.ok_or(Refused::InvalidGrant(Fault::UnknownCode))?;
        let since = |time| now.duration_since(time);
        let early = device.polled.is_some_and(|it| since(it) < seconds(device.interval));
        device.polled = Some(now);
        match device.decision {
            Decision::Spent => Err(Refused::InvalidGrant(Fault::UsedCode)),
            _ if since(device.started) >= seconds(lifetime) => Err(Refused::ExpiredToken),
            Decision::Denied => Err(Refused::AccessDenied),
            Decision::Approved => {
                device.decision = Decision::Spent;
                Ok(device.grant.clone())
            }
            Decision::Pending if early => {
                device.interval += PENALTY;
                Err(Refused::SlowDown)
            }
            Decision::Pending => Err(Refused::AuthorizationPending),
        }
    }

    /// What the person says. False when nobody waits for an answer under this code.
    pub(crate) fn decide(&mut self, user_code: &str, approve: bool) -> bool {
        let waits = |it: &&mut Device| it.shown == user_code && it.decision == Decision::Pending;
        let Some(device) = self.all.iter_mut().find(waits) else { return false };
        device.decision = if approve { Decision::Approved } else { Decision::Denied };
        true
    }

    /// The codes that nobody has decided on, oldest first.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let pending = self.all.iter().filter(|it| it.decision == Decision::Pending);
        pending.map(|it| it.shown.clone()).collect()
    }
}

fn seconds(count: u32) -> SignedDuration {
    SignedDuration::from_secs(count.into())
}

/// Eight letters without vowels, in the form that RFC 8628 shows.
pub(crate) fn user_code(unique: &str) -> String {
    let letter = |digit: char| {
        let place = digit.to_digit(16).and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
        char::from(b"BCDFGHJKLMNPQRST"[place])
    };
    let letters: String = unique.chars().take(8).map(letter).collect();
    format!("{}-{}", &letters[..4], &letters[4..])
}
