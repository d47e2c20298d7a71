//! Somebody should have lost access and has not: what was refused is marked, whatever it looked like,
//! and is over when the access is gone and not before.

use anyhow::{Context as _, Result, ensure};
use rollcall_tests::on_both;
use rollcall_tests::world::{World, issue};
use serde_json::{Value, json};

/// A request about a user `{U}` who is in a group `{G}`.
type Request = (&'static str, &'static str, &'static str);

struct Case {
    name: &'static str,
    /// Refused while SCIM is switched off, or for itself.
    off: bool,
    refused: Request,
    then: &'static [Request],
    /// Whether somebody keeps access by it, when all is done.
    left: bool,
}

const DISABLE: Request =
    ("PATCH", "/Users/{U}", r#"{"Operations":[{"op":"Replace","path":"active","value":"False"}]}"#);
const REMOVE: Request = (
    "PATCH",
    "/Groups/{G}",
    r#"{"Operations":[{"op":"remove","path":"members[value eq \"{U}\"]"}]}"#,
);
const TITLE: Request =
    ("PATCH", "/Users/{U}", r#"{"Operations":[{"op":"add","path":"title","value":"Lead"}]}"#);
const RENAME: Request = (
    "PATCH",
    "/Groups/{G}",
    r#"{"Operations":[{"op":"replace","path":"displayName","value":"{G}"}]}"#,
);
const UNREADABLE_DISABLE: Request =
    ("PATCH", "/Users/{U}", r#"{"Operations":[{"op":"update","path":"active","value":false}]}"#);
const UNREADABLE_REMOVE: Request = (
    "PATCH",
    "/Groups/{G}",
    r#"{"Operations":[{"op":"remove","path":"members[value eq \"{U}\""}]}"#,
);
const REMOVE_SOMEBODY: Request = (
    "PATCH",
    "/Groups/{G}",
    r#"{"Operations":[{"op":"remove","path":"members","value":[{"display":"U"}]}]}"#,
);
const DELETE_USER: Request = ("DELETE", "/Users/{U}", "");
const DELETE_GROUP: Request = ("DELETE", "/Groups/{G}", "");
const BULK_DELETE: Request =
    ("POST", "/Bulk", r#"{"Operations":[{"method":"DELETE","path":"/Users/{U}"}]}"#);

/// What comes after a refusal, and what is left then.
const AFTER: &[Case] = &[
    Case {
        name: "a PUT that does not say",
        off: true,
        refused: DISABLE,
        then: &[("PUT", "/Users/{U}", r#"{"userName":"{U}","displayName":"q"}"#)],
        left: true,
    },
    Case {
        name: "an addition of null",
        off: true,
        refused: DISABLE,
        then: &[(
            "PATCH",
            "/Users/{U}",
            r#"{"Operations":[{"op":"add","path":"active","value":null}]}"#,
        )],
        left: true,
    },
    Case {
        name: "an addition of nothing",
        off: true,
        refused: DISABLE,
        then: &[(
            "PATCH",
            "/Users/{U}",
            r#"{"Operations":[{"op":"add","path":"active","value":""}]}"#,
        )],
        left: true,
    },
    Case {
        name: "another change after what cannot be read",
        off: false,
        refused: UNREADABLE_DISABLE,
        then: &[TITLE],
        left: true,
    },
    Case {
        name: "a new name after a path that cannot be read",
        off: false,
        refused: UNREADABLE_REMOVE,
        then: &[RENAME],
        left: true,
    },
    Case {
        name: "nobody is removed after somebody",
        off: false,
        refused: REMOVE_SOMEBODY,
        then: &[(
            "PATCH",
            "/Groups/{G}",
            r#"{"Operations":[{"op":"remove","path":"members","value":[]}]}"#,
        )],
        left: true,
    },
    Case {
        name: "an id that nobody has",
        off: false,
        refused: REMOVE_SOMEBODY,
        then: &[(
            "PATCH",
            "/Groups/{G}",
            r#"{"Operations":[{"op":"remove","path":"members","value":[{"value":"{U} "}]}]}"#,
        )],
        left: true,
    },
    Case {
        name: "a deletion at the other endpoint",
        off: true,
        refused: DELETE_GROUP,
        then: &[("DELETE", "/Users/{G}", "")],
        left: true,
    },
    Case {
        name: "another bulk request",
        off: true,
        refused: BULK_DELETE,
        then: &[(
            "POST",
            "/Bulk",
            r#"{"Operations":[{"method":"PATCH","path":"/Users/{U}","data":{"Operations":[{"op":"add","path":"title","value":"z"}]}}]}"#,
        )],
        left: true,
    },
    Case {
        name: "a change at the other endpoint",
        off: true,
        refused: REMOVE,
        then: &[(
            "PATCH",
            "/Users/{G}",
            r#"{"Operations":[{"op":"add","path":"title","value":"z"}]}"#,
        )],
        left: true,
    },
    Case {
        name: "the same done",
        off: true,
        refused: DISABLE,
        then: &[TITLE, DISABLE],
        left: false,
    },
    Case {
        name: "the same in words that can be read",
        off: false,
        refused: UNREADABLE_DISABLE,
        then: &[DISABLE],
        left: false,
    },
    Case {
        name: "the removal in words that can be read",
        off: false,
        refused: UNREADABLE_REMOVE,
        then: &[REMOVE],
        left: false,
    },
    Case {
        name: "the last one is out",
        off: false,
        refused: REMOVE_SOMEBODY,
        then: &[REMOVE],
        left: false,
    },
    Case {
        name: "the user is deleted",
        off: true,
        refused: REMOVE,
        then: &[DELETE_USER],
        left: false,
    },
    Case {
        name: "the group is deleted",
        off: true,
        refused: REMOVE,
        then: &[DELETE_GROUP],
        left: false,
    },
    Case {
        name: "deleted, who was to be off",
        off: true,
        refused: DISABLE,
        then: &[DELETE_USER],
        left: false,
    },
    Case {
        name: "deleted by itself, after a bulk request",
        off: true,
        refused: BULK_DELETE,
        then: &[DELETE_USER],
        left: false,
    },
    Case {
        name: "wanted in again",
        off: true,
        refused: REMOVE,
        then: &[(
            "PATCH",
            "/Groups/{G}",
            r#"{"Operations":[{"op":"add","path":"members","value":[{"value":"{U}"}]}]}"#,
        )],
        left: false,
    },
    Case {
        name: "wanted on again",
        off: true,
        refused: DISABLE,
        then: &[(
            "PATCH",
            "/Users/{U}",
            r#"{"Operations":[{"op":"Replace","path":"active","value":"True"}]}"#,
        )],
        left: false,
    },
];

/// Refusals that leave access, each marked.
const MARKED: &[Request] = &[
    (
        "PATCH",
        "/Users/{U}",
        r#"{"Operations":[{"op":"replace","path":"active","value":["False"]},{"op":"replace","path":"nonsense[","value":1}]}"#,
    ),
    (
        "PATCH",
        "/Users/{U}",
        r#"{"Operations":[{"op":"replace","path":"active","value":"Disabled"}]}"#,
    ),
    ("PATCH", "/Users/{U}", r#"{"Operations":[{"op":"replace","path":"active","value":"no"}]}"#),
    ("PATCH", "/Users/{U}", r#"{"Operations":[{"op":"replace","path":"active","value":0}]}"#),
    ("PATCH", "/Users/{U}", r#"{"Operations":[{"op":"replace","path":"active","value":"0"}]}"#),
    (
        "PATCH",
        "/Users/{U}",
        r#"{"Operations":[{"op":"replace","path":"active","value":"False "}]}"#,
    ),
    (
        "PATCH",
        "/Groups/{G}",
        r#"{"Operations":[{"op":"replace","path":"members","value":[{"value":"nope"}]}]}"#,
    ),
    ("PUT", "/Groups/{G}", r#"{"displayName":"{G}","members":[{"value":"nope"}]}"#),
    (
        "PATCH",
        "/Groups/{G}",
        r#"{"Operations":[{"op":"remove","value":{"members":[{"value":"{U}"}]}}]}"#,
    ),
    (
        "POST",
        "/Bulk",
        r#"{"failOnErrors":"x","Operations":[{"method":"DELETE","path":"/Users/{U}"}]}"#,
    ),
    (
        "POST",
        "/Bulk",
        r#"{"failOnErrors":1,"Operations":[{"method":"POST","bulkId":"a","path":"/Users","data":{}},{"method":"DELETE","path":"/Users/{U}"}]}"#,
    ),
];

struct Cast {
    user: String,
    group: String,
}

impl Cast {
    async fn new(world: &World, n: usize) -> Result<Self> {
        let user = world.scim.create_user(&format!("u{n}@contoso.example")).await?;
        let group = world.scim.create_group(&format!("Group {n}")).await?;
        let cast = Self { user, group };
        let join = r#"{"Operations":[{"op":"add","path":"members","value":[{"value":"{U}"}]}]}"#;
        cast.send(world, ("PATCH", "/Groups/{G}", join)).await?;
        Ok(cast)
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{U}", &self.user).replace("{G}", &self.group)
    }

    async fn send(&self, world: &World, (method, path, body): Request) -> Result<u16> {
        let (path, body) = (self.fill(path), self.fill(body));
        let request = world.scim.request(method, &path);
        let request = match body.is_empty() {
            true => request,
            false => request.json("application/scim+json", &serde_json::from_str(&body)?),
        };
        Ok(world.scim.send(request).await?.status)
    }
}

/// What is open and leaves somebody access, by the exchange that began it.
async fn left(world: &World, args: &[&str]) -> Result<Vec<Value>> {
    let args = [&["failures", "list", "--org", "acme", "--all"], args].concat();
    let listed = world.server.cli(&args).await?;
    let all = listed.as_array().cloned().context("no list")?;
    Ok(all.into_iter().filter(|failure| failure["leaves_access"] == true).collect())
}

async fn what_comes_after_a_refusal_ends_it_if_it_ends_the_access(world: &mut World) -> Result<()> {
    let mut casts = Vec::new();
    for n in 0..AFTER.len() {
        casts.push(Cast::new(world, n).await?);
    }
    world.server.cli(&["scim", "disable", "--org", "acme"]).await?;
    for (case, cast) in AFTER.iter().zip(&casts).filter(|(case, _)| case.off) {
        let status = cast.send(world, case.refused).await?;
        ensure!(status == 503, "{}: {status}", case.name);
    }
    world.server.cli(&["scim", "enable", "--org", "acme"]).await?;
    for (case, cast) in AFTER.iter().zip(&casts).filter(|(case, _)| !case.off) {
        let status = cast.send(world, case.refused).await?;
        ensure!(status == 400, "{}: {status}", case.name);
    }
    let marked = left(world, &[]).await?;
    ensure!(marked.len() >= AFTER.len() - 1, "{} of {}: {marked:?}", marked.len(), AFTER.len());
    for (case, cast) in AFTER.iter().zip(&casts) {
        // Bulk requests meet one failure together, so that each is looked at by what it names.
        for request in case.then {
            cast.send(world, *request).await?;
        }
        if case.refused.1 == "/Bulk" {
            continue;
        }
        let subject = match case.refused.1.starts_with("/Users") {
            true => &cast.user,
            false => &cast.group,
        };
        let open = left(world, &["--subject", subject]).await?;
        ensure!(open.len() == usize::from(case.left), "{}: {open:?}", case.name);
    }
    // Of the two bulk requests one user is there still.
    let bulk: Vec<Value> =
        left(world, &[]).await?.into_iter().filter(|f| f["operation"] == "bulk").collect();
    ensure!(bulk.len() == 1, "{bulk:?}");
    let there = AFTER.iter().zip(&casts).find(|(case, _)| case.refused.1 == "/Bulk" && case.left);
    there.context("no case")?.1.send(world, DELETE_USER).await?;
    let bulk = left(world, &[]).await?.into_iter().any(|f| f["operation"] == "bulk");
    ensure!(!bulk, "all that it named are gone");
    world.server.cli(&["views", "verify"]).await?;
    Ok(())
}

on_both!(what_comes_after_a_refusal_ends_it_if_it_ends_the_access);

async fn a_refusal_that_leaves_access_is_marked(world: &mut World) -> Result<()> {
    for (n, request) in MARKED.iter().enumerate() {
        let cast = Cast::new(world, n).await?;
        let before = left(world, &[]).await?.len();
        let status = cast.send(world, *request).await?;
        let marked = left(world, &[]).await?;
        ensure!(marked.len() == before + 1, "{status} {request:?}: {marked:?}");
        // Gone, all of it gives access to nobody.
        cast.send(world, DELETE_USER).await?;
        cast.send(world, DELETE_GROUP).await?;
        ensure!(left(world, &[]).await?.is_empty(), "{request:?}: {:?}", left(world, &[]).await?);
    }
    // More operations than are taken.
    let cast = Cast::new(world, MARKED.len()).await?;
    let one = json!({"method": "DELETE", "path": format!("/Users/{}", cast.user)});
    let many = json!({"Operations": vec![one; 1_001]});
    world.scim.post("/Bulk", &many).await?.expect(413)?;
    ensure!(left(world, &[]).await?.len() == 1, "{:?}", left(world, &[]).await?);
    cast.send(world, DELETE_USER).await?;
    ensure!(left(world, &[]).await?.is_empty(), "{:?}", left(world, &[]).await?);
    // With a token that was one once, to each of them; with the new one they are done.
    let (one, other) = (Cast::new(world, 100).await?, Cast::new(world, 101).await?);
    let old = issue(&world.server, "acme").await?;
    world.server.cli(&["scim", "token", "revoke", "--org", "acme", &old.id]).await?;
    let live = world.scim.clone();
    world.scim = live.with_token(&old.secret);
    ensure!(one.send(world, DISABLE).await? == 401, "a revoked token");
    ensure!(other.send(world, DELETE_USER).await? == 401, "a revoked token");
    world.scim = live;
    let marked = left(world, &[]).await?;
    ensure!(marked.len() == 2, "{marked:?}");
    ensure!(marked.iter().all(|f| f["cause"] == "token-refused"), "{marked:?}");
    one.send(world, DISABLE).await?;
    other.send(world, DELETE_USER).await?;
    ensure!(left(world, &[]).await?.is_empty(), "{:?}", left(world, &[]).await?);
    Ok(())
}

on_both!(a_refusal_that_leaves_access_is_marked);

async fn what_holds_already_is_no_open_failure(world: &mut World) -> Result<()> {
    const JOIN: Request = (
        "PATCH",
        "/Groups/{G}",
        r#"{"Operations":[{"op":"add","path":"members","value":[{"value":"{U}"}]}]}"#,
    );
    let (off, out, never) =
        (Cast::new(world, 0).await?, Cast::new(world, 1).await?, Cast::new(world, 2).await?);
    off.send(world, DISABLE).await?;
    out.send(world, REMOVE).await?;
    never.send(world, REMOVE).await?;
    world.server.cli(&["scim", "disable", "--org", "acme"]).await?;
    off.send(world, DISABLE).await?;
    out.send(world, REMOVE).await?;
    never.send(world, JOIN).await?;
    world.server.cli(&["scim", "enable", "--org", "acme"]).await?;
    let open = world.server.cli(&["failures", "list", "--org", "acme"]).await?;
    ensure!(open.as_array().is_some_and(|open| open.len() == 1), "one is to join: {open}");
    never.send(world, DELETE_USER).await?;
    let open = world.server.cli(&["failures", "list", "--org", "acme"]).await?;
    ensure!(open == json!([]), "who is gone can never join: {open}");
    world.server.cli(&["views", "verify"]).await?;
    Ok(())
}

on_both!(what_holds_already_is_no_open_failure);
