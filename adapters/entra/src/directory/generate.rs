//! Users and groups made from a seed. A user is a function of the seed and a number, so a directory
//! of a million users holds only those that have changed.

use super::group::{Group, GroupKey};
use super::names::{DEPARTMENTS, FAMILY, GIVEN, GROUP_KINDS, PLACES, plain};
use super::user::{User, UserKey};
use crate::seed::Seed;
use std::collections::{BTreeMap, BTreeSet};

/// How large a generated tenant is, and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Users.
    pub users: u32,
    /// Groups.
    pub groups: u32,
    /// Memberships over all groups.
    pub memberships: u32,
    /// Domain of the sign-in names.
    pub domain: String,
    /// Share of guests.
    pub guests: f64,
    /// Share of users who are assigned to the application by name.
    pub assigned: f64,
}

impl Profile {
    /// A company of so many users, a group for every 25 of them, five memberships each.
    pub fn sized(users: u32) -> Self {
        let groups = (users / 25).clamp(1, 5_000);
        let memberships = users.saturating_mul(5).min(groups.saturating_mul(users));
        Self {
            users,
            groups,
            memberships,
            domain: "contoso.example".to_owned(),
            guests: 0.03,
            assigned: 1.0,
        }
    }
}

/// How many reports a manager has.
const SPAN: u32 = 8;

/// The `number`-th user.
pub(super) fn user(seed: Seed, profile: &Profile, number: u32) -> User {
    let mut rng = seed.rng("person", u64::from(number));
    let (given, family, again) = name(seed, number);
    let (city, country, language, dialling) = PLACES[rng.usize(..PLACES.len())];
    let (department, titles) = DEPARTMENTS[rng.usize(..DEPARTMENTS.len())];
    let local = match again {
        0 => format!("{}.{}", plain(given), plain(family)),
        n => format!("{}.{}{n}", plain(given), plain(family)),
    };
    let guest = rng.f64() < profile.guests;
    let mail = if guest {
        format!("{local}@partner.example")
    } else {
        format!("{local}@{}", profile.domain)
    };
    let upn = if guest {
        format!("{local}_partner.example#EXT#@{}", profile.domain)
    } else {
        mail.clone()
    };
    let manager = (!guest && number > 0).then(|| UserKey((number - 1) / SPAN));
    let phone = (rng.f64() < 0.8)
        .then(|| format!("{dialling} 555 {:02} {:02}", rng.u32(..100), rng.u32(..100)));
    let badge = rng.u32(..1_000_000);
    User {
        object_id: seed.uuid("user", u64::from(number)),
        mail_nickname: upn.split('@').next().unwrap_or_default().replace('#', "_"),
        user_principal_name: upn,
        display_name: format!("{given} {family}"),
        given_name: Some(given.to_owned()),
        surname: Some(family.to_owned()),
        mail: Some(mail),
        job_title: Some(titles[rng.usize(..titles.len())].to_owned()),
        department: Some(department.to_owned()),
        employee_id: (!guest).then(|| format!("{}", 10_000 + number)),
        mobile_phone: phone,
        office_location: Some(format!("{city}, floor {}", rng.u32(1..9))),
        city: Some(city.to_owned()),
        country: Some(country.to_owned()),
        preferred_language: Some(language.to_owned()),
        guest,
        extension: if guest {
            BTreeMap::new()
        } else {
            BTreeMap::from([("badgeNumber".to_owned(), format!("B-{badge:06}"))])
        },
        manager,
        account_enabled: true,
        deleted_at: None,
        assigned: rng.f64() < profile.assigned,
    }
}

/// A name for each number, in an order that the seed decides. Every pair of names is used once
/// before any comes again; the third part counts how often it came before.
fn name(seed: Seed, number: u32) -> (&'static str, &'static str, u32) {
    const PAIRS: u32 = (GIVEN.len() * FAMILY.len()) as u32;
    // A power of 5 has no factor in common with 64 * 96 = 2^11 * 3, so this is a permutation.
    let mut rng = seed.rng("names", 0);
    let step = 5_u32.pow(rng.u32(1..6));
    let pair = (number % PAIRS).wrapping_mul(step).wrapping_add(rng.u32(..PAIRS)) % PAIRS;
    let (given, family) = (pair as usize % GIVEN.len(), pair as usize / GIVEN.len());
    (GIVEN[given], FAMILY[family], number / PAIRS)
}

/// The name of the `number`-th group.
pub(super) fn group_name(number: u32) -> String {
    let kind = GROUP_KINDS[number as usize % GROUP_KINDS.len()];
    kind.replace("{}", &(number as usize / GROUP_KINDS.len() + 1).to_string())
}

/// All groups with their members: few large ones and many small ones.
pub(super) fn groups(seed: Seed, profile: &Profile) -> Vec<Group> {
    let count = profile.groups;
    let possible = u64::from(count) * u64::from(profile.users);
    let mut left = u64::from(profile.memberships).min(possible);
    // Sizes fall as 1/n; what the cap of a group cannot take goes to the next ones.
    let harmonic: f64 = (1..=count).map(|n| 1.0 / f64::from(n)).sum();
    let total = left as f64;
    let mut made = Vec::with_capacity(count as usize);
    for number in 0..count {
        let share = (total / harmonic / f64::from(number + 1)).ceil() as u64;
        let after = u64::from(count - number - 1) * u64::from(profile.users);
        let size = share.max(left.saturating_sub(after)).min(u64::from(profile.users)).min(left);
        let size = if number + 1 == count { left.min(u64::from(profile.users)) } else { size };
        left -= size;
        made.push(Group {
            object_id: seed.uuid("group", u64::from(number)),
            display_name: group_name(number),
            members: members(seed, number, profile.users, size as u32),
            assigned: true,
            deleted: false,
        });
    }
    // The last group is full before all are given out only if the ones before can take the rest.
    for number in 0..count {
        let group = &mut made[number as usize];
        let room = u64::from(profile.users) - group.members.len() as u64;
        let more = room.min(left);
        if more > 0 {
            left -= more;
            group.members =
                members(seed, number, profile.users, group.members.len() as u32 + more as u32);
        }
    }
    made
}

/// So many distinct users.
fn members(seed: Seed, group: u32, users: u32, size: u32) -> BTreeSet<UserKey> {
    let mut rng = seed.rng("members", u64::from(group));
    if size.saturating_mul(2) > users {
        // Dense: leave out instead of picking.
        let mut out: BTreeSet<UserKey> = (0..users).map(UserKey).collect();
        while out.len() > size as usize {
            out.remove(&UserKey(rng.u32(..users)));
        }
        return out;
    }
    let mut picked = BTreeSet::new();
    while picked.len() < size as usize {
        picked.insert(UserKey(rng.u32(..users)));
    }
    picked
}

/// The key of a new group.
pub(super) fn next_group(groups: &[Group]) -> GroupKey {
    GroupKey(u32::try_from(groups.len()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn sign_in_names_are_unique() {
        let (seed, profile) = (Seed::new(3), Profile::sized(20_000));
        let names: HashSet<String> =
            (0..20_000).map(|n| user(seed, &profile, n).user_principal_name).collect();
        assert_eq!(names.len(), 20_000);
    }

    #[test]
    fn memberships_are_as_many_as_asked_for() {
        for (users, count, memberships) in
            [(1_000, 40, 5_000), (10, 3, 30), (10, 3, 29), (500, 20, 0), (50, 7, 200)]
        {
            let profile = Profile { groups: count, memberships, ..Profile::sized(users) };
            let made = groups(Seed::new(1), &profile);
            assert_eq!(
                made.iter().map(|g| g.members.len() as u32).sum::<u32>(),
                memberships,
                "{users} {count} {memberships}"
            );
            assert_eq!(
                made.iter().map(|g| &g.display_name).collect::<HashSet<_>>().len(),
                count as usize
            );
        }
    }
}
