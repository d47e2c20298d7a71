//! The log in KurrentDB.

use crate::connection::Connection;
use crate::core::{Core, Ids};
use crate::error::OpenError;
use crate::index::{Index, facts, ledger, query};
use crate::known::{Followers, List};
use crate::names::Names;
use crate::recent::Recent;
use crate::settings::{ConnectOptions, settings};
use crate::writer::{Writers, restore, scopes};
use async_trait::async_trait;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::*;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Organizations that are asked for at once.
const AT_ONCE: usize = 16;
/// How long a ping may take.
const PING: Duration = Duration::from_secs(3);

/// The log in KurrentDB: a stream for each organization, and an index of them in a folder of this
/// process, which can be thrown away while nobody uses it.
pub struct KurrentLog {
    core: Arc<Core>,
    writers: Writers,
    watch: Arc<Watch>,
}

impl KurrentLog {
    /// Connects to the server of a connection string (`esdb://`), with the index in a folder that
    /// no other process uses. Must be called in a tokio runtime that outlives the log.
    ///
    /// # Errors
    /// [`OpenError::Server`] if it does not answer for as long as patience lasts, or refuses.
    pub async fn connect(
        url: &str,
        dir: &Path,
        options: ConnectOptions,
    ) -> Result<Self, OpenError> {
        let settings = settings(url)?;
        let index = Index::open(dir)?;
        let connection = Connection::new(settings, options.patience, options.append_deadline);
        let connection = connection.map_err(|e| OpenError::Server(e.to_string()))?;
        let core = Core {
            connection,
            index,
            names: Names(options.prefix),
            followers: Followers::default(),
            list: List::default(),
            recent: Recent::default(),
            ids: Ids::new(options.writer),
        };
        let refused = |e: LogError| OpenError::Server(e.to_string());
        core.check(&core.names.organizations()).await.map_err(refused)?;
        core.organizations().await.map_err(refused)?;
        let core = Arc::new(core);
        Ok(Self { writers: Writers::new(core.clone()), core, watch: Arc::default() })
    }
}

#[async_trait]
impl Log for KurrentLog {
    fn watch(&self) -> Arc<Watch> {
        self.watch.clone()
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if !append.is_of_one_organization() {
            return Err(AppendError::Unavailable("the append names two organizations".into()));
        }
        self.writers.append(append).await
    }

    async fn load(&self, stream: &StreamId, after: Version) -> Result<Vec<Record>, LogError> {
        self.core.load(*stream, after).await
    }

    async fn records(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, LogError> {
        self.core.records(organization, after, limit).await
    }

    async fn exchanges(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
        bodies: Bodies,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        self.core.exchanges(organization, after, limit, bodies).await
    }

    /// The index of streams knows nothing of what exchanges were about.
    async fn exchanges_with(
        &self,
        organization: OrganizationId,
        facet: Facet<'_>,
        start: Start,
        limit: usize,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        scan(self, organization, start, limit, |x| facet.is_of(&x.exchange)).await
    }

    async fn exchange(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<RecordedExchange>, LogError> {
        self.core.exchange(organization, id).await
    }

    async fn head(&self, organization: OrganizationId) -> Result<Head, LogError> {
        Ok(self.core.follow(organization).await?.head)
    }

    async fn heads(&self) -> Result<Vec<(OrganizationId, Head)>, LogError> {
        let organizations = self.core.organizations().await?;
        let head = |organization| async move {
            Ok((organization, self.core.follow(organization).await?.head))
        };
        let mut heads: Vec<_> =
            stream::iter(organizations).map(head).buffer_unordered(AT_ONCE).try_collect().await?;
        // Listed for its claim key only, or for an append that was not made.
        heads.retain(|(_, head)| *head != Head::default());
        heads.sort_unstable_by_key(|(organization, _)| *organization);
        Ok(heads)
    }

    async fn snapshot(&self, stream: &StreamId) -> Result<Option<AggregateSnapshot>, LogError> {
        let stream = *stream;
        self.core.index.run(move |db| query::snapshot(db, stream)).await
    }

    async fn save_snapshot(&self, snapshot: AggregateSnapshot) -> Result<(), LogError> {
        self.core.index.run(move |db| query::save_snapshot(db, &snapshot)).await
    }

    async fn holder(&self, claim: &Claim) -> Result<Option<StreamId>, LogError> {
        let claim = *claim;
        scopes::settle(&self.core, claim.scope).await?;
        self.core.index.run(move |db| facts::holder(db, &claim)).await
    }

    async fn claims(
        &self,
        scope: OrganizationId,
        after: Option<Claim>,
        limit: usize,
    ) -> Result<Vec<(Claim, StreamId)>, LogError> {
        scopes::settle(&self.core, scope).await?;
        self.core.index.run(move |db| query::claims(db, scope, after, limit)).await
    }

    async fn claim_key(
        &self,
        scope: OrganizationId,
        fresh: [u8; 32],
    ) -> Result<[u8; 32], LogError> {
        self.core.claim_key(scope, fresh).await
    }

    async fn claim_keys(&self) -> Result<Vec<(OrganizationId, [u8; 32])>, LogError> {
        let organizations = self.core.organizations().await?;
        let key = |scope| async move { Ok(self.core.key(scope).await?.map(|key| (scope, key))) };
        let keys: Vec<_> =
            stream::iter(organizations).map(key).buffered(AT_ONCE).try_collect().await?;
        Ok(keys.into_iter().flatten().collect())
    }

    async fn drop_bodies(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        through: ExchangeNumber,
    ) -> Result<u64, LogError> {
        self.writers
            .run(organization, move |core| async move {
                core.drop_bodies(organization, after, through).await
            })
            .await
    }

    async fn epoch(&self) -> Result<Uuid, LogError> {
        self.core.epoch().await
    }

    async fn ledger_head(&self, organization: OrganizationId) -> Result<LedgerHead, LogError> {
        self.core.follow(organization).await?;
        self.core.index.run(move |db| ledger::head(db, organization)).await
    }

    async fn counted(&self, organization: OrganizationId) -> Result<Head, LogError> {
        // Whatever else stands in the stream stops the organization.
        Ok(self.core.follow(organization).await?.head)
    }

    async fn record_leaves(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Option<LeafHash>)>, LogError> {
        self.core.meet(organization).await?;
        self.core.index.run(move |db| ledger::record_leaves(db, organization, after, limit)).await
    }

    async fn exchange_leaves(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
    ) -> Result<Vec<ExchangeLeaf>, LogError> {
        self.core.meet(organization).await?;
        self.core.index.run(move |db| ledger::exchange_leaves(db, organization, after, limit)).await
    }

    async fn restore(&self, parts: Vec<Restored>) -> Result<(), LogError> {
        let sorted = restore::sort(parts);
        // All is looked at before anything is written: what does not follow leaves nothing.
        for (organization, parts) in &sorted.parts {
            self.core.check_restore(*organization, parts.clone()).await?;
        }
        for (scope, key) in sorted.keys {
            if self.core.claim_key(scope, key).await? != key {
                return Err(LogError::Damaged(format!("{scope} has another claim key")));
            }
        }
        for (organization, parts) in sorted.parts {
            self.writers
                .run(
                    organization,
                    move |core| async move { core.restore(organization, parts).await },
                )
                .await?;
        }
        Ok(())
    }

    async fn ping(&self) -> Result<(), LogError> {
        let stream = self.core.names.organizations();
        let asked = self.core.connection.last(&stream, PING);
        let answer = tokio::time::timeout(PING, asked).await;
        answer
            .unwrap_or_else(|_| {
                Err(LogError::Unavailable(format!("no answer in {} s", PING.as_secs())))
            })
            .map(drop)
    }
}
