//! The service: everything is brought up in order, runs, and is taken down in order. And what the system is told of it.
//!
//! Up: configuration, home, store (whose lock makes it the only daemon of the home), search, records, core, endpoint, engine, API.
//! Down: API, engine, records, search, endpoint. What was acknowledged is durable before it is acknowledged, so that a kill at any
//! moment loses nothing; going down in order only spares others the wait.

use std::{path::Path, sync::Arc, time::Duration};

use portolan_protocol::{
    api::{ApiError, ErrorKind},
    effects::Appended,
    id::Incarnation,
    node::Node,
    view::SpaceView,
};
use rand_core::Rng as _;
use sd_notify::NotifyState;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{broadcast, watch},
    time::timeout,
};
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

use crate::{
    api::{self, Announcer, Socket},
    arrivals::Arrivals,
    attachments::Attachments,
    clock,
    config::{Config, Format},
    documents::{AppendError, Documents},
    engine::{Engine, EngineError, Follower, Parts, Stopped},
    failure,
    home::Home,
    pouches::Pouches,
    search::Search,
    store::{OpenReport, Options, Store},
    transport::{Allowed, Endpoint},
};

/// What is under way when the service stops has this long to become durable.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// Hands what the engine tells to the records, and notes by which way entries came.
struct Derive(Documents, Arrivals);

impl Follower for Derive {
    fn views(&self, views: &[Arc<SpaceView>]) {
        self.0.views(views.iter().cloned());
    }

    fn appended(&self, appended: &[Appended]) {
        self.1.note(appended);
        self.0.appended(appended.iter().copied());
    }
}

/// Runs the daemon of a home until it is told to stop.
///
/// # Errors
/// What stood against starting, or what ended it: a commit that failed.
pub async fn run(path: &Path) -> Result<(), ApiError> {
    // First, so that a signal during the start is not lost.
    let mut signals = Signals::new()?;
    let running = tokio::select! {
        running = Running::start(path) => running?,
        () = signals.next() => return Ok(()),
    };
    running.until(&mut signals).await
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Signals, ApiError> {
        let listen = |kind| signal(kind).map_err(|error| internal(&error));
        Ok(Signals { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits until the service is told to stop.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// All parts, brought up.
struct Running {
    engine: Engine,
    stopped: Stopped,
    documents: Documents,
    search: Search,
    endpoint: Endpoint,
    stop: watch::Sender<bool>,
    api: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(path: &Path) -> Result<Running, ApiError> {
        let home = Arc::new(Home::open(path)?);
        let config = Config::load(path)?;
        start_log(&config);
        info!(home = %path.display(), node = %home.card().node(), release = env!("CARGO_PKG_VERSION"), "starting");
        let store = open_store(&home, &config)?;
        let search = Search::start(home.search())?;
        let documents_options = crate::documents::Options {
            cache_bytes: usize::try_from(config.data.document_cache_bytes()).unwrap_or(usize::MAX),
            search: Some(search.clone()),
        };
        let documents = Documents::open(&store, documents_options)?;
        home.looks.take_back(documents.begun().await?);
        let image = store.image()?;
        documents.catch_up(&image);
        let node = Node::load(home.identity(), image, &mut clock::rng()).map_err(failure::unloadable)?;
        tell_loss(&store);
        let socket = Socket::bind(&config.socket_path(path), config.socket_group.as_deref())?;
        let allowed = Allowed::default();
        let endpoint =
            Endpoint::bind(if config.offline { &[] } else { &config.listen }, home.transport(), allowed.clone())?;
        let (feed, _) = broadcast::channel(api::BACKLOG);
        documents.announce(feed.clone());
        let follower =
            Box::new(Announcer::new(Box::new(Derive(documents.clone(), Arrivals::new(store.clone()))), feed.clone()));
        let parts =
            Parts { node, store: store.clone(), endpoint: endpoint.clone(), allowed, calls: !config.offline, follower };
        let (engine, stopped) = Engine::start(parts).map_err(|error| internal(&error))?;
        connect(&documents, &engine);
        let attachments =
            Attachments::open(path, engine.clone(), documents.clone(), store.clone(), config.attachments.fetch)?;
        let pouches = Pouches::open(path, home.keys(), engine.clone(), store.clone(), Some(attachments.clone()))?;
        if let Some(exchanges) = engine.exchanges() {
            tokio::spawn(attachments.clone().serve(exchanges));
        }
        tokio::spawn(attachments.clone().watch(feed.subscribe()));
        let (stop, stopping) = watch::channel(false);
        let parts = api::Parts {
            home,
            engine: engine.clone(),
            documents: documents.clone(),
            search: search.clone(),
            pouches,
            attachments,
            store,
            endpoint: endpoint.clone(),
            offline: config.offline,
            feed,
        };
        let api = tokio::spawn(api::serve(socket, parts, stopping));
        info!(socket = %config.socket_path(path).display(), "ready");
        tell(&[NotifyState::Ready, NotifyState::Status("running")]);
        Ok(Running { engine, stopped, documents, search, endpoint, stop, api })
    }

    /// Runs until a signal comes or a commit fails, then takes everything down.
    async fn until(mut self, signals: &mut Signals) -> Result<(), ApiError> {
        let watchdog = tokio::spawn(watchdog(self.engine.clone()));
        let failed = tokio::select! {
            () = signals.next() => None,
            failed = &mut self.stopped => Some(failed.ok().flatten().map_or_else(vanished, ApiError::from)),
        };
        tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
        info!("stopping");
        watchdog.abort();
        // Fails when the API has ended by itself.
        let _ = self.stop.send(true);
        let _ = timeout(STOP_TIMEOUT, self.api).await;
        let failed = match failed {
            Some(failed) => Some(failed),
            None => {
                self.engine.stop().await;
                match timeout(STOP_TIMEOUT, self.stopped).await {
                    Ok(ended) => ended.ok().flatten().map(ApiError::from),
                    Err(_) => {
                        warn!("the last changes did not become durable in time; nobody was told that they had");
                        None
                    }
                }
            }
        };
        let _ = timeout(STOP_TIMEOUT, self.documents.close()).await;
        let _ = timeout(STOP_TIMEOUT, self.search.close()).await;
        self.endpoint.close().await;
        info!("stopped");
        failed.map_or(Ok(()), Err)
    }
}

fn internal(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(ErrorKind::Internal, format!("the system does not give what the service needs: {error}"))
        .safe("Nothing was changed.")
}

/// The engine ended without a word: one of its threads panicked.
fn vanished() -> ApiError {
    ApiError::new(ErrorKind::Internal, "the engine ended unexpectedly; the log says where")
        .safe("What was acknowledged is kept.")
        .next("Start the service again.")
}

fn open_store(home: &Home, config: &Config) -> Result<Store, ApiError> {
    let mut incarnation = Incarnation::default();
    clock::rng().fill_bytes(&mut incarnation.0);
    let options = Options { cache_bytes: config.data.store_cache_bytes(), ..Options::new(incarnation) };
    let (store, report) = Store::open(&home.store(), &options)?;
    tell_opened(&report);
    Ok(store)
}

fn tell_opened(report: &OpenReport) {
    let OpenReport { created, removed, reserve_given_up, lost, damaged } = report;
    if *created {
        info!("the store is new");
    }
    for name in removed {
        info!(name, "removed an unfinished snapshot of the store; nothing is lost with it");
    }
    if *reserve_given_up {
        warn!(
            "the disk is full: the reserve was given up to open the store, and nothing is taken until there is room again"
        );
    }
    for what in damaged {
        error!(what, "the store is damaged");
    }
    for what in lost {
        error!(what, "the store holds less than was acknowledged");
    }
}

/// Says loudly that something was lost. The engine makes durable that the old logs are written no more, and trusts the store
/// from then on.
fn tell_loss(store: &Store) {
    if !store.trusted() {
        error!(
            "entries that were acknowledged are missing: this node continues in new logs, and asks its peers for what they \
             have receipted; what only this node held is lost"
        );
    }
}

/// Shows the records the way to the log.
fn connect(documents: &Documents, engine: &Engine) {
    let engine = engine.clone();
    documents.connect(Arc::new(move |space, log, changes| {
        let engine = engine.clone();
        Box::pin(async move {
            engine.append(space, log, changes).await.map_err(|error| match error {
                EngineError::Refused(refused) => AppendError::Refused(refused),
                EngineError::Stopped => AppendError::Stopped,
                EngineError::Full => AppendError::Full,
            })
        })
    }));
}

fn start_log(config: &Config) {
    let level = config.log.level.as_str();
    // What libraries say below a warning is for their maintainers.
    let filter = EnvFilter::new(format!("warn,portolan_daemon={level},portolan_protocol={level}"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Fails when there is a log already, as in tests that run several services.
    let _ = match config.log.format {
        Format::Text => log.with_ansi(false).try_init(),
        Format::Json => log.json().flatten_event(true).try_init(),
    };
}

/// Tells the service manager, where there is one.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!(%error, "the service manager cannot be told");
    }
}

/// Tells the service manager that the engine still answers, where it asks for that.
async fn watchdog(engine: Engine) {
    let Some(every) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval(every / 3);
    loop {
        ticks.tick().await;
        if engine.status().await.is_err() {
            return;
        }
        tell(&[NotifyState::Watchdog]);
    }
}
