//! The tenant's directory: the same seed gives the same tenant and the same year.

use chrono::{DateTime, Duration, Utc};
use rollcall_entra::directory::{
    Change, Churn, Delta, Directory, FileTenant, GroupKey, Profile, Scope, UserKey,
};
use rollcall_entra::seed::Seed;
use std::collections::HashSet;

fn start() -> DateTime<Utc> {
    "2026-03-02T00:00:00Z".parse().expect("a time")
}

fn tenant(seed: u64, users: u32, scope: Scope) -> Directory {
    Directory::generate(Seed::new(seed), Profile { assigned: 0.7, ..Profile::sized(users) }, scope)
}

fn text(directory: &Directory) -> String {
    serde_json::to_string(&directory.to_file()).expect("JSON")
}

#[test]
fn the_same_seed_gives_the_same_tenant_however_often_one_looks() {
    let (mut a, mut b) = (tenant(5, 300, Scope::Everything), tenant(5, 300, Scope::Everything));
    assert_eq!(text(&a), text(&b));
    assert_ne!(text(&a), text(&tenant(6, 300, Scope::Everything)));
    let mut churn_a = Churn::new(Seed::new(9), 60.0, start());
    let mut churn_b = churn_a.clone();
    let whole = churn_a.advance(&mut a, start() + Duration::days(40));
    let mut pieces = Vec::new();
    for step in 1..=40 * 36 {
        pieces.extend(churn_b.advance(&mut b, start() + Duration::minutes(40 * step)));
    }
    assert_eq!(whole, pieces);
    assert_eq!(text(&a), text(&b));
    for wanted in [
        "Join", "Leave", "Restore", "Purge", "Disable", "Enable", "Rename(", "Move", "Manager",
        "Found", "Dissolve", "Enter", "Exit",
    ] {
        assert!(
            whole.iter().any(|h| format!("{:?}", h.change).starts_with(wanted)),
            "no {wanted} in {} changes",
            whole.len()
        );
    }
}

#[test]
fn sign_in_names_and_group_names_stay_unique() {
    let mut directory = tenant(2, 200, Scope::Everything);
    Churn::new(Seed::new(1), 400.0, start()).advance(&mut directory, start() + Duration::days(60));
    let file = directory.to_file();
    let names: HashSet<String> =
        file.users.iter().map(|u| u.user.user_principal_name.to_lowercase()).collect();
    assert_eq!(names.len(), file.users.len());
    let groups: HashSet<&str> = file.groups.iter().map(|g| g.display_name.as_str()).collect();
    assert_eq!(groups.len(), file.groups.len());
}

#[test]
fn a_file_gives_the_tenant_it_was_made_of() {
    let directory = tenant(4, 120, Scope::Everything);
    let written = text(&directory);
    let read = FileTenant::parse(&written)
        .and_then(|f| f.into_directory(Seed::new(4), Scope::Everything))
        .expect("a tenant");
    assert_eq!(text(&read), written);
    let twice = written.replacen(
        "\"groups\":[",
        "\"groups\":[{\"id\":\"00000000-0000-4000-8000-000000000000\",\"displayName\":\"X\",\"members\":[\"nobody\"]},",
        1,
    );
    let refused = FileTenant::parse(&twice)
        .and_then(|f| f.into_directory(Seed::new(4), Scope::Everything))
        .expect_err("nobody");
    assert_eq!(
        refused.to_string(),
        "X names nobody, which is neither the id nor the sign-in name of a user in the file"
    );
}

#[test]
fn leaving_the_last_granting_group_is_leaving_the_scope() {
    let mut directory = tenant(8, 50, Scope::Assigned);
    let key = UserKey(7);
    directory.apply(&Change::Unassign(key), start());
    for group in 0..directory.groups().len() as u32 {
        directory.apply(&Change::Exit(GroupKey(group), key), start());
    }
    let out = directory.user(key).expect("a user");
    assert!(!directory.in_scope(key, &out) && !directory.is_active(key, &out));
    let mark = directory.watermark();
    directory.apply(&Change::Enter(GroupKey(0), key), start());
    assert!(directory.is_active(key, &out));
    assert_eq!(directory.since(mark), [Delta::Member(GroupKey(0), key), Delta::User(key)]);
}

#[test]
fn a_large_tenant_holds_little() {
    let profile = Profile { groups: 10, memberships: 1_000, ..Profile::sized(1_000_000) };
    let directory = Directory::generate(Seed::new(1), profile, Scope::Everything);
    let last = directory.user(UserKey(999_999)).expect("the last user");
    assert!(last.user_principal_name.ends_with("@contoso.example"));
    assert!(directory.user(UserKey(1_000_000)).is_none());
}
