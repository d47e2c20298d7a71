//! A month in which everything goes wrong that usually does.

use super::plan::{Elsewhere, Happening, Plan, Until};
use crate::directory::{Change, GroupKey, UserKey};
use crate::seed::Seed;
use crate::transport::Faults;
use chrono::{DateTime, Duration, Utc};

/// The calendar is written for so many days, and stretched or shrunk to others.
const DAYS: f64 = 30.0;

/// A history of so many days that begins with setting the connection up. `token` is the good token.
pub fn month(seed: u64, users: u32, days: u32, token: &str, start: DateTime<Utc>) -> Plan {
    let mut plan = Plan::new(seed, users, token, start, 0);
    plan.until = Until::Elapsed(Duration::days(i64::from(days)));
    plan.first_cycle = Duration::minutes(30);
    plan.changes_per_day = (f64::from(users) * 0.04).max(4.0);
    plan.faults =
        Faults { lost_answers: 0.002, timeouts: 0.001, duplicates: 0.002, bad_values: 0.0 };
    plan.latency = Some(20..180);

    // Somebody pastes half a token first.
    plan.at(Duration::minutes(2), Happening::Token(token.chars().take(20).collect()));
    plan.at(Duration::minutes(3), Happening::TestConnection);
    plan.at(Duration::minutes(6), Happening::Token(token.to_owned()));
    plan.at(Duration::minutes(7), Happening::TestConnection);
    plan.at(Duration::minutes(15), Happening::DemandUser(Some(UserKey(0))));
    troubles(&mut plan, 0, users, days, token);
    admin(&mut plan, seed, days);
    plan
}

/// So many such months of 30 days one after another, each with its own people and names.
pub fn months(seed: u64, users: u32, months: u32, token: &str, start: DateTime<Utc>) -> Plan {
    let days = DAYS as u32;
    let mut plan = month(seed, users, days, token, start);
    plan.until = Until::Elapsed(Duration::days(i64::from(days * months)));
    for number in 1..months {
        let mut later = Plan::new(seed, users, token, start, 0);
        troubles(&mut later, number, users, days, token);
        admin(&mut later, seed.wrapping_add(u64::from(number)), days);
        let before = Duration::days(i64::from(days * number));
        later.planned.into_iter().for_each(|planned| plan.at(before + planned.after, planned.what));
    }
    plan
}

fn troubles(plan: &mut Plan, month: u32, users: u32, days: u32, token: &str) {
    let day = |day: f64| Duration::seconds((day / DAYS * f64::from(days) * 86_400.0) as i64);
    let hours = Duration::hours;
    let elsewhere = Happening::Elsewhere;
    let own =
        |name: &str| if month == 0 { name.to_owned() } else { format!("{name} {}", month + 1) };

    // The mapping's expression for `active` is edited, and gives words.
    plan.at(day(4.0) + hours(3), Happening::BadValues(0.7));
    plan.at(day(4.0) + hours(9), Happening::BadValues(0.0));
    plan.at(day(4.0) + hours(9) + Duration::minutes(1), Happening::Restart);

    // The token expires in a night and is renewed in the morning.
    plan.at(day(7.0) + hours(20), Happening::Token("rollcall_scim_expired".to_owned()));
    plan.at(day(8.0) + hours(7), Happening::Token(token.to_owned()));
    plan.at(day(8.0) + hours(7) + Duration::minutes(2), Happening::TestConnection);

    // A name that Entra is about to give is taken by hand in the application.
    let taken = format!("{}@contoso.example", own("night.desk").replace(' ', "."));
    plan.at(day(10.0) + hours(2), elsewhere(Elsewhere::CreateUser(taken.clone())));
    plan.at(
        day(10.0) + hours(5),
        Happening::Change(Change::SignIn(UserKey(users.min(12 + month) - 1), taken)),
    );
    plan.at(day(14.0) + hours(1), elsewhere(Elsewhere::CreateGroup(own("Visitors"))));
    plan.at(
        day(14.0) + hours(2),
        Happening::Change(Change::RenameGroup(GroupKey(month), own("Visitors"))),
    );

    // Somebody is deleted in the application who is still managed.
    let gone = UserKey(users.min(8 + month) - 1);
    plan.at(day(12.0) + hours(4), elsewhere(Elsewhere::DeleteUser(gone)));
    plan.at(
        day(12.0) + hours(6),
        Happening::Change(Change::Phone(gone, "+41 79 555 00 00".to_owned())),
    );
    plan.at(day(20.0) + hours(1), Happening::Restart);

    // Maintenance.
    plan.at(day(16.0) + hours(22), elsewhere(Elsewhere::Off));
    plan.at(day(16.0) + hours(26), elsewhere(Elsewhere::On));

    // A reorganization.
    plan.at(day(23.0) + hours(9), Happening::Burst((users / 4).max(5)));
}

/// An admin who does not want to wait, about every other day, sometimes during a cycle.
fn admin(plan: &mut Plan, seed: u64, days: u32) {
    let mut rng = Seed::new(seed).rng("admin", 0);
    for n in 0..days {
        let at = Duration::days(i64::from(n)) + Duration::seconds(rng.i64(7 * 3_600..17 * 3_600));
        match rng.u32(..4) {
            0 | 1 => plan.at(at, Happening::DemandUser(None)),
            2 => plan.at(at, Happening::DemandGroup),
            _ => {}
        }
    }
}
