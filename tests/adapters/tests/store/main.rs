//! The contract that every store passes, and what only one of them promises.
//!
//! A test of the contract is a function of a [`fixture`]; the macros below run it on every
//! adapter: SQLite in a file, SQLite in memory, PostgreSQL, and for the log KurrentDB, of which a
//! stand-in is all there is here, and what seals, before SQLite.

/// Runs functions of `$of` on every adapter; `$open` names the function of [`fixture`] that opens
/// one.
macro_rules! contract {
    ($of:path, log: $($test:ident)*) => {
        contract!(@sql $of, log: $($test)*);
        mod kurrent { contract!(@run $of, kurrent, log: $($test)*); }
        mod sealed { contract!(@run $of, sealed, log: $($test)*); }
    };
    ($of:path, views: $($test:ident)*) => {
        contract!(@sql $of, views: $($test)*);
    };
    ($of:path, inline: $($test:ident)*) => {
        contract!(@sql $of, inline: $($test)*);
    };
    (@sql $of:path, $open:ident: $($test:ident)*) => {
        mod sqlite_file { contract!(@run $of, sqlite_file, $open: $($test)*); }
        mod sqlite_memory { contract!(@run $of, sqlite_memory, $open: $($test)*); }
        mod postgres { contract!(@run $of, postgres, $open: $($test)*); }
    };
    (@run $of:path, $adapter:ident, $open:ident: $($test:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> anyhow::Result<()> {
                use $of as contract;
                contract::$test($crate::fixture::$adapter::$open().await?).await
            }
        )*
    };
}

mod before;
mod fixture;
mod given;
mod inline;
mod kurrent;
mod kurrent_faults;
mod kurrent_streams;
mod log;
mod postgres;
mod postgres_faults;
mod rate;
mod restore;
mod rewritten;
mod sealed;
mod sqlite;
mod views;
