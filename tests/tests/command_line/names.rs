//! What is named on the command line reaches the server as it was written.

use anyhow::{Result, ensure};
use rollcall_tests::http::{Http, Request};
use rollcall_tests::server::{Server, Store};

const ID: &str = "01a20bb3-b08b-76cb-a7ba-a0dec64eee60";

/// What asks about an organization: words before and behind `--org`.
const ASKING: [(&[&str], &[&str]); 28] = [
    (&["org", "disable"], &[]),
    (&["saml", "show"], &[]),
    (&["saml", "configure"], &["--metadata-url", "https://idp.example/metadata"]),
    (&["saml", "certificate", "download"], &[]),
    (&["saml", "certificate", "retire"], &[ID]),
    (&["saml", "policy"], &["--session-minutes", "60"]),
    (&["scim", "enable"], &["--allow-scim-without-sso"]),
    (&["scim", "policy"], &[]),
    (&["scim", "token", "issue"], &[]),
    (&["scim", "token", "revoke"], &[ID]),
    (&["auditor", "issue"], &["--label", "Ada"]),
    (&["auditor", "revoke"], &[ID]),
    (&["consumer", "add"], &["--kind", "pull", "--name", "doors"]),
    (&["consumer", "list"], &[]),
    (&["consumer", "rotate"], &["doors"]),
    (&["directory", "users"], &["--name", "ada"]),
    (&["directory", "members"], &[ID]),
    (&["directory", "review"], &[ID]),
    (&["diff"], &["--from", "position:0"]),
    (&["events", "list"], &[]),
    (&["events", "show"], &["1"]),
    (&["exchanges", "show"], &[ID]),
    (&["runs", "changes"], &[ID]),
    (&["failures", "show"], &[ID]),
    (&["replay", "verify"], &[]),
    (&["logins", "list"], &[]),
    (&["sessions", "end"], &[ID]),
    (&["views", "resume"], &[]),
];

/// How a command about an organization ends: its exit code, and what it says of that.
async fn ended(
    server: &Server,
    (before, behind): (&[&str], &[&str]),
    organization: &str,
) -> Result<(Option<i32>, String)> {
    let args = [before, &["--org", organization], behind].concat();
    let output = server.command(&args).await?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[tokio::test]
async fn an_odd_name_of_an_organization_is_one_that_is_not_there() -> Result<()> {
    let server = Server::start(Store::Sqlite).await?;
    server.cli(&["org", "create", "Acme", "--domain", "acme"]).await?;
    for asking in ASKING {
        for name in ["a/b?c", "acme/..", "acme?limit=1#x", "ac me", "%61cme"] {
            let (code, said) = ended(&server, asking, name).await?;
            let expected = format!("there is no organization {name:?}");
            ensure!(
                code == Some(3) && said.contains(&expected),
                "{asking:?} {name}: {code:?} {said}"
            );
        }
    }
    Ok(())
}

/// However it is escaped, whoever reads the address would drop it.
#[tokio::test]
async fn what_an_address_cannot_hold_is_never_sent() -> Result<()> {
    let server = Server::start(Store::Sqlite).await?;
    for name in ["", ".", ".."] {
        let (code, said) = ended(&server, (&["events", "list"], &[]), name).await?;
        ensure!(
            code == Some(2) && said.contains(&format!("{name:?}")) && said.contains("organization"),
            "{name:?}: {code:?} {said}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_exchange_is_named_by_its_id_or_refused() -> Result<()> {
    let server = Server::start(Store::Sqlite).await?;
    server.cli(&["org", "create", "Acme", "--domain", "acme"]).await?;
    let (code, said) = ended(&server, (&["exchanges", "show"], &[ID]), "acme").await?;
    ensure!(
        code == Some(3) && said.contains(&format!("there is no exchange {ID} here")),
        "{code:?} {said}"
    );
    let spaced = format!("{ID} x");
    let (code, said) = ended(&server, (&["exchanges", "show"], &[&spaced]), "acme").await?;
    ensure!(code == Some(2) && said.contains(&spaced), "{code:?} {said}");
    Ok(())
}

/// What is searched for cannot change the question.
#[tokio::test]
async fn a_filter_is_a_value_and_no_more() -> Result<()> {
    let server = Server::start(Store::Sqlite).await?;
    server.cli(&["org", "create", "Acme", "--domain", "acme"]).await?;
    let token = server.cli(&["scim", "token", "issue", "--org", "acme"]).await?["token"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let asked =
        Request::new("GET", "/scim/v2/Users").header("authorization", format!("Bearer {token}"));
    Http::new(server.address()).send(asked).await?.expect(200)?;
    let list = async |operation: &str| {
        server.cli(&["exchanges", "list", "--org", "acme", "--operation", operation]).await
    };
    ensure!(
        list("users.list").await?.as_array().is_some_and(|all| all.len() == 1),
        "the exchange is there"
    );
    for odd in [
        "users.list&operation=users.list",
        "users.list&x=1",
        "users list",
        "users.list#",
        "users.list%",
    ] {
        let asked = (&["exchanges", "list"][..], &["--operation", odd][..]);
        let (code, said) = ended(&server, asked, "acme").await?;
        ensure!(code == Some(2) && said.contains(&format!("{odd:?}")), "{odd}: {code:?} {said}");
    }
    Ok(())
}
